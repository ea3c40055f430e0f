"""Live video of a console: tickets, one multiplexed response with all its cameras, and its changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.guards import requires
from app.identity import service as identity
from app.kernel.actor import Actor
from app.kernel.errors import Invalid, Unavailable
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service
from app.monitoring.cameras.schemas import offer_document

log = logging.getLogger(__name__)

bp = Blueprint("video", __name__)

# A console holds one thread of its own while it watches: the rest are for pages.
MAX_STREAMS = 32
# A client that stops reading must not keep its thread inside `sendall`.
SLOW_CLIENT_S = 5.0
# How often a live response asks whether the session it is for still is.
LOOK_EVERY_S = 3.0
_places = threading.BoundedSemaphore(MAX_STREAMS)


@bp.post("/sala/camaras/<uuid:camera_id>/ver")
@requires(Permission.CAMERA_VIEW)
def open_view(camera_id: UUID) -> ResponseReturnValue:
    """A ticket to watch this camera, or the renewal of `view_id`."""
    body = _body()
    offer = service.open_view(
        current_actor(), camera_id=camera_id, stream=str(body.get("stream") or "main"),
        reason=str(body.get("reason") or ""), view_id=_optional_id(body.get("view_id")),
    )  # fmt: skip
    return offer_document(offer), {"Cache-Control": "no-store"}


@bp.post("/video/vivo")
@requires(Permission.CAMERA_VIEW, unit=False)
def watch() -> ResponseReturnValue:
    """The frames of the tickets' cameras, in one response that lasts while the page watches."""
    actor, tickets = current_actor(), _texts("tickets")
    if not _places.acquire(blocking=False):
        raise Unavailable("Hay demasiadas pantallas con video en este momento.", retry_after=5)
    try:
        grant = _granted(actor, tickets)
        body = _Watching(actor, grant, service.frames_of(grant))
    except BaseException:
        _places.release()
        raise
    _hurry_slow_clients()
    return Response(body, content_type="application/octet-stream", headers={"Cache-Control": "no-store, no-transform"})


@bp.post("/video/vivo/<string(length=36):sid>/add")
@requires(Permission.CAMERA_VIEW, unit=False)
def add(sid: str) -> ResponseReturnValue:
    """Put more cameras in an open response, or renew those it shows."""
    service.join_stream(_granted(current_actor(), _texts("tickets")), sid=sid)
    return "", 204


@bp.post("/video/vivo/<string(length=36):sid>/remove")
@requires(Permission.CAMERA_VIEW, unit=False)
def remove(sid: str) -> ResponseReturnValue:
    """Take views out of an open response."""
    actor = current_actor()
    views = [view_id for text in _texts("views") if (view_id := _optional_id(text)) is not None]
    with unit_of_work(actor):
        tenant = service.close_views(actor, view_ids=views)
    service.leave_stream(tenant, sid=sid, view_ids=views)
    return "", 204


def _granted(actor: Actor, tickets: list[str]) -> service.Grant:
    with unit_of_work(actor):
        return service.grant_stream(actor, tickets=tickets)


class _Watching:
    """A live response: its end, however it comes, frees its place and closes the views it showed."""

    def __init__(self, actor: Actor, grant: service.Grant, frames: Iterator[bytes]) -> None:
        self._actor = actor
        self._grant = grant
        self._frames = frames
        self._closed = False
        self._look_at = 0.0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._goes_on():
            raise StopIteration
        return next(self._frames)

    def _goes_on(self) -> bool:
        """Look now and then: a session also ends by time or with its municipality, or loses its role, and nobody says so."""
        now = time.monotonic()
        if now < self._look_at:
            return True
        self._look_at = now + LOOK_EVERY_S
        try:
            return identity.still_may(self._actor, Permission.CAMERA_VIEW)
        except Exception:  # nobody is left without video because the database is away
            log.exception("session of a live stream not looked at")
            return True

    def close(self) -> None:
        """Called by the server when the response ends or the client goes away."""
        if self._closed:
            return
        self._closed = True
        _places.release()
        with suppress(AttributeError):
            self._frames.close()  # type: ignore[attr-defined]  # a plain iterator has nothing to close
        try:
            with unit_of_work(self._actor):
                service.end_views(self._actor, view_ids=self._grant.view_ids)
        except Exception:  # the views end by themselves when nobody renews them
            log.exception("views of a live stream not closed")


def _hurry_slow_clients() -> None:
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(SLOW_CLIENT_S)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    if not isinstance(body, dict):
        raise Invalid("Se espera un objeto JSON.")
    return body


def _texts(name: str) -> list[str]:
    values = _body().get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) and len(value) < 2000 for value in values):
        raise Invalid(errors={name: ["Se espera una lista de textos."]})
    return values


def _optional_id(value: object) -> UUID | None:
    if value is None or value == "":
        return None
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid(errors={"view_id": ["No es un identificador."]}) from None
