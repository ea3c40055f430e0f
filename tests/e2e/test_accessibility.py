"""Every page that each person can reach on the running product, in both themes and at three widths."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support import axe
from tests.support.browser import BrowserPage
from tests.support.product import Product

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.slow("uses the whole running product"),
    pytest.mark.product,
    pytest.mark.xdist_group("product"),
]

LINKS = r"""() => [...document.querySelectorAll('nav a[href], main a[href]')].map((a) => new URL(a.getAttribute('href'), location.href))
    .filter((u) => u.origin === location.origin && !u.search)
    .map((u) => u.pathname).filter((p) => !/\.[a-z0-9]+$/.test(p))"""
ID = re.compile(r"[0-9a-f-]{36}")
MANY = 8  # more pages than this under one address are the same page about different things
SECTIONS = ("/sala", "/direccion", "/capacitacion", "/soporte", "/perfil", "/inicio")


def reached_from(page: Page, product: Product, start: str) -> list[str]:
    """The pages of our sections that can be reached, one of each kind (an id or the name of a municipality counts once)."""
    kinds = {start: start}
    waiting = [start]
    while waiting:
        page.goto(product.url + waiting.pop(0))
        paths = [path for path in dict.fromkeys(page.evaluate(LINKS)) if path.startswith(SECTIONS)]
        plain = [ID.sub("*", path) for path in paths]
        siblings = Counter(_parent(path) for path in dict.fromkeys(plain))
        for path, kind in zip(paths, plain, strict=True):
            kind = _parent(kind) + "*" if siblings[_parent(kind)] > MANY else kind
            if kind not in kinds:
                kinds[kind] = path
                waiting.append(path)
    return list(kinds.values())


def _parent(path: str) -> str:
    """The address without its last part."""
    return path.rstrip("/").rpartition("/")[0] + "/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("user", "start"),
    [
        ("operador.tres-arroyos", "/sala/"),
        ("supervisor.tres-arroyos", "/sala/camaras/"),
        ("admin.azul", "/sala/camaras/"),
        ("direccion", "/direccion/"),
        ("alumno.laprida", "/capacitacion/"),
        ("soporte", "/soporte/"),
    ],
)
def test_pages_of_each_person_are_accessible_and_fit(
    product: Product, new_browser_page: Callable[..., BrowserPage], user: str, start: str, scheme: str
) -> None:
    page = new_browser_page(color_scheme=scheme, reduced_motion="reduce").page
    product.sign_in(page, user)
    found: list[str] = []

    for path in reached_from(page, product, start):
        for size, (width, height) in axe.SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(product.url + path)
            found += [f"{path} {size}: {text}" for text in axe.violations(page)]
            if (extra := axe.overflow(page)) > 0:
                found.append(f"{path} {size}: {extra} px outside the window")

    assert found == []
