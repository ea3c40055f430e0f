"""Schedules: each due time once, whatever the number of clocks, in Buenos Aires time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from app.kernel import clock
from app.kernel.actor import acting_as, system_actor
from app.kernel.unit_of_work import unit_of_work
from tenants.core import seed, upkeep
from tests.support.world import OURS, PROVINCE, World, actor
from workers.jobs import schedule

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def at_noon() -> Iterator[None]:
    clock.use(lambda: NOW)
    yield
    clock.use(None)


def add(world: World, *, name: str = "probe", misfire: str = "run-once", late: timedelta = timedelta(0)) -> None:
    with world.admin() as admin:
        admin.execute("delete from app.schedules")
        admin.execute(
            "insert into app.schedules (tenant_id, name, kind, queue, args, cron, misfire, next_at)"
            " values (%s, %s, 'probe.short', 'alarms', '{\"ref\": \"a\"}', '0 * * * *', %s, %s)",
            [OURS, name, misfire, NOW - late],
        )


def state(world: World) -> tuple[list[tuple[object, ...]], datetime]:
    with world.admin() as admin:
        placed = admin.execute("select tenant_id, kind, args->>'ref', dedupe from app.outbox").fetchall()
        [(next_at,)] = admin.execute("select next_at from app.schedules").fetchall()
    return placed, next_at


def test_a_due_schedule_leaves_one_row_and_moves_on(world: World, clock_engine: Engine, at_noon: None) -> None:
    add(world)

    assert [schedule.run_due(clock_engine), schedule.run_due(clock_engine)] == [1, 0]
    placed, next_at = state(world)
    assert placed == [(OURS, "probe.short", "a", "probe@2026-03-02T12:00:00+00:00")]
    assert next_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(("misfire", "late", "placed"), [
    ("run-once", timedelta(hours=5), 1), ("skip", timedelta(hours=5), 0), ("skip", timedelta(minutes=1), 1),
])  # fmt: skip
def test_a_missed_time_is_run_once_or_skipped(
    world: World, clock_engine: Engine, at_noon: None, misfire: str, late: timedelta, placed: int
) -> None:
    add(world, misfire=misfire, late=late)

    assert schedule.run_due(clock_engine) == placed
    assert state(world)[1] == NOW + timedelta(hours=1)


def test_three_clocks_run_a_schedule_once(world: World, clock_engine: Engine, at_noon: None) -> None:
    add(world)
    placed: list[int] = []

    def tick() -> None:
        with acting_as(system_actor("clock")):
            for _ in range(10):
                placed.append(schedule.run_due(clock_engine))

    clocks = [threading.Thread(target=tick) for _ in range(3)]
    for thread in clocks:
        thread.start()
    for thread in clocks:
        thread.join()

    assert sum(placed) == 1
    assert len(state(world)[0]) == 1


def test_times_are_read_on_the_clocks_of_buenos_aires() -> None:
    found = schedule.next_time("30 6 * * *", NOW, "America/Argentina/Buenos_Aires")

    assert found == datetime(2026, 3, 3, 9, 30, tzinfo=UTC)


def test_declared_schedules_are_seeded_once_and_leave_when_undeclared(world: World) -> None:
    with world.admin() as admin:
        admin.execute("delete from app.schedules")
    first, second = seed.seed_schedules(world.urls["migrate"]), seed.seed_schedules(world.urls["migrate"])
    with world.admin() as admin:
        names = [name for (name,) in admin.execute("select name from app.schedules order by 1")]
        admin.execute("update app.schedules set name = 'old.job', kind = 'old.job' where name = 'audit.note_heads'")

    assert first >= 3
    assert second == 0
    assert {"audit.note_heads", "tenants.drop_expired_events", "tenants.ensure_partitions"} <= set(names)
    assert seed.seed_schedules(world.urls["migrate"]) == 2


def test_upkeep_makes_missing_partitions_and_drops_expired_ones(world: World) -> None:
    with world.admin() as admin:
        admin.execute(
            "create table app.tenant_events_p20200101 partition of app.tenant_events"
            " for values from ('2020-01-01') to ('2020-01-02')"
        )
        admin.execute("alter table app.tenant_events_p20200101 owner to app_owner")
        today = admin.execute(
            "select 'app.tenant_events_p' || to_char(now() at time zone 'UTC' + interval '3 days', 'YYYYMMDD')"
        )
        [(newest,)] = today.fetchall()
        admin.execute(f"drop table {newest}")

    with unit_of_work(actor(PROVINCE), role="worker"):
        made, gone, again = upkeep.ensure_partitions(), upkeep.drop_expired_events(), upkeep.ensure_partitions()

    assert (made, gone, again) == (1, 1, 0)
