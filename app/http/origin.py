"""One origin: a page asked under another name of this machine is sent to the configured one, where its cookies live."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

ANY_NAME = ("/api/", "/healthz", "/readyz", "/rt/", "/static/", "/auth/backchannel")


def init_app(app: Flask, base_url: str) -> None:
    """Redirect pages of `app` that were asked under another host. Programs may use any name that reaches us."""
    host = urlsplit(base_url).netloc

    @app.before_request
    def to_our_name() -> ResponseReturnValue | None:
        if request.host == host or request.path.startswith(ANY_NAME):
            return None
        return redirect(f"{base_url}{request.full_path.rstrip('?')}", 308)
