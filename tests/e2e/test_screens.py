"""The big screens and every component in a real browser: axe, width, keyboard, in both themes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page
from werkzeug.serving import make_server

from tests.support import axe
from tests.support.browser import BrowserPage
from tests.support.client import COOKIE, Client, make_app, make_settings
from tests.support.world import actor

pytestmark = [pytest.mark.browser, pytest.mark.slow("starts a real Chromium")]

PATHS = ("/_galeria/consola", "/_galeria/consola?vacia=1", "/_galeria/tablero", "/_galeria/")
PUBLIC = ("/", "/ayuda", "/ayuda/consola", "/licencias", "/accesibilidad", "/api/docs", "/nada")
# The gallery's cameras do not exist: their tiles ask, are told so, and say it.
EXPECTED = r"404|503|sala/camaras|rt/flujo|GPU stall"


@pytest.fixture(scope="module")
def site(worker_database_urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application on a real socket, with somebody of the Dirección signed in as `direccion`."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    app = make_app(
        make_settings(tmp_path_factory.mktemp("site"), worker_database_urls, base_url=address, demonstration=True)
    )
    Client(app, actor(0, "direccion-admin", user="direccion", display_name="Lucía Ferreyra"))
    server.app = app
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield address
    server.shutdown()
    thread.join(5)
    app.extensions["pipc_runtime"].databases.dispose()


@pytest.fixture
def open_page(site: str, new_browser_page: Callable[..., BrowserPage]) -> Callable[..., BrowserPage]:
    """Opens a path as the Dirección (or as nobody) in a window of this size."""

    def open_at(path: str, *, size: str = "notebook", signed_in: bool = True) -> BrowserPage:
        width, height = axe.SIZES[size]
        opened = new_browser_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        opened.watch.expect(EXPECTED)
        if signed_in:
            opened.page.context.add_cookies([{"name": COOKIE, "value": "0:direccion", "url": site}])
        opened.page.goto(site + path)
        return opened

    return open_at


def _until(page: Page, condition: str) -> None:
    """Wait for a condition of the page; Playwright's own waiting needs `eval`, which the policy refuses."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"no se cumplió: {condition}")


@pytest.mark.parametrize("size", list(axe.SIZES))
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_screen_is_accessible_and_fits(open_page: Callable[..., BrowserPage], path: str, theme: str, size: str) -> None:
    joint = "&" if "?" in path else "?"

    page = open_page(f"{path}{joint}tema={theme}", size=size).page

    assert axe.violations(page) == []
    assert axe.overflow(page) <= 0


@pytest.mark.parametrize("size", list(axe.SIZES))
@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_is_accessible_and_fits(open_page: Callable[..., BrowserPage], path: str, size: str) -> None:
    page = open_page(path, size=size, signed_in=False).page

    assert axe.violations(page) == []
    assert axe.overflow(page) <= 0


def test_text_twice_as_big_still_fits(open_page: Callable[..., BrowserPage]) -> None:
    page = open_page("/_galeria/consola?escala=200").page

    assert axe.overflow(page) <= 0
    assert axe.violations(page) == []


def test_dialog_opens_with_its_key_is_accessible_and_gives_the_focus_back(
    open_page: Callable[..., BrowserPage],
) -> None:
    page = open_page("/_galeria/consola").page
    _until(page, "document.querySelector('.console-clock').textContent !== '--:--:--'")
    page.locator("[data-shortcut=X]").focus()

    page.keyboard.press("x")

    page.wait_for_selector("#dialogo-discard[open]")
    assert axe.violations(page) == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.shortcut") == "X"


def test_municipality_is_chosen_with_the_keyboard_alone(open_page: Callable[..., BrowserPage], site: str) -> None:
    page = open_page("/", signed_in=False).page
    page.wait_for_selector("[role=combobox]")
    page.locator("#municipio").focus()

    page.keyboard.type("tres")
    page.wait_for_selector("[role=option]")
    assert axe.violations(page) == []
    page.keyboard.press("ArrowDown")
    page.route("**/m/**", lambda route: route.fulfill(status=200, content_type="text/html", body="puerta"))
    page.keyboard.press("Enter")

    page.wait_for_url("**/m/tres-de-febrero/entrar")


def test_clip_of_the_gallery_plays_without_a_gesture(open_page: Callable[..., BrowserPage]) -> None:
    page = open_page("/_galeria/consola").page

    _until(page, "document.querySelector('.console-clock').textContent !== '--:--:--'")
    _until(page, "document.querySelector('.clip video').currentTime > 0.3")
    page.keyboard.press(" ")

    _until(page, "document.querySelector('.clip video').paused")


def test_card_that_comes_back_replaces_the_spot_its_procedure_and_its_place_in_the_queue(
    open_page: Callable[..., BrowserPage],
) -> None:
    page = open_page("/_galeria/consola").page

    page.evaluate("htmx.ajax('GET', '/_galeria/ficha', {target: '#foco', swap: 'outerHTML'})")

    _until(page, "document.querySelector('[data-alarm] strong')?.textContent === 'R. Medina'")
    counts = page.evaluate(
        "['#foco', '#procedimiento', '.queue', '.queue > li', 'template'].map(s => document.querySelectorAll(s).length)"
    )
    assert counts == [1, 1, 1, 5, 0]


def test_map_that_moves_replaces_the_drawing_and_keeps_its_list(open_page: Callable[..., BrowserPage]) -> None:
    page = open_page("/_galeria/consola").page

    page.wait_for_selector(".town canvas", timeout=15_000)
    page.get_by_role("button", name="ver lista").click()

    assert page.locator(".town-list li").count() == 4
