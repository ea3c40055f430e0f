"""Pages in a real headless Chromium that fail the test on anything a person should never meet.

A console error, a policy violation, a request that leaves this machine or an answer of 500 fails the test that caused it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, Route, sync_playwright

from tests.support.chromium import NoChromium, find

HERE = frozenset({"127.0.0.1", "localhost", "[::1]", ""})
_REPORT_VIOLATIONS = """document.addEventListener('securitypolicyviolation',
    (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`))"""


class Watch:
    """What went wrong on the pages of one test, and what the test said it would provoke."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """Problems that match are what this test is about."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        return [problem for problem in self.problems if not any(p.search(problem) for p in self._expected)]

    def follow(self, page: Page) -> None:
        """Record what happens on this page from now on; nothing gets past this machine."""
        page.add_init_script(_REPORT_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("response", self._response)
        page.route("**/*", self._route)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.problems.append(f"{response.status}: {response.url}")

    def _route(self, route: Route, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob") or (parts.hostname or "") in HERE:
            route.continue_()
        else:
            self.problems.append(f"foreign request: {request.url}")
            route.abort()


class BrowserPage:
    """A page with its own cookies, as one person's browser; `page` is Playwright's."""

    def __init__(self, page: Page, watch: Watch) -> None:
        self.page = page
        self.watch = watch


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    """One Chromium for the whole session of this worker."""
    try:
        chromium = find()
    except NoChromium as missing:
        if os.environ.get("PIPC_REQUIRE_BROWSER") == "1":
            raise
        pytest.skip(str(missing))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.path, args=chromium.flags, env=chromium.environment()
        )
        yield browser
        browser.close()


@pytest.fixture
def new_browser_page(chromium_browser: Browser) -> Iterator[Callable[..., BrowserPage]]:
    """Makes pages of different people in one test; each is watched. Arguments are those of a browser context."""
    watch, contexts = Watch(), []

    def make(**options: object) -> BrowserPage:
        settings = {
            "locale": "es-AR", "timezone_id": "America/Argentina/Buenos_Aires", "viewport": {"width": 1366, "height": 768},
            **options,
        }  # fmt: skip
        context = chromium_browser.new_context(**settings)  # type: ignore[arg-type]  # the options are Playwright's own
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        return BrowserPage(page, watch)

    yield make
    for context in contexts:
        context.close()
    assert not watch.unexpected(), "\n".join(watch.unexpected())


@pytest.fixture
def browser_page(new_browser_page: Callable[..., BrowserPage]) -> BrowserPage:
    """One watched page."""
    return new_browser_page()
