"""One renderer for every refusal: problem+json (RFC 9457) for programs, a page or a notice for people."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, json, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.http import metrics
from app.http.catalogue import HTTP_TITLES, guidance
from app.http.context import is_api, wants_json
from app.http.messages import by_field
from app.http.request_id import current_request_id
from app.kernel.errors import DomainError, ElevationRequired, Invalid, StaleVersion, Unauthenticated, Unavailable

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
DRAIN_BYTES = 64 * 2**20
DRAIN_SECONDS = 3.0


class Malformed(Invalid):
    """The message itself cannot be read."""

    code = "malformed"
    status = 400
    title = "El pedido no se puede leer"


def init_app(app: Flask) -> None:
    """Answer every error of `app` from here. The smorest `Api` routes HTTP exceptions to `answer_http` as well."""
    app.register_error_handler(DomainError, answer)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(RecursionError, lambda _: answer(Malformed("El JSON tiene demasiados niveles.")))
    for failure in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(failure, answer_database_away)
    app.register_error_handler(Exception, answer_surprise)


def answer(error: DomainError) -> ResponseReturnValue:
    """The answer to a refusal the product foresees."""
    status = 412 if isinstance(error, StaleVersion) and is_api(request.path) else error.status
    log.info("refused: %s", error.code, extra={"status": status, "path": request.path})
    if isinstance(error, Unauthenticated) and not wants_json():
        return _to_sign_in()
    response = _render(status, error.code, error.title, error.detail, _extras(error))
    if retry_after := error.extra.get("retry_after"):
        response.headers["Retry-After"] = str(retry_after)
    if status == 401:
        response.headers["WWW-Authenticate"] = _challenge(error)
    return response


def answer_http(error: HTTPException) -> ResponseReturnValue:
    """The answer to what Flask, Werkzeug or webargs refuse, in our words."""
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    if isinstance(error, RequestEntityTooLarge):
        _drain()
    data = getattr(error, "data", None) or {}
    messages = data.get("errors") or data.get("messages")
    code, title = HTTP_TITLES.get(status, ("error", "No se pudo completar el pedido"))
    extras = {"errors": by_field(messages)} if messages else {}
    response = _render(status, code, title, guidance(status), extras)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def answer_database_away(error: DBAPIError | PoolTimeout) -> ResponseReturnValue:
    """503: nothing was saved and nothing was lost; the person may repeat in a moment."""
    log.error("database away: %s", error)
    away = Unavailable(
        "La base de datos no responde. No se guardó nada: volver a intentar en unos segundos.", retry_after=5
    )
    return answer(away)


def answer_surprise(error: Exception) -> ResponseReturnValue:
    """500: logged whole, told without insides."""
    log.exception("unhandled error on %s", request.path, exc_info=error)
    code, title = HTTP_TITLES[500]
    return _render(500, code, title, guidance(500), {})


def problem(status: int, code: str, title: str, detail: str, extras: dict[str, Any]) -> Response:
    """An RFC 9457 answer."""
    body = {
        "type": f"/problemas/{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "instance": request.path,
        "code": code,
        "request_id": current_request_id(),
        **extras,
    }
    return Response(json.dumps(body), status=status, content_type=CONTENT_TYPE)


def _render(status: int, code: str, title: str, detail: str, extras: dict[str, Any]) -> Response:
    metrics.PROBLEMS.labels(code).inc()
    if wants_json():
        return problem(status, code, title, detail, extras)
    facts = {
        "status": status,
        "code": code,
        "title": title,
        "detail": detail,
        "request_id": current_request_id(),
        **extras,
    }
    if request.headers.get("HX-Request") == "true":
        response = make_response(render_template("errors/notice.html", **facts), status)
        response.headers["HX-Retarget"] = "#avisos"
        response.headers["HX-Reswap"] = "beforeend"
        return response
    return make_response(render_template("errors/page.html", **facts), status)


def _extras(error: DomainError) -> dict[str, Any]:
    if isinstance(error, Invalid):
        return {"errors": error.errors}
    return {key: value for key, value in error.extra.items() if key in {"step_up_url", "version", "yours"}}


def _challenge(error: DomainError) -> str:
    if isinstance(error, ElevationRequired):
        return 'Bearer error="insufficient_user_authentication", acr_values="2", max_age="600"'
    return "Bearer"


def _to_sign_in() -> ResponseReturnValue:
    """Pages lead to the choice of municipality and back; fragments make the whole page go there."""
    came_from = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = f"/?{urlencode({'volver': came_from})}" if came_from and came_from != "/" else "/"
    if request.headers.get("HX-Request") == "true":
        return Response("", 401, {"HX-Redirect": "/"})
    return redirect(target, 303)


def _drain() -> None:
    """Read what the caller is still sending, within limits, so that it reads our answer instead of a broken pipe."""
    stream = request.environ.get("wsgi.input")
    ends_at, left = time.monotonic() + DRAIN_SECONDS, DRAIN_BYTES
    while stream is not None and left > 0 and time.monotonic() < ends_at:
        try:
            chunk = stream.read(min(65536, left))
        except (OSError, ValueError):
            return
        if not chunk:
            return
        left -= len(chunk)
