"""Names and flags of the cookies by mode."""

from __future__ import annotations

import pytest
from flask import Response
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from app.identity.cookies import Cookies


def set_by(cookies: Cookies) -> list[str]:
    response = Response()
    cookies.keep_session(response, "secreto")
    cookies.keep_browser(response, "marca")
    return response.headers.getlist("Set-Cookie")


def test_over_tls_cookies_are_bound_to_the_host() -> None:
    for cookie in set_by(Cookies("https://pipc.example")):
        assert cookie.startswith("__Host-pipc")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_on_loopback_without_tls_other_names_are_used() -> None:
    for cookie in set_by(Cookies("http://127.0.0.1:8000")):
        assert cookie.startswith("pipc_dev")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("base_url", ["https://pipc.example", "http://127.0.0.1:8000"])
def test_a_cookie_of_the_other_mode_is_not_read(base_url: str) -> None:
    sent = {"Cookie": "pipc_dev=a" if base_url.startswith("https") else "__Host-pipc=a"}
    request = Request(EnvironBuilder(headers=sent).get_environ())

    assert Cookies(base_url).session(request) == ""  # type: ignore[arg-type]


def test_a_browser_without_a_mark_gets_a_fresh_one() -> None:
    cookies, request = Cookies("http://127.0.0.1:8000"), Request(EnvironBuilder().get_environ())

    assert cookies.browser(request) != cookies.browser(request)  # type: ignore[arg-type]
