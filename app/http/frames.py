"""What each thing of a stream's queue is on the wire."""

from __future__ import annotations

from app.http.hub import ENDED, MOVED, RESYNC, Event, Hub, Stream, frame
from app.kernel import clock
from tenants.core import service as tenants

# What the Dirección is told of a municipality's events: enough to count, nothing about anybody.
_PROVINCIAL = ("priority", "state")
EXPIRED = frame("expired", {})


def beat(hub: Hub, stream: Stream) -> bytes:
    """The heartbeat: the server's time and the last number, so that a browser notices what it missed."""
    head = hub.head(stream.tenant_id) if stream.tenant_id else 0
    return frame("latido", {"at": clock.now().isoformat(), "head": head})


def missed(hub: Hub, stream: Stream, after: int) -> list[bytes]:
    """What was said after that number; from here on the stream repeats none of it."""
    found = hub.since(stream.tenant_id, after) if stream.tenant_id is not None else None
    if found is None:
        stream.sent = 0
        return [_resync(hub, stream)]
    stream.sent = found[-1].seq if found else after
    return [event.body for event in found if event.audience in stream.audiences]


def of(hub: Hub, stream: Stream, thing: object) -> tuple[bytes, bool]:
    """The bytes of one thing of the queue, and whether the stream ends with it."""
    if thing is ENDED:
        return frame("sesion-terminada", {}), True
    if thing is MOVED:
        return b"", True
    if thing is RESYNC:
        return _resync(hub, stream), False
    assert isinstance(thing, Event)
    if stream.tenant_id is None:
        return _provincial(thing), False
    if thing.seq <= stream.sent:
        return b"", False
    stream.sent = thing.seq
    return thing.body, False


def _resync(hub: Hub, stream: Stream) -> bytes:
    return frame("resync", {"head": hub.head(stream.tenant_id) if stream.tenant_id is not None else 0})


def _provincial(event: Event) -> bytes:
    payload = {name: event.payload[name] for name in _PROVINCIAL if name in event.payload}
    return frame(event.kind, {"kind": event.kind, "tenant": tenants.by_id(event.tenant_id).slug, "payload": payload})
