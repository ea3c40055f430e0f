"""Proof that a write was meant: the session's token, and the browser saying the request comes from our own pages."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import request

from app.http.context import SignedIn
from app.kernel.errors import Forbidden

HEADER = "X-CSRF-Token"
FIELD = "csrf_token"


class CrossSite(Forbidden):
    """The request does not come from a page of ours."""

    code = "cross-site"
    title = "El pedido no viene de una página de este sistema"


class StaleForm(Forbidden):
    """The token is missing or belongs to an older session."""

    code = "stale-form"
    title = "El formulario venció"


def check(session: SignedIn | None) -> None:
    """Refuse a write from another site, and one of a signed-in person without the token of that session."""
    _check_origin()
    if session is None:
        return
    sent = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if not hmac.compare_digest(sent.encode(), session.csrf.encode()):
        raise StaleForm("Volver a cargar la página y repetir la acción: lo escrito sigue en el formulario anterior.")


def _check_origin() -> None:
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None and fetch_site != "same-origin":
        raise CrossSite("Abrir el sistema en una pestaña nueva y repetir la acción.")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise CrossSite("Abrir el sistema en una pestaña nueva y repetir la acción.")
