"""Signing in through the pages of Keycloak without a browser: demonstration tokens of a high level, and tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

TIMEOUT_S = 15
MAX_PAGES = 12


class SignInStopped(Exception):
    """Keycloak showed a page that the given answers do not pass; `text` is what it says."""

    def __init__(self, text: str, *, status: int = 200) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


@dataclass
class Page:
    """The first form of a page and its visible text."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._words: list[str] = []
        self._in_form = False
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.page.action:
            self.page.action, self._in_form = values.get("action", ""), True
        elif tag == "input" and self._in_form and values.get("name"):
            self.page.fields[values["name"]] = values.get("value", "")
        self._skip += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        self._skip -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self._words.append(data)

    def read(self, html: str) -> Page:
        self.feed(html)
        self.page.text = re.sub(r"\s+", " ", " ".join(self._words)).strip()
        return self.page


class HeadlessBrowser:
    """One browser: its cookies outlive a sign-in, so a second one is single sign-on."""

    def __init__(self) -> None:
        self._http = requests.Session()
        self.pages: list[Page] = []

    def get(self, url: str) -> requests.Response:
        return self._remember(self._http.get(url, allow_redirects=False, timeout=TIMEOUT_S))

    def post(self, url: str, data: Mapping[str, str]) -> requests.Response:
        return self._remember(self._http.post(url, data=dict(data), allow_redirects=False, timeout=TIMEOUT_S))

    def follow(self, url: str, redirect_uri: str, answers: Mapping[str, str]) -> dict[str, str]:
        """Go from `url` to `redirect_uri`, filling each form with the `answers` it asks for, once each.

        Returns the parameters that the redirect URI received. Raises `SignInStopped` on any other end.
        """
        left = dict(answers)
        response = self.get(url)
        for _ in range(MAX_PAGES):
            if response.is_redirect:
                target = urljoin(response.url, response.headers["Location"])
                if target.startswith(redirect_uri):
                    return dict(parse_qsl(urlsplit(target).query))
                response = self.get(target)
                continue
            page = _Reader().read(response.text)
            self.pages.append(page)
            asked = {name: left.pop(name) for name in page.fields if name in left}
            if not page.action or not asked:
                raise SignInStopped(page.text, status=response.status_code)
            response = self.post(urljoin(response.url, page.action), page.fields | asked)
        raise SignInStopped("demasiadas páginas")

    def _remember(self, response: requests.Response) -> requests.Response:
        # On loopback without TLS Keycloak marks its cookies Secure: browsers return them there, this cookie jar does not.
        for cookie in self._http.cookies:
            cookie.secure = False
        return response
