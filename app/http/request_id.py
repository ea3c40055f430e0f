"""An identifier per request: in the answer, in the logs and on error pages, so that a report can be found."""

from __future__ import annotations

import re

from flask import Flask, Response, g, request

from app.http import logs
from app.kernel.ids import public_token

HEADER = "X-Request-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9_.-]{8,64}")


def init_app(app: Flask, *, trust_incoming: bool) -> None:
    """Give each request of `app` an identifier; a proxy of ours may bring its own."""

    @app.before_request
    def assign() -> None:
        incoming = request.headers.get(HEADER, "")
        accepted = trust_incoming and _ACCEPTED.fullmatch(incoming)
        g.request_id = incoming if accepted else public_token(96)
        logs.request_id.set(g.request_id)

    @app.after_request
    def answer(response: Response) -> Response:
        response.headers[HEADER] = current_request_id()
        return response


def current_request_id() -> str:
    """The identifier of this request; empty before it is assigned."""
    identifier: str = g.get("request_id", "")
    return identifier
