"""Words of holds and tombstones: what places them, around what, and why footage was deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

KINDS = ("resguardo", "preventivo", "anticipado", "alarma", "caso", "requerimiento", "exportacion", "administrativo")

# A demonstration fills its quota in hours: what its alarms show stays at hand for a while. The clip goes from 10 s before to
# 5 s after; a minute more on each side shows where it came from and where it went.
DEMONSTRATION_HOLD = timedelta(hours=1)
HELD_BEFORE = timedelta(seconds=70)
HELD_AFTER = timedelta(seconds=65)

CAUSE_LABELS: dict[str, str] = {
    "vencimiento": "venció el plazo de conservación",
    "presion": "faltaba espacio en el disco",
    "manual": "por decisión de una persona",
    "externa": "lo borró otro programa",
    "vacio": "el archivo no tenía video",
}
# Files of one run follow each other within this: one deletion after another is one span on the screen.
SEAM = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class PurgedSpan:
    """A stretch of a camera that was deleted; `deleted_at` is when the last of it was."""

    from_at: datetime
    to_at: datetime
    bytes: int
    cause: str
    deleted_at: datetime

    @property
    def label(self) -> str:
        return CAUSE_LABELS.get(self.cause, self.cause)


def joined(spans: Iterable[PurgedSpan]) -> list[PurgedSpan]:
    """Spans in order of time, those that follow each other for the same cause as one."""
    found: list[PurgedSpan] = []
    for span in sorted(spans, key=lambda one: (one.from_at, one.to_at)):
        last = found[-1] if found else None
        if last is not None and last.cause == span.cause and span.from_at - last.to_at <= SEAM:
            found[-1] = replace(
                last, to_at=max(last.to_at, span.to_at), bytes=last.bytes + span.bytes,
                deleted_at=max(last.deleted_at, span.deleted_at),
            )  # fmt: skip
        else:
            found.append(span)
    return found
