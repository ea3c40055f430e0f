"""The one source of the present moment; tests move it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

_source: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731, TID251 - the only reader of the wall clock


def now() -> datetime:
    """The present in UTC, aware."""
    return _source()


def use(source: Callable[[], datetime] | None) -> None:
    """Replace the clock (tests); `None` restores the real one."""
    global _source
    _source = source or (lambda: datetime.now(UTC))  # noqa: TID251 - same single reader
