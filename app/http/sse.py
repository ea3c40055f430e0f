"""The event stream: `/rt/flujo` for browsers (session), `/rt/eventos` for programs (bearer), `/rt/novedades` without a stream."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Flask, Response, current_app, request
from flask_smorest import Blueprint
from prometheus_client import Gauge

from app.http import frames, metrics
from app.http.context import current_actor
from app.http.guards import requires
from app.http.hub import Event, Hub, Stream
from app.http.keeper import HEARTBEAT_S, Keeper, is_under_gevent, may_keep
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.errors import Unavailable
from app.kernel.permissions import Permission

bp = Blueprint("rt", __name__, url_prefix="/rt", description="Avisos en tiempo real")

STREAMS = Gauge("pipc_rt_streams", "Open event streams", registry=metrics.REGISTRY)
# In the web process streams share its threads with pages; in their own process they have it whole.
LIMIT_IN_WEB = 32
LIMIT_ALONE = 5000
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EVENT_STREAM = "text/event-stream"


class NewsArgs(ma.Schema):
    """After which event."""

    desde = ma.fields.Integer(
        load_default=0, validate=ma.validate.Range(0, 2**62), metadata={"description": "Último número visto"}
    )


class NewsSchema(ma.Schema):
    """Events after a number, or the order to read everything again."""

    head = ma.fields.Integer(required=True)
    resync = ma.fields.Boolean(required=True)
    items = ma.fields.List(ma.fields.Dict(), required=True)


def init_app(app: Flask, hub: Hub) -> None:
    """Give `app` its hub. Under gevent the driver of PostgreSQL must have been imported after the patch, or it blocks them all."""
    if is_under_gevent():
        import psycopg.waiting  # noqa: PLC0415 - only to look at what it chose

        if getattr(psycopg.waiting.wait, "__name__", "") != "wait_poll":
            raise RuntimeError("psycopg se importó antes que gevent.monkey: los avisos se detendrían en cada consulta")
    app.extensions["pipc_hub"] = hub
    app.extensions["pipc_keeper"] = Keeper(hub)
    STREAMS.set_function(lambda: hub.count)


def audiences(actor: Actor) -> frozenset[str]:
    """The audiences an actor belongs to."""
    held = {"all"}
    if actor.can(Permission.ALARM_READ):
        held.add("room")
    if actor.can(Permission.CAMERA_EDIT):
        held.add("admin")
    if actor.can(Permission.PROVINCE_BOARD_READ):
        held |= {"room", "admin"}
    return frozenset(held)


@bp.route("/flujo")
@requires(Permission.STREAM_LISTEN, unit=False, limit="console-stream")
@bp.arguments(NewsArgs, location="query")
@bp.response(200, content_type=_EVENT_STREAM)
@bp.doc(summary="Avisos del municipio para el navegador (cookie de sesión)")
def console_stream(args: dict[str, Any]) -> Response:
    return _answer(current_actor(), args["desde"], expires_at=None)


@bp.route("/eventos")
@requires(Permission.STREAM_LISTEN, unit=False, credential="bearer", limit="stream")
@bp.arguments(NewsArgs, location="query")
@bp.response(200, content_type=_EVENT_STREAM)
@bp.doc(summary="Los mismos avisos para programas (token Bearer); `expired` al vencer el token")
def program_stream(args: dict[str, Any]) -> Response:
    return _answer(current_actor(), args["desde"], expires_at=_expiry())


@bp.route("/novedades")
@requires(Permission.STREAM_LISTEN, unit=False)
@bp.arguments(NewsArgs, location="query")
@bp.response(200, NewsSchema)
@bp.doc(summary="Los avisos posteriores a un número, sin mantener la conexión")
def news(args: dict[str, Any]) -> dict[str, Any]:
    actor, hub = current_actor(), _hub()
    if not actor.tenant_id:
        return {"head": 0, "resync": True, "items": []}
    found = hub.since(actor.tenant_id, args["desde"])
    held = audiences(actor)
    items = [json.loads(_data(event)) for event in found or [] if event.audience in held]
    return {"head": hub.head(actor.tenant_id), "resync": found is None, "items": items}


def _data(event: Event) -> bytes:
    return event.body.split(b"\ndata: ", 1)[1]


def _answer(actor: Actor, after: int, *, expires_at: float | None) -> Response:
    hub = _hub()
    if not hub.reserve():
        raise Unavailable("Todos los lugares de tiempo real están ocupados; la pantalla se actualiza cada 5 segundos.")
    stream = Stream(
        tenant_id=actor.tenant_id or None,
        audiences=audiences(actor),
        session_key=bytes.fromhex(actor.session_id) if expires_at is None else b"",
        subject=actor.user_id,
    )
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isdigit() and len(last) < 19 else after
    if may_keep(request):
        keeper: Keeper = current_app.extensions["pipc_keeper"]
        return keeper.answer(stream, after, expires_at=expires_at, headers=_HEADERS)
    response = Response(_frames(hub, stream, after, expires_at), mimetype=_EVENT_STREAM, headers=_HEADERS)
    response.call_on_close(hub.release)
    return response


def _frames(hub: Hub, stream: Stream, after: int, expires_at: float | None) -> Iterator[bytes]:
    """What goes over the wire, until the browser leaves or may not listen any more."""
    hub.join(stream)
    try:
        yield frames.beat(hub, stream)
        yield from frames.missed(hub, stream, after)
        beat_at = time.monotonic() + HEARTBEAT_S
        while True:
            left = _seconds_left(expires_at)
            thing = stream.take(min(left, beat_at - time.monotonic()))
            if left <= 0:
                yield frames.EXPIRED
                return
            if thing is not None:
                data, is_last = frames.of(hub, stream, thing)
                if data:
                    yield data
                if is_last:
                    return
            elif time.monotonic() >= beat_at:
                beat_at = time.monotonic() + HEARTBEAT_S
                yield frames.beat(hub, stream)
    finally:
        hub.leave(stream)


def _seconds_left(expires_at: float | None) -> float:
    return HEARTBEAT_S if expires_at is None else expires_at - clock.now().timestamp()


def _expiry() -> float:
    """When the token of this request ends; the guard has verified it already."""
    payload = request.headers["Authorization"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return float(claims["exp"])


def _hub() -> Hub:
    hub: Hub = current_app.extensions["pipc_hub"]
    return hub
