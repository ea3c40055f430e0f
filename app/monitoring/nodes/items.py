"""Reads the items of a batch one by one: what is malformed is refused with its cause, the rest goes on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.kernel import clock
from app.monitoring.cameras.types import STATES, StateReport
from app.monitoring.nodes.events import Gap, Purge, RecordedHour
from app.monitoring.plates.types import Read

_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONSENSUS = ("strong", "weak", "single")
FUTURE = timedelta(minutes=2)
OLDEST = timedelta(days=60)
MAX_DETAIL_KEYS = 40
PURGE_CAUSES = ("vencimiento", "presion", "manual", "externa", "vacio")


class Malformed(Exception):
    """An item that cannot be kept; the code and the words go back to the node."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(title)
        self.code = code
        self.title = title


@dataclass(frozen=True, slots=True)
class PlateItem:
    read: Read
    provisional: bool


@dataclass(frozen=True, slots=True)
class EventItem:
    key: str
    kind: str
    camera_id: UUID
    seen_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SnapshotItem:
    camera_id: UUID
    taken_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class OrderResultItem:
    order_id: UUID
    state: str
    result: dict[str, Any]


Item = PlateItem | EventItem | StateReport | SnapshotItem | Gap | RecordedHour | Purge | OrderResultItem


class _Row:
    """One item's fields, each asked by name and type."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row

    def raw(self, name: str) -> Any:
        return self._row.get(name)

    def has(self, name: str) -> bool:
        return self._row.get(name) is not None

    def uuid(self, name: str) -> UUID:
        try:
            return UUID(self._string(name))
        except ValueError:
            raise _wrong(name) from None

    def at(self, name: str) -> datetime:
        try:
            value = datetime.fromisoformat(self._string(name))
        except ValueError:
            raise _wrong(name) from None
        if value.tzinfo is None:
            raise _wrong(name)
        return value.astimezone(UTC)

    def past(self, name: str) -> datetime:
        """A moment that already happened, with two minutes of grace for the node's clock."""
        value, now = self.at(name), clock.now()
        if value > now + FUTURE:
            raise Malformed("future", f"{name}: está en el futuro: revisar el reloj del nodo.")
        if value < now - OLDEST:
            raise Malformed("too_old", f"{name}: tiene más de {OLDEST.days} días.")
        return value

    def text(self, name: str, longest: int) -> str:
        value = self._string(name)
        if not value or len(value) > longest:
            raise _wrong(name)
        return value

    def optional_text(self, name: str, longest: int) -> str:
        return self.text(name, longest) if self._row.get(name) else ""

    def sha(self, name: str) -> str:
        value = self._string(name)
        if not _SHA256.fullmatch(value):
            raise _wrong(name)
        return value

    def optional_sha(self, name: str) -> str | None:
        return self.sha(name) if self.has(name) else None

    def word(self, name: str, allowed: Mapping[str, Any] | tuple[str, ...] | None = None) -> str:
        value = self._string(name)
        if not _WORD.fullmatch(value) or (allowed is not None and value not in allowed):
            raise _wrong(name)
        return value

    def number(self, name: str, low: float, high: float) -> float:
        value = self._row.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _wrong(name)
        if not low <= value <= high:
            raise _wrong(name)
        return float(value)

    def integer(self, name: str, high: int = 2**53) -> int:
        return int(self.number(name, 0, high))

    def optional_integer(self, name: str, high: int = 2**53) -> int | None:
        return self.integer(name, high) if self.has(name) else None

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._row.get(name) or {}
        if not isinstance(value, dict) or len(value) > MAX_DETAIL_KEYS:
            raise _wrong(name)
        return value

    def _string(self, name: str) -> str:
        value = self._row.get(name)
        if not isinstance(value, str):
            raise _wrong(name)
        return value


def _wrong(name: str) -> Malformed:
    return Malformed("malformed", f"{name}: falta o no tiene la forma esperada.")


def read_item(row: Mapping[str, Any]) -> Item:
    """The item in its own shape. Raises `Malformed`."""
    reader = _READERS.get(str(row.get("type")))
    if reader is None:
        raise Malformed("unknown_type", "La Provincia no conoce este tipo de dato: actualizar.")
    return reader(_Row(row))


def _plate(row: _Row, *, provisional: bool) -> PlateItem:
    read = Read(
        id=row.uuid("pass_id"), camera_id=row.uuid("camera_id"), seen_at=row.past("seen_at"),
        plate=row.text("plate", 200), raw=row.optional_text("raw", 200), format=row.optional_text("format", 40),
        confidence=row.number("confidence", 0, 1), consensus=row.word("consensus", _CONSENSUS), source="node",  # type: ignore[arg-type]  # checked against the same words
        char_conf=_char_conf(row.raw("char_conf")), crop_sha=row.optional_sha("crop_sha"),
        image_sha=row.optional_sha("image_sha"), direction=row.optional_text("direction", 20) or None,
    )  # fmt: skip
    return PlateItem(read, provisional)


def _char_conf(value: Any) -> list[tuple[str, float]]:
    if value is None:
        return []
    try:
        pairs = [(str(char)[:1], float(confidence)) for char, confidence in value][:64]
    except (TypeError, ValueError):
        raise _wrong("char_conf") from None
    if not all(math.isfinite(confidence) and 0 <= confidence <= 1 for _, confidence in pairs):
        raise _wrong("char_conf")
    return pairs


def _event(row: _Row) -> EventItem:
    kind = row.word("kind")
    payload = {
        "rule_id": row.optional_text("rule_id", 40) or None, "track": row.optional_text("track", 40) or None,
        "severity": row.number("severity", 0, 10) if row.has("severity") else None, "detail": row.mapping("detail"),
        "ended_at": row.at("ended_at").isoformat() if row.has("ended_at") else None,
        "crop_sha": row.optional_sha("crop_sha"), "image_sha": row.optional_sha("image_sha"),
        "completed_wall_ns": row.optional_integer("completed_wall_ns", 2**63),
    }  # fmt: skip
    return EventItem(row.text("key", 300), kind, row.uuid("camera_id"), row.past("seen_at"), payload)


def _camera_state(row: _Row) -> StateReport:
    return StateReport(
        camera_id=row.uuid("camera_id"), state=row.word("state", STATES), since=row.at("since"),
        error_code=row.word("error_code") if row.has("error_code") else None,
    )  # fmt: skip


def _gap(row: _Row) -> Gap:
    return Gap(
        gap_id=row.uuid("gap_id"), camera_id=row.uuid("camera_id"), from_at=row.at("from_at"),
        to_at=row.at("to_at") if row.has("to_at") else None, cause=row.word("cause"), code=row.word("code"),
    )  # fmt: skip


def _purge(row: _Row) -> Purge:
    from_at, to_at = row.at("from_at"), row.at("to_at")
    if from_at >= to_at:
        raise _wrong("to_at")
    return Purge(
        purge_id=row.uuid("purge_id"), camera_id=row.uuid("camera_id"), from_at=from_at, to_at=to_at,
        segments=row.integer("segments", 1_000_000), bytes=row.integer("bytes"),
        cause=row.word("cause", PURGE_CAUSES), ordered_at=row.at("ordered_at"), deleted_at=row.at("deleted_at"),
    )  # fmt: skip


def _hour(row: _Row) -> RecordedHour:
    return RecordedHour(
        camera_id=row.uuid("camera_id"), hour_at=row.at("hour").replace(minute=0, second=0, microsecond=0),
        part=row.integer("part", 1000) if row.has("part") else 0, segments=row.integer("segments", 1_000_000),
        bytes=row.integer("bytes"), recorded_ms=row.integer("recorded_ms", 3_700_000), chain_sha=row.sha("chain_sha"),
    )  # fmt: skip


def _order_result(row: _Row) -> OrderResultItem:
    state = row.word("state", ("done", "failed"))
    result: dict[str, Any] = {"error": row.optional_text("error", 200) or None, "report": row.mapping("report")}
    if state == "done" and not result["report"]:
        result |= {
            "sha256": row.sha("sha256"), "bytes": row.integer("bytes"),
            "duration_ms": row.integer("duration_ms", 3_700_000), "codec": row.optional_text("codec", 40),
            "from_at": row.at("from_at").isoformat(), "to_at": row.at("to_at").isoformat(),
        }  # fmt: skip
    return OrderResultItem(row.uuid("order_id"), state, result)


def _snapshot(row: _Row) -> SnapshotItem:
    return SnapshotItem(row.uuid("camera_id"), row.past("taken_at"), row.sha("sha256"))


_READERS: dict[str, Callable[[_Row], Item]] = {
    "plate_read": lambda row: _plate(row, provisional=False),
    "plate_provisional": lambda row: _plate(row, provisional=True),
    "event": _event,
    "camera_state": _camera_state,
    "gap": _gap,
    "hours": _hour,
    "purge": _purge,
    "order_result": _order_result,
    "snapshot": _snapshot,
}
