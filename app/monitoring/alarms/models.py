"""Tables of the alarm desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, TenantScoped

_OPEN = text("state in ('new', 'taken', 'verified')")


class Alarm(TenantScoped, Base):
    """One card of the queue: an event that passed its rule and the repeats that joined it, with how people handled it."""

    __tablename__ = "alarms"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "camera_id"], ["app.cameras.tenant_id", "app.cameras.id"]),
        CheckConstraint("priority between 1 and 4", name="priority"),
        CheckConstraint("state in ('new', 'taken', 'verified', 'discarded', 'closed')", name="state"),
        CheckConstraint("match in ('exact', 'possible')", name="match"),
        CheckConstraint("reading_outcome in ('confirmed', 'no_match', 'doubtful')", name="reading_outcome"),
        CheckConstraint("source_outcome in ('valid', 'void', 'false_positive', 'negative')", name="source_outcome"),
        CheckConstraint("close_outcome in ('real', 'false', 'unverified')", name="close_outcome"),
        CheckConstraint("(state = 'discarded') = (discard_code is not null)", name="discarded_with_code"),
        CheckConstraint("(state = 'closed') = (close_outcome is not null)", name="closed_with_outcome"),
        Index("ix_alarms_raised_at", "tenant_id", "raised_at", "id"),
        Index("ix_alarms_open", "tenant_id", "priority", "raised_at", postgresql_where=_OPEN),
        Index("ix_alarms_group", "tenant_id", "group_key", "last_at", postgresql_where=_OPEN),
        Index("ix_alarms_entry", "tenant_id", "hotlist_entry_id", postgresql_where=_OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(Text)
    rule_id: Mapped[str | None] = mapped_column(Text)
    title_code: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text)
    active: Mapped[bool]
    camera_id: Mapped[UUID]
    group_key: Mapped[str] = mapped_column(Text)
    count: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    detected_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    in_flood: Mapped[bool]
    plate: Mapped[str | None] = mapped_column(Text(collation="C"))
    plate_read_id: Mapped[UUID | None]
    hotlist_entry_id: Mapped[UUID | None]
    match: Mapped[str | None] = mapped_column(Text)
    typed_plate: Mapped[str | None] = mapped_column(Text)
    reading_outcome: Mapped[str | None] = mapped_column(Text)
    source_outcome: Mapped[str | None] = mapped_column(Text)
    entry_revoked_at: Mapped[datetime | None]
    discard_code: Mapped[str | None] = mapped_column(Text)
    close_outcome: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    taken_by: Mapped[str | None] = mapped_column(Text)
    taken_by_name: Mapped[str | None] = mapped_column(Text)
    taken_at: Mapped[datetime | None]
    verified_by: Mapped[str | None] = mapped_column(Text)
    verified_by_name: Mapped[str | None] = mapped_column(Text)
    verified_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(Text)
    closed_by_name: Mapped[str | None] = mapped_column(Text)
    closed_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    crop_sha: Mapped[str | None] = mapped_column(Text)
    snapshot_sha: Mapped[str | None] = mapped_column(Text)
    clip_id: Mapped[UUID | None]
    steps_done: Mapped[list[Any]] = mapped_column(JSONB)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    is_demo: Mapped[bool]


class AlarmOccurrence(TenantScoped, Base):
    """Each event an alarm is made of; its key is what keeps an event from counting twice."""

    __tablename__ = "alarm_occurrences"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "alarm_id"], ["app.alarms.tenant_id", "app.alarms.id"]),
        Index("uq_alarm_occurrences_event_key", "tenant_id", "event_key", unique=True),
        Index("ix_alarm_occurrences_alarm", "tenant_id", "alarm_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    alarm_id: Mapped[UUID]
    event_key: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)


class AlarmFlood(TenantScoped, Base):
    """A stretch with more alarms than two people can look at; one open at most."""

    __tablename__ = "alarm_floods"
    __table_args__ = (
        Index("uq_alarm_floods_open", "tenant_id", unique=True, postgresql_where=text("ended_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    peak: Mapped[int]
