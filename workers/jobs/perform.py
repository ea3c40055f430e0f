"""The one function Redis may name: looks at an outbox row, runs its declared job, and marks it done with its effects."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.audit import service as audit
from app.kernel import clock, jobs
from app.kernel.actor import Actor, acting_as, system_actor
from app.kernel.db import session
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import unit_of_work
from tenants.core import service as tenants
from workers.jobs.reconcile import MAX_ATTEMPTS, backoff

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
_DEADLOCKS = {"40P01", "40001"}
_RUNS = 3

_LOOK = text(
    "select kind, args, attempts, done_at is not null or dead_at is not null as over from app.outbox where id = :id"
)
_LOCK = text("""
    select 1 from app.outbox where id = :id and done_at is null and dead_at is null for update skip locked""")
_DONE = text("""
    update app.outbox set done_at = :now, claimed_until = null, error = null
    where id = :id and done_at is null and (cast(:epoch as int) is null or epoch = :epoch)""")
_CLAIM = text("""
    update app.outbox set epoch = epoch + 1, claimed_until = :until
    where id = :id and done_at is null and dead_at is null and (claimed_until is null or claimed_until < :now)
    returning epoch""")
_RENEW = text("update app.outbox set claimed_until = :until where id = :id and epoch = :epoch and done_at is null")
_FAILED = text("""
    update app.outbox set error = :error, claimed_until = null,
      sent_at = case when cast(:dead as boolean) then sent_at end, run_at = :run_at,
      dead_at = case when cast(:dead as boolean) then cast(:now as timestamptz) end
    where id = :id and done_at is null and dead_at is null""")


class Superseded(RuntimeError):
    """Somebody else did the work while this process was at it: its own results are discarded."""


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    kind: str
    args: dict[str, Any]
    attempts: int
    over: bool


def perform(outbox_id: str, tenant_id: int) -> str:
    """Do what the row asks, once. Returns what became of it: done, over, busy, superseded, failed or refused."""
    actor, row = _look(UUID(outbox_id), tenant_id)
    if row is None:
        return _refuse(actor, outbox_id)
    if row.over:
        return "over"
    try:
        job = jobs.find(row.kind)
        with UnixSignalDeathPenalty(job.timeout_s, JobTimeoutException, job_id=outbox_id):
            return _long(actor, row, job) if job.long else _short(actor, row, job)
    except Superseded:
        return "superseded"
    except Exception as error:  # whatever it was, the row tells it and is tried again
        log.exception("job %s failed", row.kind, extra={"outbox_id": outbox_id, "tenant_id": tenant_id})
        return _fail(actor, row, error)


def _look(outbox_id: UUID, tenant_id: int) -> tuple[Actor, _Row | None]:
    """The row as its municipality sees it, and who acts: None when that municipality has no such row."""
    stranger = system_actor("jobs", tenant_id=tenant_id)
    with unit_of_work(stranger, read_only=True) as unit:
        found = unit.session.execute(_LOOK, {"id": outbox_id}).one_or_none()
        if found is None:
            return stranger, None
        tenant = tenants.own()
    actor = replace(
        stranger, user_id=f"sistema:{found.kind}", permissions=frozenset(Permission),
        tenant_slug=tenant.slug, tenant_name=tenant.name, is_demo=tenant.is_demo,
    )  # fmt: skip
    return actor, _Row(outbox_id, found.kind, found.args, found.attempts, found.over)


def _refuse(actor: Actor, outbox_id: str) -> str:
    log.warning("a job names a row its municipality does not have", extra={"outbox_id": outbox_id})
    try:
        audit.record_apart(actor, "jobs:row:refuse", outbox_id)
    except Exception:  # an invented municipality has no chain either
        log.exception("the refusal could not be recorded")
    return "refused"


def _short(actor: Actor, row: _Row, job: jobs.Job) -> str:
    """One transaction: the lock on the row, the effects and the mark."""
    for run in range(1, _RUNS + 1):
        try:
            with unit_of_work(actor) as unit:
                if unit.session.scalar(_LOCK, {"id": row.id}) is None:
                    return "busy"
                job.handler(**row.args)
                _mark_done(row, epoch=None)
            return "done"
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _DEADLOCKS or run == _RUNS:
                raise
    raise AssertionError("unreachable")


def _long(actor: Actor, row: _Row, job: jobs.Job) -> str:
    """Claim, work outside any transaction, record in the last one unless the claim was lost meanwhile."""
    with unit_of_work(actor) as unit:
        now = clock.now()
        epoch = unit.session.scalar(_CLAIM, {"id": row.id, "now": now, "until": now + LEASE})
    if epoch is None:
        return "busy"
    with _renewing(actor, row, epoch), acting_as(actor):
        record: Callable[[], Any] | None = job.handler(**row.args)
    with unit_of_work(actor):
        _mark_done(row, epoch=epoch)
        if record is not None:
            record()
    return "done"


def _mark_done(row: _Row, *, epoch: int | None) -> None:
    marked = session().execute(_DONE, {"id": row.id, "now": clock.now(), "epoch": epoch})
    if marked.rowcount == 0:  # type: ignore[attr-defined]  # a result of DML has it
        raise Superseded(str(row.id))


@contextmanager
def _renewing(actor: Actor, row: _Row, epoch: int) -> Iterator[None]:
    """Keep the claim alive from another thread while the block works."""
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(LEASE.total_seconds() / 3):
            try:
                with unit_of_work(actor) as unit:
                    unit.session.execute(_RENEW, {"id": row.id, "epoch": epoch, "until": clock.now() + LEASE})
            except Exception:  # the next turn may work; if the claim is lost, the end of the job finds out
                log.exception("claim of %s not renewed", row.id)

    thread = threading.Thread(target=renew, name="claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _fail(actor: Actor, row: _Row, error: Exception) -> str:
    """Say why on the row, and try again later or give up for good (which the municipality's audit tells)."""
    now = clock.now()
    dead = row.attempts >= MAX_ATTEMPTS
    reason = f"{type(error).__name__}: {error}"[:500].replace("\x00", "")
    with unit_of_work(actor) as unit:
        parameters = {"id": row.id, "error": reason, "dead": dead, "now": now, "run_at": now + backoff(row.attempts)}
        unit.session.execute(_FAILED, parameters)
        if dead:
            audit.record("jobs:job:die", str(row.id), tipo=row.kind, error=reason)
    return "failed"
