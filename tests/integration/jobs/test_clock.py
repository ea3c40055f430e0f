"""One turn of the clock does its duties; a duty that cannot be done waits for the next turn and stops no other."""

from __future__ import annotations

import time
import urllib.request
from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import Engine

from app.cli.local.ports import pick_free
from app.kernel.actor import acting_as, system_actor
from app.settings import Settings
from tenants.core import discovery
from tests.support.outbox import place, row
from tests.support.world import World
from workers.clock import TICK_KEY, Bell, Clock
from workers.jobs import metrics, wire
from workers.jobs.perform import perform


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return replace(Settings.from_env({"REDIS_URL": redis_url}), reconcile_interval_s=600, reconcile_after_s=0)


def test_a_turn_sends_what_is_due_and_leaves_a_tick(
    world: World, redis: Redis, clock_engine: Engine, settings: Settings
) -> None:
    outbox_id = place("probe.short", ref="a")

    Clock(clock_engine, redis, settings).turn()

    assert str(outbox_id) in wire.waiting(redis, "alarms")
    assert abs(time.time() - float(redis.get(TICK_KEY) or 0)) < 30


def test_reconciliation_has_its_own_pace(world: World, redis: Redis, clock_engine: Engine, settings: Settings) -> None:
    outbox_id = place("probe.short", ref="a")
    clock = Clock(clock_engine, redis, settings)
    clock.turn()
    redis.flushdb()

    clock.turn()
    still_sent = row(world, outbox_id)["sent_at"] is not None
    clock._due["reconcile"] = 0.0
    clock.turn()

    assert still_sent
    assert row(world, outbox_id)["sent_at"] is None


def test_without_redis_schedules_still_become_rows(world: World, clock_engine: Engine, settings: Settings) -> None:
    with Redis.from_url("redis://127.0.0.1:1") as nobody:
        Clock(clock_engine, nobody, settings).turn()

    with world.admin() as admin:
        [(placed,)] = admin.execute("select count(*) from app.outbox where dedupe is not null").fetchall()
    assert placed >= 3


def test_declared_upkeep_runs_as_the_province(
    world: World, redis: Redis, clock_engine: Engine, settings: Settings
) -> None:
    discovery.load("tasks")
    Clock(clock_engine, redis, settings).turn()
    with world.admin() as admin:
        rows = admin.execute("select id, tenant_id, kind from app.outbox where dedupe is not null").fetchall()

    outcomes = {kind: perform(str(outbox_id), tenant_id) for outbox_id, tenant_id, kind in rows}

    assert set(outcomes.values()) == {"done"}
    assert {"audit.note_heads", "tenants.ensure_partitions", "tenants.drop_expired_events"} <= set(outcomes)


@pytest.mark.slow("waits for a subscription")
def test_the_bell_rings_with_a_commit_and_waits_otherwise(redis: Redis, redis_url: str) -> None:
    bell = Bell(redis_url)
    deadline = time.monotonic() + 5
    while not redis.pubsub_numsub("outbox")[0][1] and time.monotonic() < deadline:
        time.sleep(0.02)
    redis.publish("outbox", b"1")
    began = time.monotonic()
    bell.wait(5)
    rung_after = time.monotonic() - began
    bell.wait(0.05)

    assert rung_after < 2
    assert time.monotonic() - began < 4


def test_figures_tell_the_state_of_queues_and_outbox(
    world: World, redis: Redis, clock_engine: Engine, settings: Settings
) -> None:
    for number in range(4):
        place("probe.short", ref=str(number))
    Clock(clock_engine, redis, settings).turn()
    place("probe.failing", ref="x")
    port = pick_free(set())
    metrics.serve(port, clock_engine, redis)
    metrics.serve(port, clock_engine, redis)  # a taken port stops nothing

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()

    assert 'pipc_outbox_sent{queue="alarms"} 4.0' in text
    assert 'pipc_outbox_pending{queue="alarms"} 1.0' in text
    assert 'pipc_queue_jobs{queue="alarms",state="queued"} 2.0' in text
    assert 'pipc_queue_held{share="alarms:t448"} 2.0' in text
    assert "pipc_clock_tick_age_seconds" in text


def test_figures_leave_out_the_part_that_does_not_answer(clock_engine: Engine) -> None:
    with Redis.from_url("redis://127.0.0.1:1") as nobody, acting_as(system_actor("x")):
        names = [family.name for family in metrics.Queues(clock_engine, nobody).collect()]

    assert names
    assert all(name.startswith("pipc_outbox") for name in names)
