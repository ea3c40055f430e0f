"""What the node says of its cameras: the present state, one row per change, and what consoles are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert

from app.kernel import clock, stream
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.events import publish
from app.monitoring.cameras import queries
from app.monitoring.cameras.events import CameraStateChanged
from app.monitoring.cameras.models import CameraStateChange, CameraStateRow
from app.monitoring.cameras.types import STATES, CameraName, StateReport

MEASURED = ("codec", "width", "height")


def report_states(actor: Actor, *, reports: Sequence[StateReport], allowed: set[UUID]) -> None:
    """Keep what a node says of its cameras, in the order in which it happened. Reports of other cameras are ignored.

    A change is one history row however often it is reported, and one notice to the consoles; one that arrives after a newer
    one only completes the history.
    """
    wanted = [report for report in reports if report.camera_id in allowed and report.state in STATES]
    rows = queries.state_rows([report.camera_id for report in wanted])
    names = queries.names([report.camera_id for report in wanted])
    for report in sorted(wanted, key=lambda one: one.since):
        outcome = _apply(rows, report)
        if outcome != "same":
            _remember(report)
        if outcome == "changed":
            _announce(report, names[report.camera_id])


def record_frame(actor: Actor, *, camera_id: UUID, sha256: str, taken_at: datetime) -> None:
    """Keep the newest snapshot of a camera; an older one than the present is ignored."""
    row = queries.state_rows([camera_id]).get(camera_id)
    if row is None:
        row = CameraStateRow(camera_id=camera_id, state="unknown", since=taken_at)
        session().add(row)
    if row.last_frame_at is None or row.last_frame_at < taken_at:
        row.last_frame_sha, row.last_frame_at = sha256, taken_at


def _apply(rows: dict[UUID, CameraStateRow], report: StateReport) -> Literal["same", "late", "changed"]:
    """Write `report` over the stored state, unless a newer change is there. Nothing is written when nothing changed."""
    since = min(report.since, clock.now())  # a node whose clock runs ahead must not date the future
    row = rows.get(report.camera_id)
    if row is None:
        row = rows[report.camera_id] = CameraStateRow(camera_id=report.camera_id, state="unknown", since=since)
        session().add(row)
    changed = row.state != report.state
    if changed and row.since > since:
        return "late"
    if changed:
        row.state, row.since = report.state, since
    row.error_code = report.error_code
    if report.recording is not None:
        row.recording = report.recording
    for name in MEASURED:
        if (value := getattr(report, name)) is not None:
            setattr(row, name, value)
    if report.fps is not None and (row.fps is None or abs(row.fps - report.fps) > 1):
        row.fps = round(report.fps, 1)
    return "changed" if changed else "same"


def _remember(report: StateReport) -> None:
    identity = uuid5(report.camera_id, f"{report.state}:{report.since.isoformat()}")
    row = {"id": identity, "camera_id": report.camera_id, "state": report.state, "error_code": report.error_code}
    moment = min(report.since, clock.now())
    session().execute(insert(CameraStateChange).values([row | {"since": moment}]).on_conflict_do_nothing())


def _announce(report: StateReport, name: CameraName) -> None:
    stream.append(
        "camera.state",
        str(report.camera_id),
        {
            "id": str(report.camera_id), "camera": str(report.camera_id), "camera_name": name.name,
            "state": report.state, "at": report.since.isoformat(),
        },
    )  # fmt: skip
    publish(CameraStateChanged(report.camera_id, report.state, report.error_code))
