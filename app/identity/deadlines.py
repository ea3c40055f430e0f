"""How long things last: sessions, sign-ins on their way, second factors, and roles while the identity server is away."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.kernel.permissions import Permission

SHIFT = timedelta(hours=12)
IDLE = timedelta(minutes=30)
PRELOGIN = timedelta(minutes=10)
ELEVATION = timedelta(minutes=10)
REFRESH_AHEAD = timedelta(seconds=60)
REFRESH_CLAIM = timedelta(seconds=15)
REFRESH_AGAIN = timedelta(seconds=30)
GRACE_WITHOUT_SERVER = timedelta(hours=4)
TOUCH_EVERY = timedelta(minutes=1)
CLOCK_SKEW = timedelta(seconds=30)
NOTICE_MEMORY = timedelta(minutes=10)
KEEP_DEAD = timedelta(days=1)


def idle_deadline(permissions: frozenset[Permission], now: datetime, absolute: datetime) -> datetime:
    """When an untouched session ends. A manned console is watched without being touched: only its shift ends it."""
    return absolute if Permission.CONSOLE_USE in permissions else min(now + IDLE, absolute)
