"""Readings that met a listed plate: recorded with the intake, raised as alarms one small transaction each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from app.kernel import clock, jobs
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.alarms import service as alarms
from app.monitoring.alarms.types import Candidate, PlateMatch
from app.monitoring.cameras import service as cameras
from app.monitoring.plates import queries
from app.monitoring.plates.intake import Key
from app.monitoring.plates.models import PlateHit
from app.monitoring.plates.types import ALARM_AGE, Match, Read


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit as a list shows it; the plate of a possible one is only read in its verification."""

    seen_at: datetime
    plate: str | None
    list_name: str
    camera_name: str
    match: str
    state: str
    alarm_id: UUID | None


# The one who took the batch raises its hits at once; the net is for a process that died in between.
NET_DELAY = timedelta(seconds=5)


def record(
    listed: Sequence[tuple[Key, UUID]], reads: Mapping[Key, Read], *, is_final: bool, match: Match | None = None
) -> list[UUID]:
    """Keep the hits of entries in force. Returns those waiting to be raised; the open unit also leaves a job as their net.

    A final reading joins the hit its pass already has, so a provisional one never alarms twice.
    """
    in_force = queries.entries_in_force({entry_id for _, entry_id in listed}, clock.now()) if listed else {}
    rows = {
        row["key"]: row
        for key, entry_id in listed
        if entry_id in in_force
        for row in [_row(reads[key], entry_id, in_force[entry_id], is_final=is_final, match=match)]
    }
    if not rows:
        return []
    new = insert(PlateHit).values([rows[key] for key in sorted(rows)])
    recorded = session().execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "key"],
            set_={"is_final": PlateHit.is_final | new.excluded.is_final},
        ).returning(PlateHit.id, PlateHit.state)
    )
    pending = [hit_id for hit_id, state in recorded if state == "pending"]
    for hit_id in pending:
        jobs.after_commit("plates.raise_hit", dedupe=str(hit_id), run_at=clock.now() + NET_DELAY, hit_id=hit_id)
    return pending


def raise_hits(actor: Actor, hit_ids: Sequence[UUID]) -> None:
    """Raise each hit in a transaction of its own; to be called outside any unit, after the batch is committed."""
    for hit_id in hit_ids:
        with unit_of_work(actor):
            raise_hit(actor, hit_id=hit_id)


def raise_hit(actor: Actor, *, hit_id: UUID) -> UUID | None:
    """Turn a pending hit into an alarm, or into one more occurrence of an open one. Nothing happens the second time."""
    hit = queries.lock_pending_hit(hit_id)
    if hit is None:
        return None
    raised = alarms.raise_from_event(actor, _candidate(hit))
    hit.state = "counted" if raised.alarm_id is None else "raised"
    hit.alarm_id = raised.alarm_id
    return raised.alarm_id


def recent_hits(actor: Actor, *, limit: int = 10) -> list[HitView]:
    """The latest readings that met a list. Raises `Forbidden`."""
    actor.require(Permission.ALARM_READ)
    rows = queries.recent_hits(limit)
    names = cameras.names_by_id(actor, {hit.camera_id for hit, _ in rows})
    return [
        HitView(
            seen_at=hit.seen_at,
            plate=hit.plate if hit.match == "exact" else None,
            list_name=list_name,
            camera_name=names[hit.camera_id].name if hit.camera_id in names else "",
            match=hit.match,
            state=hit.state,
            alarm_id=hit.alarm_id,
        )
        for hit, list_name in rows
    ]


def _row(read: Read, entry_id: UUID, hotlist_id: UUID, *, is_final: bool, match: Match | None) -> dict[str, Any]:
    fresh = clock.now() - read.seen_at <= ALARM_AGE
    return {
        "id": new_id(),
        "key": f"{read.id}:{entry_id}",
        "seen_at": read.seen_at,
        "read_id": read.id,
        "is_final": is_final,
        "plate": read.plate,
        "camera_id": read.camera_id,
        "entry_id": entry_id,
        "hotlist_id": hotlist_id,
        "match": match or ("exact" if read.consensus == "strong" else "possible"),
        "state": "pending" if fresh else "counted",
        "reading": {
            "consensus": read.consensus,
            "confidence": read.confidence,
            "characters": [list(pair) for pair in read.char_conf],
            "raw": read.raw or read.plate,
            "format": read.format,
            "direction": read.direction,
            "crop_sha": read.crop_sha,
            "image_sha": read.image_sha,
        },
    }


def _candidate(hit: PlateHit) -> Candidate:
    entry = queries.entry_snapshot(hit.entry_id)
    return Candidate(
        key=f"plate:{hit.key}",
        rule="plate",
        camera_id=hit.camera_id,
        occurred_at=hit.seen_at,
        received_at=hit.seen_at,
        title_code=entry.kind,
        priority=entry.severity,
        crop_sha=hit.reading["crop_sha"],
        snapshot_sha=hit.reading["image_sha"],
        detail={"reading": hit.reading},
        plate=PlateMatch(
            plate=hit.plate,
            read_id=hit.read_id,
            entry_id=hit.entry_id,
            entry_plate=entry.plate,
            match="exact" if hit.match == "exact" else "possible",
            entry=entry.as_json(clock.now()),
        ),
    )
