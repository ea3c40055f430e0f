"""Declared jobs and their outbox: a job exists only as a row committed with the change that wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.kernel.db import Base
from app.kernel.unit_of_work import OutboxRow, current_unit

_TIME = DateTime(timezone=True)
_WAITING = "done_at is null and dead_at is null"

outbox = Table(
    "outbox",
    Base.metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("id", Uuid, nullable=False, server_default=text("uuidv7()")),
    Column("kind", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("args", JSONB, nullable=False),
    Column("dedupe", Text),
    Column("run_at", _TIME, nullable=False, server_default=text("now()")),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("sent_at", _TIME),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("claimed_until", _TIME),
    Column("done_at", _TIME),
    Column("dead_at", _TIME),
    Column("error", Text),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index("uq_outbox_dedupe", "tenant_id", "kind", "dedupe", unique=True,
          postgresql_where=text(f"dedupe is not null and {_WAITING}")),
    Index("ix_outbox_pending", "run_at", postgresql_where=text(f"sent_at is null and {_WAITING}")),
    Index("ix_outbox_sent", "sent_at", postgresql_where=text(f"sent_at is not null and {_WAITING}")),
    Index("ix_outbox_done", "done_at", postgresql_where=text("done_at is not null")),
)  # fmt: skip

schedules = Table(
    "schedules",
    Base.metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("args", JSONB, nullable=False, server_default=text("'{}'")),
    Column("cron", Text, nullable=False),
    Column("tz", Text, nullable=False, server_default="America/Argentina/Buenos_Aires"),
    Column("misfire", Text, nullable=False, server_default="run-once"),
    Column("next_at", _TIME, nullable=False),
    PrimaryKeyConstraint("tenant_id", "name"),
    CheckConstraint("misfire in ('skip', 'run-once')", name="misfire"),
    Index("ix_schedules_next_at", "next_at"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of job; `timeout_s` is the hard limit of one attempt.

    A short one runs inside the unit of work that marks it done. A `long` one runs outside any transaction, with the actor bound:
    it opens short units of its own to read, and what it must record belongs in the callable it returns, which runs in the last
    transaction, the one that marks it done, unless somebody else did the work meanwhile.
    `cron` makes the Province run it by itself at those times (Buenos Aires).
    """

    kind: str
    queue: str
    handler: Callable[..., Any]
    timeout_s: int
    long: bool
    cron: str = ""


_registry: dict[str, Job] = {}


def job(
    kind: str, *, queue: str, timeout_s: int = 30, long: bool = False, cron: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare the decorated function as the handler of `kind`. Handlers are idempotent: twice, even at once, is harmless."""

    def declare(handler: Callable[..., Any]) -> Callable[..., Any]:
        known = _registry.get(kind)
        if known is not None and (known.handler.__module__, known.handler.__qualname__) != (
            handler.__module__,
            handler.__qualname__,
        ):
            raise ValueError(f"dos trabajos se llaman {kind}")
        _registry[kind] = Job(kind, queue, handler, timeout_s, long, cron)
        return handler

    return declare


def find(kind: str) -> Job:
    """The declared job. Raises `LookupError` for an unknown kind."""
    try:
        return _registry[kind]
    except KeyError:
        raise LookupError(f"no hay un trabajo declarado con el nombre {kind}") from None


def declared() -> dict[str, Job]:
    """All declared jobs by kind."""
    return dict(_registry)


def after_commit(
    kind: str, *, dedupe: str | None = None, run_at: datetime | None = None, **ids: str | int | UUID
) -> UUID:
    """Run `kind` once the open unit commits; dropped when it rolls back. Arguments are ids and plain values only.

    With `dedupe` a second request is ignored while an equal one is waiting. Returns the outbox id.
    """
    row = OutboxRow(
        kind=kind, queue=find(kind).queue, args={k: str(v) for k, v in ids.items()}, dedupe=dedupe, run_at=run_at
    )
    current_unit().outbox.append(row)
    return row.id
