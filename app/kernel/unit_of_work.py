"""One request or one job is one transaction: opened and committed here and nowhere else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.kernel import clock
from app.kernel.actor import Actor, acting_as
from app.kernel.db import Databases, using_session
from app.kernel.ids import new_id
from app.kernel.ports import Nudge

log = logging.getLogger(__name__)

OUTBOX_CHANNEL = "outbox"


class NestedUnitOfWork(RuntimeError):
    """A unit was opened inside another one; use cases join the open one instead."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A job to run after the commit."""

    kind: str
    queue: str
    args: dict[str, Any]
    dedupe: str | None
    run_at: datetime | None
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class StreamRow:
    """Something consoles are told."""

    kind: str
    ref: str
    payload: dict[str, Any]
    audience: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Something a judge may ask about."""

    action: str
    target: str
    detail: dict[str, Any]


class UnitOfWork:
    """The open transaction and what must leave with it: jobs, stream events and audit entries, written last and in that order."""

    def __init__(self, actor: Actor, session: Session, *, read_only: bool) -> None:
        self.actor = actor
        self.session = session
        self.read_only = read_only
        self.outbox: list[OutboxRow] = []
        self.stream: list[StreamRow] = []
        self.audits: list[AuditRow] = []
        self._published: list[tuple[str, bytes]] = []

    def nudge(self, channel: str, message: bytes) -> None:
        """Wake other processes once this is committed."""
        self._published.append((channel, message))

    def finish(self) -> list[tuple[str, bytes]]:
        """Write what was gathered and commit. Returns the nudges to publish.

        The two heads per municipality (stream, then audit) are locked last and always in this order, so that they are held
        briefly and two units never wait for each other.
        """
        self.session.flush()
        self._write_outbox()
        self._write_stream()
        self._write_audit()
        self.session.commit()
        if self.outbox:
            self._published.append((OUTBOX_CHANNEL, b"1"))
        return self._published

    def _write_outbox(self) -> None:
        if not self.outbox:
            return
        self.session.connection().execute(
            text(
                "insert into app.outbox (tenant_id, id, kind, queue, args, dedupe, run_at)"
                " values (app.tenant(), :id, :kind, :queue, cast(:args as jsonb), :dedupe, :run_at) on conflict do nothing"
            ),
            [
                {
                    "id": row.id,
                    "kind": row.kind,
                    "queue": row.queue,
                    "args": json.dumps(row.args, default=str),
                    "dedupe": row.dedupe,
                    "run_at": row.run_at or clock.now(),
                }
                for row in self.outbox
            ],
        )

    def _write_stream(self) -> None:
        for row in self.stream:
            payload = json.dumps(row.payload, default=str, ensure_ascii=False, separators=(",", ":"))
            at = clock.now()
            seq = self.session.connection().scalar(
                text(
                    "with h as (update app.tenant_event_heads set seq = seq + 1 where tenant_id = app.tenant() returning seq)"
                    " insert into app.tenant_events (tenant_id, seq, occurred_at, kind, ref, payload, audience)"
                    " select app.tenant(), seq, :at, :kind, :ref, cast(:payload as jsonb), :audience from h returning seq"
                ),
                {"at": at, "kind": row.kind, "ref": row.ref, "payload": payload, "audience": row.audience},
            )
            message = {**asdict(row), "seq": seq, "at": at.isoformat()}
            encoded = json.dumps(message, default=str, ensure_ascii=False, separators=(",", ":")).encode()
            self._published.append((f"rt:{self.actor.tenant_id}", encoded))

    def _write_audit(self) -> None:
        for row in self.audits:
            self.session.connection().execute(
                text("select app.audit_append(:action, :target, :detail)"),
                {"action": row.action, "target": row.target, "detail": canonical(row.detail)},
            )


def canonical(detail: dict[str, Any]) -> str:
    """`detail` as RFC 8785 text. Raises `ValueError` for lone surrogates, NaN and integers over 2^53; NUL is dropped."""
    plain = json.loads(json.dumps(detail, default=str, allow_nan=False))
    return rfc8785.dumps(_without_nul(plain)).decode("utf-8")


def _without_nul(value: Any) -> Any:
    """PostgreSQL's text holds every character but this one."""
    match value:
        case str():
            return value.replace("\x00", "")
        case dict():
            return {_without_nul(key): _without_nul(item) for key, item in value.items()}
        case list():
            return [_without_nul(item) for item in value]
        case _:
            return value


class _Runtime:
    databases: Databases | None = None
    nudge: Nudge | None = None


_runtime = _Runtime()
_unit: ContextVar[UnitOfWork | None] = ContextVar("unit_of_work", default=None)


def configure(databases: Databases, nudge: Nudge) -> None:
    """Plug the engines and the nudge; called once by the factory (and by tests)."""
    _runtime.databases = databases
    _runtime.nudge = nudge


def databases() -> Databases:
    """The engines this process was configured with."""
    if _runtime.databases is None:
        raise RuntimeError("app.kernel.unit_of_work.configure() no fue llamado")
    return _runtime.databases


def current_unit() -> UnitOfWork:
    """The open unit. Raises `RuntimeError` outside one."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("no hay una unidad de trabajo abierta")
    return unit


@contextmanager
def unit_of_work(actor: Actor, *, read_only: bool = False, role: str | None = None) -> Iterator[UnitOfWork]:
    """Open the transaction of this request or job for `actor`, commit it at the end, publish nudges after.

    Any exception rolls everything back. Raises `NestedUnitOfWork` inside another unit.
    """
    if _unit.get() is not None:
        raise NestedUnitOfWork("ya hay una unidad de trabajo abierta en este contexto")
    with _open(actor, read_only=read_only, role=role) as unit:
        yield unit


@contextmanager
def autonomous_unit(actor: Actor, *, role: str | None = None) -> Iterator[UnitOfWork]:
    """A short transaction of its own beside an open one, for what must stay recorded even if that one is rolled back."""
    token = _unit.set(None)
    try:
        with using_session(None), _open(actor, read_only=False, role=role) as unit:
            yield unit
    finally:
        _unit.reset(token)


@contextmanager
def _open(actor: Actor, *, read_only: bool, role: str | None) -> Iterator[UnitOfWork]:
    engines = databases()
    with acting_as(actor):
        session = engines.new_session(role or engines.default_role)
        unit = UnitOfWork(actor, session, read_only=read_only)
        token = _unit.set(unit)
        try:
            with using_session(session):
                # Bound now and not at the first statement, when somebody else might be acting.
                connection = session.connection()
                if read_only:
                    connection.exec_driver_sql("set transaction read only")
                yield unit
                nudges = unit.finish()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
            _unit.reset(token)
    _publish(nudges)


def _publish(nudges: list[tuple[str, bytes]]) -> None:
    nudge = _runtime.nudge
    if nudge is None:
        return
    for channel, message in nudges:
        try:
            nudge.publish(channel, message)
        except Exception as error:  # the commit stands: a lost nudge only costs time
            log.info("nudge not published on %s: %s", channel, error)
            return


@contextmanager
def all_tenants(actor: Actor, purpose: str) -> Iterator[Session]:
    """Read across municipalities as the Dirección: its own role and pool, READ ONLY, purpose recorded before the first row.

    `purpose` is a sentence of 10 characters or more, or a case number. Yields a session without the tenant criterion.
    """
    if actor.kind != "provincial" or actor.tenant_id != 0:
        raise PermissionError("sólo la Dirección lee entre municipios")
    if len(purpose.strip()) < 10:
        raise ValueError("el motivo de la lectura entre municipios debe tener 10 caracteres o más")
    with autonomous_unit(actor) as unit:
        unit.audits.append(AuditRow("province:tenants:read", "provincia", {"motivo": purpose}))
    reader = replace(actor, purpose=purpose)
    session = databases().new_session("dir")
    session.info["all_tenants"] = True
    with acting_as(reader):
        try:
            session.connection().exec_driver_sql("set transaction read only")
            yield session
        finally:
            session.rollback()
            session.close()
