"""The event stream: `/rt/flujo` for browsers (session), `/rt/eventos` for programs (bearer), `/rt/novedades` without a stream."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Flask, Response, current_app, request
from flask_smorest import Blueprint
from prometheus_client import Gauge

from app.http import metrics
from app.http.context import current_actor
from app.http.guards import requires
from app.http.hub import ENDED, MOVED, RESYNC, Event, Hub, Stream, frame
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.errors import Unavailable
from app.kernel.permissions import Permission
from tenants.core import service as tenants

bp = Blueprint("rt", __name__, url_prefix="/rt", description="Avisos en tiempo real")

STREAMS = Gauge("pipc_rt_streams", "Open event streams", registry=metrics.REGISTRY)
HEARTBEAT_S = 10.0
# In the web process streams share its threads with pages; in their own process they have it whole.
LIMIT_IN_WEB = 32
LIMIT_ALONE = 5000
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EVENT_STREAM = "text/event-stream"
# What the Dirección is told of a municipality's events: enough to count, nothing about anybody.
_PROVINCIAL = ("priority", "state")


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
    if "gevent" in sys.modules and sys.modules["gevent.monkey"].is_module_patched("socket"):
        import psycopg.waiting  # noqa: PLC0415 - only to look at what it chose

        if getattr(psycopg.waiting.wait, "__name__", "") != "wait_poll":
            raise RuntimeError("psycopg se importó antes que gevent.monkey: los avisos se detendrían en cada consulta")
    app.extensions["pipc_hub"] = hub
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
@requires(Permission.STREAM_LISTEN, unit=False, limit="stream")
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
    body = _frames(hub, stream, int(last) if last.isdigit() and len(last) < 19 else after, expires_at)
    response = Response(body, mimetype=_EVENT_STREAM, headers=_HEADERS)
    response.call_on_close(hub.release)
    return response


def _frames(hub: Hub, stream: Stream, after: int, expires_at: float | None) -> Iterator[bytes]:
    """What goes over the wire, until the browser leaves or may not listen any more.

    One generator and no other inside it: what each of thousands of waiting streams keeps is mostly the frames it waits in.
    """
    hub.join(stream)
    try:
        yield _beat(hub, stream)
        sent, missed = _missed(hub, stream, after)
        yield from missed
        del missed
        beat_at = time.monotonic() + HEARTBEAT_S
        while True:
            left = _seconds_left(expires_at)
            thing = stream.take(min(left, beat_at - time.monotonic()))
            if left <= 0:
                yield frame("expired", {})
                return
            if thing is ENDED:
                yield frame("sesion-terminada", {})
                return
            if thing is MOVED:
                return
            if isinstance(thing, Event):
                if thing.seq > sent or stream.tenant_id is None:
                    sent = thing.seq
                    yield thing.body if stream.tenant_id is not None else _provincial(thing)
            elif thing is RESYNC:
                yield _resync(hub, stream)
            elif time.monotonic() >= beat_at:
                beat_at = time.monotonic() + HEARTBEAT_S
                yield _beat(hub, stream)
    finally:
        hub.leave(stream)


def _missed(hub: Hub, stream: Stream, after: int) -> tuple[int, list[bytes]]:
    """The number this stream has heard of once it gets these frames."""
    found = hub.since(stream.tenant_id, after) if stream.tenant_id is not None else None
    if found is None:
        return 0, [_resync(hub, stream)]
    last = found[-1].seq if found else after
    return last, [event.body for event in found if event.audience in stream.audiences]


def _resync(hub: Hub, stream: Stream) -> bytes:
    return frame("resync", {"head": hub.head(stream.tenant_id) if stream.tenant_id is not None else 0})


def _beat(hub: Hub, stream: Stream) -> bytes:
    head = hub.head(stream.tenant_id) if stream.tenant_id else 0
    return frame("latido", {"at": clock.now().isoformat(), "head": head})


def _provincial(event: Event) -> bytes:
    payload = {name: event.payload[name] for name in _PROVINCIAL if name in event.payload}
    return frame(event.kind, {"kind": event.kind, "tenant": tenants.by_id(event.tenant_id).slug, "payload": payload})


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
