"""An alarm as screens and programs see it: with its words, its camera, and without the list entry while it must stay hidden."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kernel.actor import Actor
from app.monitoring.alarms import handling
from app.monitoring.alarms.models import Alarm
from app.monitoring.alarms.raising import supervisor_due
from app.monitoring.alarms.types import OPEN_STATES, PRIORITY_LABELS, PROCEDURES, STATE_LABELS, TITLES
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import CameraName

# Below this a character of a plate deserves a second look.
DOUBTFUL_CHARACTER = 0.9


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the procedure, and who did it."""

    code: str
    text: str
    hint: str
    done_by: str | None


@dataclass(frozen=True, slots=True)
class AlarmView:
    """Everything a card shows. `entry` is None while the operator has not typed the plate of a possible match."""

    id: UUID
    version: int
    rule: str
    title_code: str
    title: str
    priority: int
    priority_label: str
    state: str
    state_label: str
    active: bool
    camera_id: UUID
    camera: CameraName | None
    count: int
    detected_at: datetime
    last_at: datetime
    raised_at: datetime
    in_flood: bool
    supervisor_at: datetime | None
    escalated_at: datetime | None
    plate: str | None
    match: str | None
    characters: list[tuple[str, float]]
    is_entry_shown: bool
    entry: dict[str, Any] | None
    entry_revoked_at: datetime | None
    typed_plate: str | None
    reading_outcome: str | None
    source_outcome: str | None
    discard_code: str | None
    close_outcome: str | None
    note: str
    taken_by: str | None
    taken_by_name: str | None
    taken_at: datetime | None
    verified_by_name: str | None
    verified_at: datetime | None
    closed_by_name: str | None
    closed_at: datetime | None
    crop_sha: str | None
    snapshot_sha: str | None
    clip_id: UUID | None
    allowed: frozenset[str]
    is_confirmed: bool
    steps: list[StepView]
    detail: dict[str, Any]
    is_demo: bool

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_plate(self) -> bool:
        return self.rule == "plate"


def of(actor: Actor, alarms: Iterable[Alarm]) -> list[AlarmView]:
    """Views in the same order, with one question for all their cameras."""
    rows = list(alarms)
    names = cameras.names_by_id(actor, {alarm.camera_id for alarm in rows})
    return [_view(alarm, names.get(alarm.camera_id)) for alarm in rows]


# What the view takes from the row as it is.
_SAME = (
    "id", "version", "rule", "title_code", "priority", "state", "active", "camera_id", "count", "detected_at", "last_at",
    "raised_at", "in_flood", "escalated_at", "plate", "match", "entry_revoked_at", "typed_plate", "reading_outcome",
    "source_outcome", "discard_code", "close_outcome", "note", "taken_by", "taken_by_name", "taken_at", "verified_by_name",
    "verified_at", "closed_by_name", "closed_at", "crop_sha", "snapshot_sha", "clip_id", "is_demo",
)  # fmt: skip


def _view(alarm: Alarm, camera: CameraName | None) -> AlarmView:
    shown = handling.is_entry_shown(alarm)
    characters = _characters(alarm)
    return AlarmView(
        **{name: getattr(alarm, name) for name in _SAME},
        title=TITLES[alarm.title_code].text if shown else "Posible coincidencia de patente",
        priority_label=PRIORITY_LABELS[alarm.priority],
        state_label=STATE_LABELS[alarm.state],
        camera=camera,
        supervisor_at=supervisor_due(alarm),
        characters=characters,
        is_entry_shown=shown,
        entry=alarm.detail.get("entry") if shown else None,
        allowed=handling.ALLOWED[alarm.state],
        is_confirmed=handling.is_confirmed(alarm),
        steps=_steps(alarm, characters),
        detail={name: value for name, value in alarm.detail.items() if name not in ("entry", "reading")},
    )


def _characters(alarm: Alarm) -> list[tuple[str, float]]:
    """Each character of the reading with its confidence; one score for all when that is what the reader gave."""
    reading = alarm.detail.get("reading") or {}
    pairs = [(str(char), float(p)) for char, p in reading.get("characters") or ()]
    return pairs or [(char, float(reading.get("confidence", 0.0))) for char in alarm.plate or ""]


def _steps(alarm: Alarm, characters: list[tuple[str, float]]) -> list[StepView]:
    done = {tick["step"]: tick["by"] for tick in alarm.steps_done}
    return [
        StepView(code, text, _doubt(characters) if code == "compare" else "", done.get(code))
        for code, text in PROCEDURES[TITLES[alarm.title_code].procedure]
    ]


def _doubt(characters: list[tuple[str, float]]) -> str:
    char, p = min(characters, key=lambda pair: pair[1], default=("", 1.0))
    return f"La {char} tiene confianza {p * 100:.0f} %: revisarla." if p < DOUBTFUL_CHARACTER else ""
