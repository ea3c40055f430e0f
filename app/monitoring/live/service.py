"""Composes the operator's console from what cameras, alarms and plates tell."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from app.kernel import stream
from app.kernel.actor import Actor
from app.kernel.permissions import Permission
from app.monitoring.alarms import service as alarms
from app.monitoring.alarms.service import AlarmView
from app.monitoring.alarms.types import TARGET_PER_HOUR
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import CameraView
from app.monitoring.live import cards
from app.monitoring.live.types import Console, Spot, Tile
from app.monitoring.plates import service as plates
from app.ui import formatters, maps
from tenants.core import service as tenants

TILES = 4
SHIFT_HOURS = 8
_LIVE_FIRST = ("online", "dark", "frozen", "connecting")
# What the inventory or a silent node implies, as the five states a dot may have.
_DOTS = {"no_signal": "unknown", "no_link": "unknown", "decommissioned": "unknown"}


def console(actor: Actor, *, alarm_id: UUID | None = None) -> Console:
    """The whole console, on `alarm_id` or on the first alarm of the queue."""
    actor.require(Permission.CONSOLE_USE)
    seq = stream.head()
    queued = alarms.queue(actor)
    chosen = alarms.get_alarm(actor, alarm_id=alarm_id) if alarm_id else next(iter(queued), None)
    known = cameras.live_cameras(actor)
    ringing = {alarm.camera_id for alarm in queued if alarm.state == "new"} | ({chosen.camera_id} if chosen else set())
    return Console(
        queue=[cards.card(alarm) for alarm in queued],
        counts=sorted(alarms.open_counts(actor).items()),
        spot=_spot(actor, chosen) if chosen else None,
        watermark=_watermark(actor),
        tiles=_tiles(known),
        town=_town(actor, known, ringing),
        shift=shift(actor),
        flood=alarms.count_period(actor, hours=SHIFT_HOURS).in_flood,
        last_seq=seq,
    )


def queue(actor: Actor) -> Console:
    """The queue alone."""
    actor.require(Permission.CONSOLE_USE)
    return Console(
        queue=[cards.card(alarm) for alarm in alarms.queue(actor)],
        counts=sorted(alarms.open_counts(actor).items()),
        spot=None,
        watermark="",
    )


def card(actor: Actor, *, alarm_id: UUID) -> Console:
    """One alarm: the spot, its procedure and its place in the queue."""
    alarm = alarms.get_alarm(actor, alarm_id=alarm_id)
    return Console(
        queue=[],
        counts=[],
        spot=_spot(actor, alarm),
        watermark=_watermark(actor),
        queue_item=cards.card(alarm) if alarm.is_open else None,
    )


def shift(actor: Actor) -> str:
    """What the room did in the last hours, in one line."""
    counts = alarms.count_period(actor, hours=SHIFT_HOURS)
    parts = [
        f"En las últimas {SHIFT_HOURS} h: {counts.alarms} {'alarma' if counts.alarms == 1 else 'alarmas'}",
        f"{formatters.number(counts.per_hour, 1)} por hora (meta {TARGET_PER_HOUR})",
    ]
    if counts.false_share is not None:
        parts.append(f"{formatters.percent(counts.false_share)} falsas")
    return " · ".join(parts)


def _spot(actor: Actor, alarm: AlarmView) -> Spot:
    shown = alarm.is_plate and alarm.is_entry_shown and alarm.plate and actor.can(Permission.ALARM_VERIFY)
    earlier = plates.earlier_sightings(actor, plate=alarm.plate or "", before=alarm.detected_at) if shown else []
    return cards.spot(alarm, earlier)


def _watermark(actor: Actor) -> str:
    return f"{actor.display_name} · {actor.tenant_name or actor.tenant_slug}"


def _tiles(known: list[CameraView]) -> list[Tile]:
    """The cameras to watch by default: those with video first; a protected one only on request, with its reason."""
    rank = {state: n for n, state in enumerate(_LIVE_FIRST)}
    usable = [camera for camera in known if camera.visibility == "normal"]
    chosen = sorted(usable, key=lambda camera: (rank.get(camera.state.state, len(rank)), camera.code))[:TILES]
    return [
        Tile(
            camera_id=camera.id,
            name=camera.name,
            key=str(number),
            state=_dot(camera),
            still_url=f"/sala/camaras/{camera.id}/ultima.jpg" if camera.state.last_frame_sha else None,
            since=None if camera.state.state == "maintenance" else camera.state.since,
        )
        for number, camera in enumerate(chosen, start=1)
    ]


def _town(actor: Actor, known: list[CameraView], ringing: Collection[UUID]) -> maps.TownMap:
    own = tenants.own()
    placed = [
        maps.MapCamera(
            id=str(camera.id),
            name=camera.name,
            lat=camera.lat,
            lon=camera.lon,
            state=_dot(camera),
            state_name=camera.state.label.lower(),
            azimuth=camera.azimuth,
            is_alarm=camera.id in ringing,
        )
        for camera in known
        if camera.lat is not None and camera.lon is not None
    ]
    return maps.town(own.slug, placed, centre=(own.lat or 0.0, own.lon or 0.0))


def _dot(camera: CameraView) -> str:
    return _DOTS.get(camera.state.state, camera.state.state)
