"""Every page that each person can reach, in both themes and at three widths: no violation that axe can find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.browser import BrowserPage
from tests.support.engines import ROOT
from tests.support.product import Product

AXE = ROOT / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = ((1366, 768), (1920, 1080), (320, 640))
PUBLIC = ("/", "/ayuda", "/licencias", "/accesibilidad")
RUN = """async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags}})).violations.map(
    (v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(' | ')}`)"""
LINKS = """() => [...document.querySelectorAll('nav a[href], main a[href]')].map((a) => new URL(a.href))
    .filter((u) => u.origin === location.origin && !u.search)
    .filter((u) => !u.pathname.match(/\\.(csv|jpg|mp4|json|geojson)$/)).map((u) => u.pathname)"""
SECTIONS = ("/sala", "/direccion", "/capacitacion", "/soporte", "/perfil", "/inicio")


def violations(page: Page, tags: list[str]) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN, tags)
    return found


def reached_from(page: Page, product: Product, start: str) -> list[str]:
    """The pages of our sections that the start page links to, one of each kind (an id counts once)."""
    page.goto(product.url + start)
    paths: dict[str, str] = {start: start}
    for path in page.evaluate(LINKS):
        if path.startswith(SECTIONS):
            kind = "/".join("*" if len(part) == 36 else part for part in path.split("/"))
            paths.setdefault(kind, path)
    return list(paths.values())


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_accessible(product: Product, browser_page: BrowserPage, path: str) -> None:
    page = browser_page.page
    found = []
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(product.url + path)
        found += [f"{path} {width}: {text}" for text in violations(page, TAGS)]

    assert found == []


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
def test_pages_of_each_person_are_accessible_in_both_themes(
    product: Product, new_browser_page: Callable[..., BrowserPage], user: str, start: str
) -> None:
    found: list[str] = []
    for scheme in ("light", "dark"):
        page = new_browser_page(color_scheme=scheme).page
        product.sign_in(page, user)
        for path in reached_from(page, product, start):
            for width, height in WIDTHS:
                page.set_viewport_size({"width": width, "height": height})
                page.goto(product.url + path)
                found += [f"{path} {scheme} {width}: {text}" for text in violations(page, TAGS)]
                found += _overflowing(page, path, width)

    assert found == []


def _overflowing(page: Page, path: str, width: int) -> list[str]:
    """A page that scrolls sideways at 320 pixels does not reflow."""
    wide: Any = page.evaluate("() => document.documentElement.scrollWidth")
    return [f"{path} {width}: {wide} px wide"] if width == 320 and wide > width else []
