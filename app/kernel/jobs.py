"""Declared jobs and their outbox: a job exists only as a row committed with the change that wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kernel.unit_of_work import OutboxRow, current_unit


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of job. `long` ones claim, work outside a transaction, and record at the end; short ones are one transaction.

    `timeout_s` is the hard limit of one attempt, `per_tenant` how many of one municipality may run at once in its queue.
    """

    kind: str
    queue: str
    handler: Callable[..., Any]
    timeout_s: int
    long: bool


_registry: dict[str, Job] = {}


def job(
    kind: str, *, queue: str, timeout_s: int = 30, long: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare the decorated function as the handler of `kind`. Handlers are idempotent: twice, even at once, is harmless."""

    def declare(handler: Callable[..., Any]) -> Callable[..., Any]:
        known = _registry.get(kind)
        if known is not None and known.handler.__qualname__ != handler.__qualname__:
            raise ValueError(f"dos trabajos se llaman {kind}")
        _registry[kind] = Job(kind, queue, handler, timeout_s, long)
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
