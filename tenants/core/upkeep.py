"""Partitions ahead of time and behind it: the only change of structure that a job can reach, through two functions."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import text

from app.kernel import clock
from app.kernel.db import session

log = logging.getLogger(__name__)

# Consoles ask for at most seven days of events; one more covers the day that is being written.
KEEP_EVENTS = timedelta(days=8)


def ensure_partitions() -> int:
    """Make the partitions of the next periods. Returns how many were missing."""
    made = session().scalar(text("select app.ensure_partitions()"))
    return int(made or 0)


def drop_expired_events() -> int:
    """Drop the days of console events that nobody can ask for any more. Returns how many."""
    gone = session().scalar(text("select app.drop_expired_events(:before)"), {"before": clock.now() - KEEP_EVENTS})
    return int(gone or 0)
