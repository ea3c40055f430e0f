"""Base of the tables, engines per database role, and the two locks that tie every statement to one municipality."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Engine, Integer, MetaData, Text, Uuid, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    mapped_column,
    sessionmaker,
    with_loader_criteria,
)

from app.kernel import actor as acting
from app.settings import DatabaseUrls

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


_NOBODY = -1


class TenantMismatch(RuntimeError):
    """The acting municipality changed under an open transaction, or a row of another one was about to be written."""


class NoUnitOfWork(RuntimeError):
    """A use case ran outside `unit_of_work`."""


class Base(DeclarativeBase):
    """Every table of the product; times are UTC and aware, codes are text with a CHECK."""

    metadata = MetaData(schema="app", naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text,
        datetime: DateTime(timezone=True),
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def _acting_tenant() -> int:
    tenant_id = acting.current().tenant_id
    if tenant_id is None:
        raise acting.TenantContextMissing("este actor no pertenece a ningún municipio")
    return tenant_id


class TenantScoped:
    """Mixin of every municipal table: the key starts with the municipality, filled in from the actor."""

    # Without sort_order the mixin's column lands after `id` and both the index and `session.get` are wrong.
    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, sort_order=-10, default=_acting_tenant)


# After a restart every console asks for its session at once: they queue for these few rather than be turned away.
_SMALL_POOL = {"pool_size": 4, "max_overflow": 0, "pool_timeout": 30}


class Databases:
    """The engines of this process, one per database role it was given a URL for."""

    def __init__(self, urls: DatabaseUrls, *, default_role: str, pool_size: int = 8, max_overflow: int = 8) -> None:
        self.default_role = default_role
        self._urls = urls
        self._pool = {"pool_size": pool_size, "max_overflow": max_overflow, "pool_timeout": 10}
        self._engines: dict[str, Engine] = {}
        self._factories: dict[str, sessionmaker[Session]] = {}

    def engine(self, role: str) -> Engine:
        """The engine of `role` (rw, worker, dir, auth, rt, clock). Raises `LookupError` when this process has no URL for it."""
        if role not in self._engines:
            url = getattr(self._urls, role, "")
            if not url:
                raise LookupError(f"este proceso no tiene acceso a la base con la función «{role}»")
            self._engines[role] = make_engine(url, **(self._pool if role in {"rw", "worker"} else _SMALL_POOL))
        return self._engines[role]

    def new_session(self, role: str) -> Session:
        if role not in self._factories:
            factory = sessionmaker(self.engine(role), expire_on_commit=False)
            event.listen(factory, "do_orm_execute", _criterion)
            event.listen(factory, "before_flush", _refuse_foreign_rows)
            self._factories[role] = factory
        return self._factories[role]()

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        self._factories.clear()


def make_engine(url: str, **options: Any) -> Engine:
    """An engine whose transactions are bound to the actor. `prepare_threshold=None` keeps custom plans under RLS."""
    url = url.replace("postgres://", "postgresql://", 1)
    engine = create_engine(
        url,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None, "connect_timeout": 5},
        **options,
    )
    event.listen(engine, "begin", _bind)
    event.listen(engine, "before_cursor_execute", _refuse_switch)
    event.listen(engine, "reset", _forget)
    return engine


def _bind(connection: Connection) -> None:
    who = acting.current()
    connection.exec_driver_sql(
        "select set_config('app.tenant_id', %s, true), set_config('app.user_id', %s, true),"
        " set_config('app.person_id', %s, true), set_config('app.purpose', %s, true)",
        (
            "" if who.tenant_id is None else str(who.tenant_id),
            who.user_id,
            str(who.person_id or ""),
            who.purpose,
        ),
    )
    connection.info["tenant"] = (who.tenant_id,)


def _refuse_switch(connection: Connection, *_: object) -> None:
    bound = connection.info.get("tenant")
    if bound is not None and bound[0] != acting.current().tenant_id:
        raise TenantMismatch(f"{bound[0]} -> {acting.current().tenant_id}")


def _forget(_dbapi: object, record: Any, _state: object) -> None:
    record.info.pop("tenant", None)


def _criterion(state: ORMExecuteState) -> None:
    if state.session.info.get("all_tenants") or state.is_column_load or state.is_relationship_load:
        return
    if state.is_select or state.is_update or state.is_delete:
        acting_for = acting.current().tenant_id
        # A tenantless part of the product (sign-in, clock) finds no municipal row: no tenant has this number.
        tenant_id = _NOBODY if acting_for is None else acting_for
        state.statement = state.statement.options(
            with_loader_criteria(TenantScoped, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)
        )


def _refuse_foreign_rows(session: Session, *_: object) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantScoped) and row.tenant_id not in (None, _acting_tenant()):
            raise TenantMismatch(f"fila de {row.tenant_id} en el contexto de {_acting_tenant()}")


_session: ContextVar[Session | None] = ContextVar("session", default=None)


def session() -> Session:
    """The session of the open unit of work. Raises `NoUnitOfWork` outside one."""
    current = _session.get()
    if current is None:
        raise NoUnitOfWork("no hay una unidad de trabajo abierta")
    return current


@contextmanager
def using_session(value: Session | None) -> Iterator[None]:
    """Make `value` the session that `session()` answers inside the block."""
    token = _session.set(value)
    try:
        yield
    finally:
        _session.reset(token)
