"""The only way into the alarm desk: raising, handling, and what lists and cards show."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.pagination import Page
from app.kernel.permissions import Permission
from app.monitoring.alarms import queries, views
from app.monitoring.alarms.errors import AlarmNotFound
from app.monitoring.alarms.handling import (
    Verification,
    acknowledge,
    attach_clip,
    close,
    discard,
    discard_codes,
    tick_step,
    type_plate,
    verify,
)
from app.monitoring.alarms.raising import end_event, escalate, mark_entries_revoked, raise_from_event, watch_flood
from app.monitoring.alarms.types import AlarmFilter, AlarmPictures, PeriodCounts
from app.monitoring.alarms.views import AlarmView

__all__ = [
    "AlarmView",
    "Verification",
    "acknowledge",
    "attach_clip",
    "close",
    "count_period",
    "discard",
    "discard_codes",
    "end_event",
    "escalate",
    "get_alarm",
    "list_alarms",
    "mark_entries_revoked",
    "open_counts",
    "pictures",
    "queue",
    "raise_from_event",
    "tick_step",
    "type_plate",
    "verify",
    "watch_flood",
]

QUEUE_LIMIT = 60


def get_alarm(actor: Actor, *, alarm_id: UUID) -> AlarmView:
    """One alarm. Raises `AlarmNotFound`."""
    actor.require(Permission.ALARM_READ)
    alarm = queries.find(alarm_id)
    if alarm is None:
        raise AlarmNotFound
    return views.of(actor, [alarm])[0]


def list_alarms(actor: Actor, *, wanted: AlarmFilter, cursor: str | None, limit: int) -> Page[AlarmView]:
    """Alarms of any state, newest first."""
    actor.require(Permission.ALARM_READ)
    page = queries.page(wanted, cursor, limit)
    return Page(views.of(actor, page.items), page.cursor)


def queue(actor: Actor) -> list[AlarmView]:
    """The open alarms as the room works them."""
    actor.require(Permission.ALARM_READ)
    return views.of(actor, queries.queue(QUEUE_LIMIT))


def open_counts(actor: Actor) -> dict[int, int]:
    """How many alarms wait to be taken, by priority."""
    actor.require(Permission.ALARM_READ)
    return queries.open_counts()


def count_period(actor: Actor, *, hours: int) -> PeriodCounts:
    """What the room did in the last `hours`."""
    actor.require(Permission.ALARM_READ)
    since = clock.now() - timedelta(hours=hours)
    alarms = queries.raised_since(since)
    ended, false = queries.ended_since(since)
    return PeriodCounts(
        alarms=alarms,
        per_hour=alarms / hours,
        false_share=false / ended if ended else None,
        in_flood=queries.open_flood() is not None,
    )


def pictures(actor: Actor, *, alarm_id: UUID) -> AlarmPictures:
    """The images and the clip of an alarm, for whoever serves them. Raises `AlarmNotFound`."""
    actor.require(Permission.ALARM_READ)
    alarm = queries.find(alarm_id)
    if alarm is None:
        raise AlarmNotFound
    return AlarmPictures(alarm.camera_id, alarm.crop_sha, alarm.snapshot_sha, alarm.clip_id)
