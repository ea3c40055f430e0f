"""The two locks of a process: the transaction bound to who acts, and the criterion on every query of the mapper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, exists, func, select, text, union_all, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session, aliased

from app.audit.models import AuditEntry, AuditHead
from app.kernel import db, unit_of_work
from app.kernel.actor import Actor, TenantContextMissing, acting_as, current, system_actor
from app.kernel.db import Databases, NoUnitOfWork, TenantMismatch
from app.kernel.unit_of_work import NestedUnitOfWork, all_tenants, autonomous_unit
from app.kernel.unit_of_work import unit_of_work as unit
from app.settings import DatabaseUrls
from tests.support.world import OURS, PROVINCE, THEIRS, World, actor, database_urls_of


def test_without_anybody_acting_there_is_no_transaction(world: World) -> None:
    with pytest.raises(TenantContextMissing), world.databases.engine("rw").connect() as connection:
        connection.execute(text("select 1"))


def test_a_role_without_url_is_out_of_reach() -> None:
    with pytest.raises(LookupError, match="«clock»"):
        Databases(DatabaseUrls(), default_role="rw").engine("clock")


def test_a_use_case_outside_a_unit_has_no_session() -> None:
    with pytest.raises(NoUnitOfWork):
        db.session()
    with pytest.raises(RuntimeError):
        unit_of_work.current_unit()


def test_an_unconfigured_process_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_of_work._runtime, "databases", None)

    with pytest.raises(RuntimeError, match="configure"):
        unit_of_work.databases()


def test_the_transaction_knows_who_acts(world: World) -> None:
    with unit(actor(purpose="Control")) as open_unit:
        bound = open_unit.session.execute(text("select app.tenant(), app.actor(), app.purpose()")).one()

    assert tuple(bound) == (OURS, "persona-1", "Control")


def test_one_connection_serves_two_municipalities_in_turn(world: World) -> None:
    databases = Databases(database_urls_of(world.urls), default_role="rw", pool_size=1, max_overflow=0)
    unit_of_work.configure(databases, world.nudge)
    seen = []
    for tenant_id in (OURS, THEIRS, OURS):
        with unit(actor(tenant_id)) as open_unit:
            seen += open_unit.session.scalars(text("select tenant_id from app.audit_heads")).all()
    databases.dispose()

    assert seen == [OURS, THEIRS, OURS]


def test_changing_municipality_under_an_open_transaction_is_refused(world: World) -> None:
    with pytest.raises(TenantMismatch), unit(actor()) as open_unit, acting_as(actor(THEIRS)):
        open_unit.session.execute(text("select 1"))


def test_a_unit_inside_a_unit_is_refused_and_the_first_goes_on(world: World) -> None:
    with unit(actor()) as open_unit:
        with pytest.raises(NestedUnitOfWork), unit(actor()):
            pass
        assert open_unit.session.scalar(text("select 1")) == 1


def test_an_autonomous_unit_stands_beside_the_open_one(world: World) -> None:
    with unit(actor(THEIRS)) as outer, autonomous_unit(actor(OURS)) as inner:
        assert current().tenant_id == OURS
        assert db.session() is inner.session
        assert inner.session is not outer.session


def test_a_reading_unit_writes_nothing(world: World) -> None:
    with pytest.raises(DBAPIError, match="read-only"), unit(actor(), read_only=True) as open_unit:
        open_unit.session.execute(text("update app.tenants set accent = '#000000'"))


@pytest.mark.parametrize(
    ("who", "purpose"), [(actor(OURS), "Control de rutina"), (actor(THEIRS, kind="provincial"), "Control de rutina")]
)
def test_only_the_province_reads_across(world: World, who: Actor, purpose: str) -> None:
    with pytest.raises(PermissionError), all_tenants(who, purpose):
        pass


def test_reading_across_asks_for_a_purpose(world: World) -> None:
    with pytest.raises(ValueError, match="motivo"), all_tenants(actor(PROVINCE), "   corto   "):
        pass


def test_reading_across_sees_all_and_writes_nothing(world: World) -> None:
    with all_tenants(actor(PROVINCE), "Control de rutina") as session:
        count = session.scalar(select(func.count()).select_from(AuditHead))
        with pytest.raises(DBAPIError):
            session.execute(text("update app.tenants set accent = '#000000'"))

    assert count == 136


# The mapper's own lock, alone: the administrator's connection bypasses row security.


@pytest.fixture
def unguarded(world: World) -> Iterator[Session]:
    with world.admin() as admin:
        for tenant_id in (OURS, THEIRS):
            admin.execute(
                "select set_config('app.tenant_id', %s, false), set_config('app.user_id', 'x', false)", [str(tenant_id)]
            )
            admin.execute("select app.audit_append('room:a:b', 'x', '{}')")
    databases = Databases(DatabaseUrls(rw=world.urls["admin"]), default_role="rw")
    with acting_as(actor()):
        session = databases.new_session("rw")
        yield session
        session.rollback()
        session.close()
    databases.dispose()


Head = aliased(AuditHead)
SELECTS: dict[str, Any] = {
    "entities": select(AuditHead.tenant_id),
    "columns": select(AuditEntry.tenant_id).where(AuditEntry.seq == 1),
    "an alias": select(Head.tenant_id),
    "a join": select(AuditEntry.tenant_id).join(Head, Head.seq == AuditEntry.seq),
    "the joined side": select(Head.tenant_id).select_from(AuditEntry).join(Head, Head.seq == AuditEntry.seq),
    "exists": select(AuditHead.tenant_id).where(exists(select(AuditEntry.seq).where(AuditEntry.seq == AuditHead.seq))),
    "a subquery": select(select(AuditHead.tenant_id).subquery().c.tenant_id),
    "a CTE": select(select(AuditHead.tenant_id).cte().c.tenant_id),
    "a union": union_all(select(AuditHead.tenant_id), select(AuditEntry.tenant_id)),
}


@pytest.mark.parametrize("name", SELECTS)
def test_the_mapper_adds_the_municipality_to(unguarded: Session, name: str) -> None:
    assert set(unguarded.execute(SELECTS[name]).scalars()) == {OURS}


def test_the_mapper_gets_no_row_of_another(unguarded: Session) -> None:
    assert unguarded.get(AuditHead, (THEIRS,)) is None
    assert unguarded.get(AuditHead, (OURS,)) is not None


def test_the_mapper_changes_and_deletes_ones_own_rows_only(unguarded: Session) -> None:
    changed = unguarded.execute(update(AuditEntry).values(target="y"))
    gone = unguarded.execute(delete(AuditEntry))

    assert (changed.rowcount, gone.rowcount) == (1, 1)  # type: ignore[attr-defined]


def test_a_tenantless_part_finds_no_municipal_row(unguarded: Session) -> None:
    unguarded.rollback()
    with acting_as(system_actor("clock")):
        assert unguarded.scalars(select(AuditHead)).all() == []
        unguarded.rollback()


def test_a_new_row_gets_the_acting_municipality(unguarded: Session) -> None:
    unguarded.execute(delete(AuditHead))
    fresh = AuditHead(seq=0, occurred_at=func.now(), hash=b"x")  # type: ignore[arg-type]
    unguarded.add(fresh)
    unguarded.flush()

    assert fresh.tenant_id == OURS


def test_a_new_row_without_a_municipality_is_refused(unguarded: Session) -> None:
    unguarded.rollback()
    with acting_as(system_actor("clock")):
        unguarded.add(AuditHead(seq=0, occurred_at=func.now(), hash=b"x"))  # type: ignore[arg-type]
        with pytest.raises((TenantContextMissing, IntegrityError)):
            unguarded.flush()
        unguarded.rollback()


@pytest.mark.parametrize("how", ["added", "changed", "deleted"])
def test_the_mapper_writes_no_row_of_another(unguarded: Session, how: str) -> None:
    theirs = AuditHead(tenant_id=THEIRS, seq=0, occurred_at=func.now(), hash=b"x")  # type: ignore[arg-type]
    if how == "added":
        unguarded.add(theirs)
    else:
        found = unguarded.scalars(select(AuditHead)).one()
        found.tenant_id = THEIRS
        if how == "deleted":
            unguarded.delete(found)

    with pytest.raises(TenantMismatch):
        unguarded.flush()


def test_what_the_mapper_does_not_see_row_security_stops(world: World) -> None:
    """Core statements carry no criterion: the other lock alone must hold."""
    with unit(actor()) as open_unit:
        ours = open_unit.session.execute(text("select tenant_id from app.audit_heads")).scalars().all()
    with pytest.raises(ProgrammingError, match="row-level security"), unit(actor()) as open_unit:
        open_unit.session.execute(
            text("insert into app.outbox (tenant_id, kind, queue, args) values (:t, 'k', 'q', '{}')"), {"t": THEIRS}
        )

    assert ours == [OURS]
