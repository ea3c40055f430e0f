"""Reads of the alarm desk: queue, lists, groups, floods and counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select, text, tuple_

from app.kernel.db import session
from app.kernel.errors import Invalid
from app.kernel.pagination import Page, decode_cursor, encode_cursor
from app.monitoring.alarms.models import Alarm, AlarmFlood, AlarmOccurrence
from app.monitoring.alarms.types import GROUP_GAP, GROUP_SPAN, OPEN_STATES, AlarmFilter


def lock_group(group_key: str) -> None:
    """Wait for whoever is raising an alarm of the same group, until the open unit ends."""
    session().execute(
        text("select pg_advisory_xact_lock(hashtextextended(app.tenant() || ':' || cast(:key as text), 0))"),
        {"key": group_key},
    )


def alarm_of_event(event_key: str) -> UUID | None:
    """The alarm an event already belongs to."""
    return session().scalar(select(AlarmOccurrence.alarm_id).where(AlarmOccurrence.event_key == event_key))


def occurrence(event_key: str) -> AlarmOccurrence | None:
    return session().scalar(select(AlarmOccurrence).where(AlarmOccurrence.event_key == event_key).with_for_update())


def has_lasting(alarm_id: UUID) -> bool:
    """Whether some event of the alarm has not ended."""
    going_on = select(AlarmOccurrence.id).where(
        AlarmOccurrence.alarm_id == alarm_id, AlarmOccurrence.ended_at.is_(None)
    )
    return session().scalar(going_on.limit(1)) is not None


def open_group(group_key: str, at: datetime, *, lasting: bool = False) -> Alarm | None:
    """The open alarm that a repeat at `at` joins: less than two minutes after the last one, ten after the first.

    With `lasting`, also any that is still active, however long ago it began.
    """
    near = and_(
        Alarm.last_at >= at - GROUP_GAP, Alarm.first_at >= at - GROUP_SPAN, Alarm.first_at <= at + GROUP_GAP
    )
    joins = or_(near, Alarm.active) if lasting else near
    return session().scalar(
        select(Alarm)
        .where(Alarm.group_key == group_key, Alarm.state.in_(OPEN_STATES), joins)
        .order_by(Alarm.last_at.desc())
        .limit(1)
        .with_for_update()
    )


def find(alarm_id: UUID, *, lock: bool = False) -> Alarm | None:
    query = select(Alarm).where(Alarm.id == alarm_id)
    return session().scalar(query.with_for_update() if lock else query)


def occurrences(alarm_id: UUID, limit: int = 50) -> list[AlarmOccurrence]:
    """The latest events of an alarm."""
    query = select(AlarmOccurrence).where(AlarmOccurrence.alarm_id == alarm_id)
    return list(session().scalars(query.order_by(AlarmOccurrence.occurred_at.desc()).limit(limit)))


def queue(limit: int) -> list[Alarm]:
    """Open alarms as the room works them: nobody's first, then by priority, newest first."""
    handled = case((Alarm.state == "new", 0), else_=1)
    query = select(Alarm).where(Alarm.state.in_(OPEN_STATES))
    return list(session().scalars(query.order_by(handled, Alarm.priority, Alarm.last_at.desc()).limit(limit)))


def open_counts() -> dict[int, int]:
    """How many alarms nobody has taken, by priority."""
    rows = session().execute(select(Alarm.priority, func.count()).where(Alarm.state == "new").group_by(Alarm.priority))
    return dict(rows.all())


def page(wanted: AlarmFilter, cursor: str | None, limit: int) -> Page[Alarm]:
    """Alarms newest first."""
    query = _filtered(select(Alarm), wanted).order_by(Alarm.raised_at.desc(), Alarm.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(tuple_(Alarm.raised_at, Alarm.id) < _decoded(cursor))
    rows = list(session().scalars(query))
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], encode_cursor(last.raised_at.isoformat(), last.id) if last else None)


def _filtered(query: Select[Alarm], wanted: AlarmFilter) -> Select[Alarm]:
    if wanted.states:
        query = query.where(Alarm.state.in_(wanted.states))
    if wanted.priority is not None:
        query = query.where(Alarm.priority == wanted.priority)
    if wanted.camera_id is not None:
        query = query.where(Alarm.camera_id == wanted.camera_id)
    if wanted.rule:
        query = query.where(Alarm.rule == wanted.rule)
    if wanted.plate:
        query = query.where(Alarm.plate == wanted.plate)
    if wanted.raised_from is not None:
        query = query.where(Alarm.raised_at >= wanted.raised_from)
    if wanted.raised_until is not None:
        query = query.where(Alarm.raised_at <= wanted.raised_until)
    return query


def _decoded(cursor: str) -> tuple[datetime, UUID]:
    raised_at, alarm_id = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(raised_at), UUID(alarm_id)
    except ValueError:
        raise Invalid(errors={"cursor": ["El cursor no es válido: volver a pedir la primera página."]}) from None


def of_entries(entry_ids: Collection[UUID]) -> list[Alarm]:
    """Open alarms raised by these list entries."""
    query = select(Alarm).where(Alarm.hotlist_entry_id.in_(entry_ids), Alarm.state.in_(OPEN_STATES))
    return list(session().scalars(query.order_by(Alarm.id).with_for_update()))


def raised_since(at: datetime) -> int:
    """How many alarms were raised since `at`."""
    return session().scalar(select(func.count()).select_from(Alarm).where(Alarm.raised_at >= at)) or 0


def ended_since(at: datetime) -> tuple[int, int]:
    """Of the alarms raised since `at`, how many ended and how many of those were false."""
    false = (Alarm.state == "discarded") | (Alarm.close_outcome == "false")
    row = session().execute(
        select(func.count(), func.count().filter(false)).where(
            Alarm.raised_at >= at, Alarm.state.in_(("discarded", "closed"))
        )
    )
    ended, wrong = row.one()
    return ended, wrong


def open_flood(*, lock: bool = False) -> AlarmFlood | None:
    query = select(AlarmFlood).where(AlarmFlood.ended_at.is_(None))
    return session().scalar(query.with_for_update() if lock else query)
