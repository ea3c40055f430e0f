"""Weekly windows in local time during which a rule is armed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """Armed on `days` (0 Monday … 6 Sunday) from one minute of the day to another; past midnight when it ends before it starts."""

    days: frozenset[int]
    start: int
    end: int

    def holds(self, day: int, minute: int) -> bool:
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        yesterday = (day - 1) % 7
        return (day in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)


def parse_schedule(data: Iterable[Mapping[str, Any]] | None) -> tuple[Window, ...] | None:
    """Read the windows of a rule; None is always armed, an empty list never. Raises `ValueError`."""
    if data is None:
        return None
    windows = []
    for row in data:
        days = frozenset(int(day) for day in row["days"])
        if not days <= frozenset(range(7)):
            raise ValueError("days go from 0 to 6")
        windows.append(Window(days, _minute(row["from"]), _minute(row["to"])))
    return tuple(windows)


def is_armed(schedule: tuple[Window, ...] | None, wall_ns: int, zone: ZoneInfo) -> bool:
    """Whether the instant falls in a window of the local calendar."""
    if schedule is None:
        return True
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_ns // 1000)).astimezone(zone)
    minute = local.hour * 60 + local.minute
    return any(window.holds(local.weekday(), minute) for window in schedule)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    value = int(hours) * 60 + int(minutes or 0)
    if not (0 <= value <= MINUTES_A_DAY and len(minutes) == 2):
        raise ValueError(f"not a time of day: {text!r}")
    return value
