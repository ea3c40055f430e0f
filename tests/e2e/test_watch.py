"""The watch over browser pages sees what it must: a test of the tests."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow("starts a real Chromium")]

PAGES = {
    "/favicon.ico": "x",
    "/": "<title>Bien</title><h1>Bien</h1>",
    "/error": "<title>x</title><script nonce=n>console.error('algo falló')</script>",
    "/uncaught": "<title>x</title><script nonce=n>noExiste()</script>",
    "/inline": "<title>x</title><button onclick='1'>x</button><script nonce=n>document.querySelector('button').click()</script>",
    "/foreign": "<title>x</title><img src='http://example.invalid/a.png'>",
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGES.get(self.path)
        self.send_response(200 if body else 500 if self.path == "/broken" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "script-src 'nonce-n'")
        self.end_headers()
        self.wfile.write((body or "x").encode())

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_clean_page_raises_nothing(browser_page, site) -> None:
    browser_page.page.goto(f"{site}/")

    assert browser_page.page.title() == "Bien"
    assert browser_page.watch.problems == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/error", "console: algo falló"),
        ("/uncaught", "uncaught: .*noExiste"),
        ("/inline", "CSP: script-src-attr"),
        ("/foreign", "foreign request: http://example.invalid/a.png"),
        ("/broken", "500: "),
    ],
)
def test_page_with_a_fault_is_reported(browser_page, site, path: str, problem: str) -> None:
    browser_page.page.goto(f"{site}{path}")
    browser_page.page.wait_for_timeout(100)

    found = "\n".join(browser_page.watch.problems)
    browser_page.watch.expect(".")
    assert re.search(problem, found), found


def test_browser_plays_h264_and_draws_webgl2(browser_page, site) -> None:
    browser_page.page.goto(f"{site}/")

    assert browser_page.page.evaluate("""MediaSource.isTypeSupported('video/mp4; codecs="avc1.42E01E"')""")
    assert browser_page.page.evaluate("document.createElement('canvas').getContext('webgl2') !== null")
