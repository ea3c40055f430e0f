"""The two cookies of a browser: its session, and the mark that ties a sign-in to the browser that began it."""

from __future__ import annotations

import secrets

from flask import Request, Response

from app.identity.deadlines import PRELOGIN, SHIFT


class Cookies:
    """Names by mode: `__Host-` needs TLS; on loopback without it other names are used."""

    def __init__(self, base_url: str) -> None:
        self._secure = base_url.startswith("https://")
        self._session = "__Host-pipc" if self._secure else "pipc_dev"
        self._browser = "__Host-pipc-ingreso" if self._secure else "pipc_dev_ingreso"

    def session(self, request: Request) -> str:
        """The token of the session; empty when there is none."""
        return request.cookies.get(self._session, "")

    def browser(self, request: Request) -> str:
        """The mark of this browser; a fresh one when it has none."""
        return request.cookies.get(self._browser, "") or secrets.token_urlsafe(32)

    def keep_session(self, response: Response, token: str) -> None:
        self._set(response, self._session, token, int(SHIFT.total_seconds()))

    def keep_browser(self, response: Response, mark: str) -> None:
        self._set(response, self._browser, mark, int(PRELOGIN.total_seconds()))

    def forget_session(self, response: Response) -> None:
        response.delete_cookie(self._session, path="/", secure=self._secure, httponly=True, samesite="Lax")

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="Lax")
