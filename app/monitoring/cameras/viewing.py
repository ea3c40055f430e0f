"""Watching a camera live: permission per camera, a ticket, and one row per view with its duration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.audit import service as audit
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import Forbidden, Invalid
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.kernel.ports import LiveOffer, live_view
from app.monitoring.cameras import queries
from app.monitoring.cameras.errors import CameraNotFound, NotWatchable, ReasonRequired, ViewNotFound
from app.monitoring.cameras.models import Camera, CameraViewing
from tenants.core import service as municipalities

STREAMS = ("main", "sub")
ABANDONED_AFTER = timedelta(minutes=5)
MAX_TRACKS = 16


@dataclass(frozen=True, slots=True)
class Stream:
    """An authorised live response: its bytes, and the views it shows."""

    frames: Iterator[bytes]
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
        reason=reason, started_at=at, renewed_at=at,
    )  # fmt: skip
    session().add(view)
    audit.record("room:camera:view", str(camera.id), codigo=camera.code, vista=str(view.id), motivo=reason)
    return view


def _renewed(actor: Actor, camera: Camera, view_id: UUID) -> CameraViewing:
    view = queries.viewing(view_id)
    if view is None or view.user_id != actor.user_id or view.camera_id != camera.id or view.ended_at is not None:
        raise ViewNotFound("Abrir la cámara otra vez.")
    view.renewed_at = clock.now()
    return view


def start_stream(actor: Actor, *, tickets: Sequence[str]) -> Stream:
    """The multiplexed response of those tickets, each checked again. Raises `Forbidden`, `Invalid` or `Unavailable`."""
    tenant, view_ids = _authorised(actor, tickets)
    return Stream(live_view().open_stream(tenant, tickets), tuple(view_ids))


def add_to_stream(actor: Actor, *, sid: str, tickets: Sequence[str]) -> tuple[UUID, ...]:
    """Put more cameras in an open response, or renew those it shows."""
    tenant, view_ids = _authorised(actor, tickets)
    live_view().add(tenant, sid, tickets)
    return tuple(view_ids)


def remove_from_stream(actor: Actor, *, sid: str, view_ids: Sequence[UUID]) -> None:
    """Take views out of an open response and close them. Raises `ViewNotFound` for those of somebody else."""
    actor.require(Permission.CAMERA_VIEW)
    views = queries.open_views(ids=view_ids)
    if {view.id for view in views} != set(view_ids) or any(view.user_id != actor.user_id for view in views):
        raise ViewNotFound("Abrir la cámara otra vez.")
    live_view().remove(municipalities.own().uuid, sid, view_ids)
    for view in views:
        _end(view, clock.now())


def _authorised(actor: Actor, tickets: Sequence[str]) -> tuple[UUID, list[UUID]]:
    actor.require(Permission.CAMERA_VIEW)
    if not 1 <= len(tickets) <= MAX_TRACKS:
        raise Invalid(errors={"tickets": [f"De 1 a {MAX_TRACKS} cámaras por pantalla."]})
    tenant = municipalities.own().uuid
    view_ids = live_view().views(tenant, tickets)
    mine = {view.id for view in queries.open_views(ids=view_ids) if view.user_id == actor.user_id}
    if not mine.issuperset(view_ids):
        raise Forbidden("El permiso de visualización es de otra persona o ya terminó.")
    return tenant, view_ids


def end_views(actor: Actor, *, view_ids: Sequence[UUID]) -> None:
    """Close those views of `actor`, with their duration in the record. Those already closed stay as they are."""
    for view in queries.open_views(ids=view_ids):
        if view.user_id == actor.user_id:
            _end(view, clock.now())


def revoke_views_of(actor: Actor, *, user_id: str) -> None:
    """Cut what that person is watching: sign-out, change of role, suspension."""
    views = queries.open_views(user_id=user_id)
    if not views:
        return
    live_view().revoke(municipalities.own().uuid, [view.id for view in views])
    for view in views:
        _end(view, clock.now())


def end_abandoned(actor: Actor) -> int:
    """Close the views nobody renewed (a browser that died, a stream cut with its process); returns how many."""
    views = queries.abandoned_views(clock.now() - ABANDONED_AFTER)
    for view in views:
        _end(view, view.renewed_at)
    return len(views)


def _end(view: CameraViewing, at: datetime) -> None:
    view.ended_at = at
    seconds = round((at - view.started_at).total_seconds())
    audit.record("room:camera:leave", str(view.camera_id), vista=str(view.id), segundos=seconds)


def last_frame(actor: Actor, *, camera_id: UUID) -> str | None:
    """The digest of the newest snapshot of a camera. Raises `CameraNotFound`."""
    actor.require(Permission.CAMERA_READ)
    if queries.camera_row(camera_id) is None:
        raise CameraNotFound("Puede haber sido cargada en otro municipio.")
    return queries.last_frame(camera_id)
