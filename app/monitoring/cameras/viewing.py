"""Watching a camera live: permission per camera, a ticket, and one row per view with its duration."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.audit import service as audit
from app.identity.events import EndedSession, SessionsEnded
from app.kernel import clock
from app.kernel.actor import Actor, system_actor
from app.kernel.db import session
from app.kernel.errors import Forbidden, Invalid
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.kernel.ports import LiveOffer, live_view
from app.kernel.unit_of_work import autonomous_unit
from app.monitoring.cameras import queries
from app.monitoring.cameras.errors import CameraNotFound, NotWatchable, ReasonRequired, ViewNotFound
from app.monitoring.cameras.models import Camera, CameraViewing
from tenants.core import service as municipalities

log = logging.getLogger(__name__)

SESSION_ENDED = "la sesión terminó"
STREAMS = ("main", "sub")
ABANDONED_AFTER = timedelta(minutes=5)
MAX_TRACKS = 16


@dataclass(frozen=True, slots=True)
class Grant:
    """What one response may show, checked; `frames_of` turns it into bytes once the transaction is over."""

    tenant: UUID
    tickets: tuple[str, ...]
    view_ids: tuple[UUID, ...]


def open_view(
    actor: Actor, *, camera_id: UUID, stream: str = "main", reason: str = "", view_id: UUID | None = None
) -> LiveOffer:
    """A ticket to watch a camera, or the renewal of `view_id`. Raises `CameraNotFound`, `NotWatchable`, `ReasonRequired` or
    `ViewNotFound`."""
    actor.require(Permission.CAMERA_VIEW)
    if stream not in STREAMS:
        raise Invalid(errors={"stream": ["El video es «main» o «sub»."]})
    camera = queries.camera_row(camera_id)
    if camera is None:
        raise CameraNotFound("Puede haber sido cargada en otro municipio.")
    if camera.source_kind == "none" or camera.node_id is None or camera.decommissioned_at is not None:
        raise NotWatchable("No tiene una fuente de video en un nodo de este municipio.")
    stream = stream if camera.sub_url else "main"
    view = _started(actor, camera, stream, reason) if view_id is None else _renewed(actor, camera, view_id)
    return live_view().offer(
        view_id=view.id, tenant=municipalities.own().uuid, node_id=camera.node_id, camera_id=camera.id,
        stream=view.stream,
    )  # fmt: skip


def _started(actor: Actor, camera: Camera, stream: str, reason: str) -> CameraViewing:
    reason = " ".join(reason.split())
    if camera.visibility == "protected" and not 10 <= len(reason) <= 500:
        raise ReasonRequired("Escribir por qué hace falta ver esta cámara protegida, entre 10 y 500 caracteres.")
    end_abandoned(actor)
    at = clock.now()
    view = CameraViewing(
        id=new_id(), camera_id=camera.id, user_id=actor.user_id, display_name=actor.display_name, stream=stream,
        reason=reason, session_key=actor.session_id, started_at=at, renewed_at=at,
    )  # fmt: skip
    session().add(view)
    audit.record("room:camera:view", str(camera.id), codigo=camera.code, vista=str(view.id), motivo=reason)
    return view


def _renewed(actor: Actor, camera: Camera, view_id: UUID) -> CameraViewing:
    view = queries.viewing(view_id)
    if view is None or view.user_id != actor.user_id or view.camera_id != camera.id or view.ended_at is not None:
        raise ViewNotFound("Abrir la cámara otra vez.")
    view.renewed_at, view.session_key = clock.now(), actor.session_id
    return view


def grant_stream(actor: Actor, *, tickets: Sequence[str]) -> Grant:
    """What these tickets allow `actor` to watch together, each checked again. Raises `Forbidden` or `Invalid`."""
    actor.require(Permission.CAMERA_VIEW)
    if not 1 <= len(tickets) <= MAX_TRACKS:
        raise Invalid(errors={"tickets": [f"De 1 a {MAX_TRACKS} cámaras por pantalla."]})
    tenant = municipalities.own().uuid
    view_ids = live_view().views(tenant, tickets)
    mine = {view.id for view in queries.open_views(ids=view_ids) if view.user_id == actor.user_id}
    if not mine.issuperset(view_ids):
        raise Forbidden("El permiso de visualización es de otra persona o ya terminó.")
    return Grant(tenant, tuple(tickets), tuple(view_ids))


def frames_of(grant: Grant) -> Iterator[bytes]:
    """The multiplexed frames. Called outside any transaction. Raises `Unavailable` when the recorder does not answer."""
    return live_view().open_stream(grant.tenant, grant.tickets)


def join_stream(grant: Grant, *, sid: str) -> None:
    """Put the granted cameras in the open response `sid`, or renew them there. Called outside any transaction."""
    live_view().add(grant.tenant, sid, grant.tickets)


def close_views(actor: Actor, *, view_ids: Sequence[UUID]) -> UUID:
    """End views of `actor` and answer its municipality, for `leave_stream`. Raises `ViewNotFound` for somebody else's."""
    actor.require(Permission.CAMERA_VIEW)
    views = queries.open_views(ids=view_ids)
    if {view.id for view in views} != set(view_ids) or any(view.user_id != actor.user_id for view in views):
        raise ViewNotFound("Abrir la cámara otra vez.")
    for view in views:
        _end(view, clock.now())
    return municipalities.own().uuid


def leave_stream(tenant: UUID, *, sid: str, view_ids: Sequence[UUID]) -> None:
    """Take closed views out of the open response `sid`. Called outside any transaction."""
    live_view().remove(tenant, sid, view_ids)


def end_views(actor: Actor, *, view_ids: Sequence[UUID]) -> None:
    """Close those views of `actor`, with their duration in the record. Those already closed stay as they are."""
    for view in queries.open_views(ids=view_ids):
        if view.user_id == actor.user_id:
            _end(view, clock.now())


def on_sessions_ended(event: SessionsEnded) -> None:
    """Cut what ended sessions were watching, now: a ticket would go on for up to two minutes.

    The sign-out stands whatever happens here: the web also looks by itself, and the ticket ends.
    """
    for ended in event.sessions:
        try:
            _cut(ended)
        except Exception:  # what is left ends by itself, and somebody is waiting to be signed out
            log.exception("live views of an ended session not cut", extra={"tenant": ended.tenant_id})


def _cut(ended: EndedSession) -> None:
    with autonomous_unit(system_actor("salida", tenant_id=ended.tenant_id)):
        views = queries.open_views(session_key=ended.key)
        for view in views:
            _end(view, clock.now(), motivo=SESSION_ENDED)
        tenant, cut = municipalities.own().uuid, [view.id for view in views]
    if cut:
        live_view().revoke(tenant, cut)


def end_abandoned(actor: Actor) -> int:
    """Close the views nobody renewed (a browser that died, a stream cut with its process); returns how many."""
    views = queries.abandoned_views(clock.now() - ABANDONED_AFTER)
    for view in views:
        _end(view, view.renewed_at)
    return len(views)


def _end(view: CameraViewing, at: datetime, **detail: str) -> None:
    view.ended_at = at
    seconds = round((at - view.started_at).total_seconds())
    audit.record("room:camera:leave", str(view.camera_id), vista=str(view.id), segundos=seconds, **detail)


def last_frame(actor: Actor, *, camera_id: UUID) -> str | None:
    """The digest of the newest snapshot of a camera. Raises `CameraNotFound`."""
    actor.require(Permission.CAMERA_READ)
    if queries.camera_row(camera_id) is None:
        raise CameraNotFound("Puede haber sido cargada en otro municipio.")
    return queries.last_frame(camera_id)
