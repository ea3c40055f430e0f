"""Two municipalities on one pooled connection, in any order of beginning, failing, nesting and ending: never a foreign row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from app.kernel import unit_of_work
from app.kernel.db import Databases
from app.kernel.unit_of_work import UnitOfWork
from app.kernel.unit_of_work import unit_of_work as unit
from tests.support.world import OURS, THEIRS, World, actor, database_urls_of

INSERT = text("insert into app.outbox (tenant_id, kind, queue, args) values (app.tenant(), :kind, 'q', '{}')")
SEEN = text("select distinct tenant_id from app.outbox union select tenant_id from app.audit_heads")


class Interrupted(RuntimeError):
    """What makes a unit fail."""


class Machine(RuleBasedStateMachine):
    """At most one unit open at a time, as in a process; the connection under it is always the same."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.unit: UnitOfWork | None = None
        self.tenant = 0

    @precondition(lambda self: self.unit is None)
    @rule(tenant=st.sampled_from([OURS, THEIRS]), read_only=st.booleans())
    def begin(self, tenant: int, read_only: bool) -> None:
        self.tenant = tenant
        self.unit = self.stack.enter_context(unit(actor(tenant), read_only=read_only))

    @precondition(lambda self: self.unit is not None)
    @rule()
    def look(self) -> None:
        assert self.unit is not None
        assert set(self.unit.session.scalars(SEEN)) == {self.tenant}

    @precondition(lambda self: self.unit is not None and not self.unit.read_only)
    @rule()
    def write(self) -> None:
        assert self.unit is not None
        self.unit.session.execute(INSERT, {"kind": str(self.tenant)})

    @precondition(lambda self: self.unit is not None and not self.unit.read_only)
    @rule(keep=st.booleans())
    def savepoint(self, keep: bool) -> None:
        assert self.unit is not None
        nested = self.unit.session.begin_nested()
        self.unit.session.execute(INSERT, {"kind": str(self.tenant)})
        nested.commit() if keep else nested.rollback()
        self.look()

    @precondition(lambda self: self.unit is not None)
    @rule()
    def statement_fails(self) -> None:
        assert self.unit is not None
        try:
            with self.unit.session.begin_nested():
                self.unit.session.execute(text("select 1 / 0"))
        except Exception:
            self.look()

    @precondition(lambda self: self.unit is not None)
    @rule()
    def end(self) -> None:
        self.stack.close()
        self.unit = None

    @precondition(lambda self: self.unit is not None)
    @rule()
    def fail(self) -> None:
        error = Interrupted()
        assert not self.stack.__exit__(Interrupted, error, None)
        self.stack, self.unit = ExitStack(), None

    def teardown(self) -> None:
        self.stack.close()


@pytest.fixture
def one_connection(world: World) -> Iterator[None]:
    databases = Databases(database_urls_of(world.urls), default_role="rw", pool_size=1, max_overflow=0)
    unit_of_work.configure(databases, world.nudge)
    yield
    databases.dispose()


@pytest.mark.slow("many random interleavings")
def test_no_interleaving_shows_a_foreign_row(world: World, one_connection: None) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

    with world.admin() as admin:
        mixed = admin.execute("select count(*) from app.outbox where kind <> tenant_id::text").fetchone()
        written = admin.execute("select count(distinct tenant_id) from app.outbox").fetchone()
    assert (mixed, written) == ((0,), (2,))
