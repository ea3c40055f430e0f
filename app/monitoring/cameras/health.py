"""What the node says of its cameras: the present state, one row per change, and what consoles are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

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
    """Keep what a node says of its cameras; the newest report of each wins. Reports of other cameras are ignored.

    A change of state is one history row and one notice to the consoles, however often it is reported.
    """
    newest = {report.camera_id: report for report in sorted(reports, key=lambda one: one.since)}
    wanted = [report for report in newest.values() if report.camera_id in allowed and report.state in STATES]
    rows = queries.state_rows([report.camera_id for report in wanted])
    changed = [report for report in wanted if _apply(rows.get(report.camera_id), report)]
    names = queries.names([report.camera_id for report in changed])
    for report in changed:
        _announce(report, names[report.camera_id])


def record_frame(actor: Actor, *, camera_id: UUID, sha256: str, taken_at: datetime) -> None:
    """Keep the newest snapshot of a camera; an older one than the present is ignored."""
    row = queries.state_rows([camera_id]).get(camera_id)
    if row is None:
        row = CameraStateRow(camera_id=camera_id, state="unknown", since=taken_at)
        session().add(row)
    if row.last_frame_at is None or row.last_frame_at < taken_at:
        row.last_frame_sha, row.last_frame_at = sha256, taken_at


def _apply(row: CameraStateRow | None, report: StateReport) -> bool:
    """Write `report` over `row`; whether the state itself changed. Nothing is written when nothing did."""
    since = min(report.since, clock.now())  # a node whose clock runs ahead must not date the future
    if row is None:
        row = CameraStateRow(camera_id=report.camera_id, state="unknown", since=since)
        session().add(row)
    elif row.since > since and row.state != report.state:
        return False
    changed = row.state != report.state
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
    return changed


def _announce(report: StateReport, name: CameraName) -> None:
    session().add(
        CameraStateChange(
            camera_id=report.camera_id, state=report.state, since=min(report.since, clock.now()),
            error_code=report.error_code,
        )
    )  # fmt: skip
    stream.append(
        "camera.state",
        str(report.camera_id),
        {
            "id": str(report.camera_id), "camera": str(report.camera_id), "camera_name": name.name,
            "state": report.state, "at": report.since.isoformat(),
        },
    )  # fmt: skip
    publish(CameraStateChanged(report.camera_id, report.state, report.error_code))
