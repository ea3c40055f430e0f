"""From the outbox to the queue and back: sent once, never lost, nobody's turn taken."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest
from redis import Redis, RedisError
from rq.rate_limit import RateLimitRegistry
from sqlalchemy import Engine

from app.kernel.actor import acting_as, system_actor
from app.kernel.unit_of_work import OUTBOX_CHANNEL, unit_of_work
from tests.support.outbox import age, place, row
from tests.support.world import OURS, THEIRS, World, actor
from workers.jobs import reconcile, relay, wire


def queued(redis: Redis, queue: str = "alarms") -> set[str]:
    return wire.waiting(redis, queue)


def test_a_due_row_is_sent(world: World, redis: Redis, clock_engine: Engine) -> None:
    outbox_id = place("probe.short", ref="a")

    assert relay.relay(clock_engine, redis) == 1
    assert queued(redis) == {str(outbox_id)}
    assert (row(world, outbox_id)["attempts"], row(world, outbox_id)["sent_at"] is not None) == (1, True)
    assert relay.relay(clock_engine, redis) == 0


def test_a_commit_rings_the_clock_and_a_rollback_does_not(world: World) -> None:
    place("probe.short", ref="a")
    rung = [channel for channel, _ in world.nudge.sent]
    with pytest.raises(RuntimeError), unit_of_work(actor()) as unit:
        unit.outbox.append(unit.outbox)  # type: ignore[arg-type]
        raise RuntimeError

    assert rung == [OUTBOX_CHANNEL]
    assert len(world.nudge.sent) == 1


def test_a_request_goes_well_without_redis(world: World) -> None:
    world.nudge.broken = True

    assert row(world, place("probe.short", ref="a"))["kind"] == "probe.short"


def test_a_second_request_for_the_same_waits_for_the_first(world: World) -> None:
    place("probe.short", dedupe="x", ref="a")
    place("probe.short", dedupe="x", ref="b")
    place("probe.short", dedupe="x", tenant_id=THEIRS, ref="c")

    with world.admin() as admin:
        assert admin.execute("select args->>'ref' from app.outbox order by 1").fetchall() == [("a",), ("c",)]


def test_a_later_row_waits(world: World, redis: Redis, clock_engine: Engine) -> None:
    outbox_id = place("probe.short", ref="a")
    with world.admin() as admin:
        admin.execute("update app.outbox set run_at = now() + interval '1 hour' where id = %s", [outbox_id])

    assert relay.relay(clock_engine, redis) == 0


def test_without_redis_nothing_is_marked_as_sent(world: World, clock_engine: Engine) -> None:
    outbox_id = place("probe.short", ref="a")

    with pytest.raises(RedisError), Redis.from_url("redis://127.0.0.1:1") as nobody:
        relay.relay(clock_engine, nobody)

    assert row(world, outbox_id)["sent_at"] is None


def test_a_row_that_could_not_be_sent_goes_back(
    world: World, redis: Redis, clock_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted([place("probe.short", ref="a"), place("probe.short", ref="b")])
    send = wire.send

    def once(*arguments: object, outbox_id: UUID, **keywords: object) -> None:
        if outbox_id == second:
            raise RedisError
        send(*arguments, outbox_id=outbox_id, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(wire, "send", once)
    with pytest.raises(RedisError):
        relay.relay(clock_engine, redis)

    assert row(world, first)["sent_at"] is not None
    assert (row(world, second)["sent_at"], row(world, second)["attempts"]) == (None, 0)


@pytest.mark.slow("300 rows and three clocks")
def test_three_clocks_send_each_row_once(world: World, redis: Redis, clock_engine: Engine) -> None:
    with unit_of_work(actor()):
        from app.kernel.jobs import after_commit

        placed = {str(after_commit("probe.short", ref=str(number))) for number in range(300)}
    sent: list[int] = []

    def clock() -> None:
        with acting_as(system_actor("clock")):
            while count := relay.relay(clock_engine, redis):
                sent.append(count)

    clocks = [threading.Thread(target=clock) for _ in range(3)]
    for thread in clocks:
        thread.start()
    for thread in clocks:
        thread.join()
    with world.admin() as admin:
        attempts = admin.execute("select distinct attempts from app.outbox").fetchall()

    assert sum(sent) == 300
    assert attempts == [(1,)]
    assert queued(redis) == placed


def test_one_municipality_does_not_fill_the_batch_of_another(world: World, redis: Redis, clock_engine: Engine) -> None:
    with unit_of_work(actor()):
        from app.kernel.jobs import after_commit

        for number in range(relay.BATCH + 50):
            after_commit("probe.short", ref=str(number))
    late = place("probe.short", tenant_id=THEIRS, ref="z")

    relay.relay(clock_engine, redis)

    assert str(late) in queued(redis)


def test_a_share_leaves_room_for_others(world: World, redis: Redis, clock_engine: Engine) -> None:
    for number in range(5):
        place("probe.short", ref=str(number))
    place("probe.short", tenant_id=THEIRS, ref="z")

    relay.relay(clock_engine, redis)

    registry = RateLimitRegistry(f"alarms:t{OURS}", redis)
    assert registry.get_allowed_job_count() == wire.PROVINCE["alarms"].per_tenant
    assert redis.llen("rq:queue:alarms") == wire.PROVINCE["alarms"].per_tenant + 1


def lose(redis: Redis, outbox_id: UUID) -> None:
    """As when a worker is killed with the job in its hands."""
    redis.lrem("rq:queue:alarms", 0, str(outbox_id))
    redis.rpush("rq:queue:alarms:intermediate", str(outbox_id))
    redis.hset(f"rq:job:{outbox_id}", "status", "started")


def test_a_lost_row_goes_again_and_leaves_no_trace(world: World, redis: Redis, clock_engine: Engine) -> None:
    outbox_id = place("probe.short", ref="a")
    relay.relay(clock_engine, redis)
    lose(redis, outbox_id)
    age(world, outbox_id, 100)

    assert reconcile.reconcile(clock_engine, redis, after_s=60) == 1
    assert not redis.exists(f"rq:job:{outbox_id}")
    assert redis.llen("rq:queue:alarms:intermediate") == 0
    assert relay.relay(clock_engine, redis) == 1
    assert queued(redis) == {str(outbox_id)}


def test_a_wiped_redis_loses_nothing(world: World, redis: Redis, clock_engine: Engine) -> None:
    placed = [place("probe.short", ref=str(number)) for number in range(3)]
    relay.relay(clock_engine, redis)
    redis.flushdb()
    for outbox_id in placed:
        age(world, outbox_id, 100)

    assert reconcile.reconcile(clock_engine, redis, after_s=60) == 3
    assert relay.relay(clock_engine, redis) == 3
    assert queued(redis) == {str(outbox_id) for outbox_id in placed}


def test_a_killed_worker_gives_its_place_to_the_next(world: World, redis: Redis, clock_engine: Engine) -> None:
    placed = [place("probe.short", ref=str(number)) for number in range(3)]
    relay.relay(clock_engine, redis)
    held = RateLimitRegistry(f"alarms:t{OURS}", redis)
    [stuck, *_] = held.get_allowed_job_ids()
    lose(redis, UUID(stuck))
    age(world, UUID(stuck), 100)

    reconcile.reconcile(clock_engine, redis, after_s=60)

    assert held.get_rate_limited_job_count() == 0
    assert stuck not in held.get_allowed_job_ids()
    assert len(placed) == 3


def test_a_worker_killed_after_its_commit_gives_its_place_too(world: World, redis: Redis, clock_engine: Engine) -> None:
    for number in range(3):
        place("probe.short", ref=str(number))
    relay.relay(clock_engine, redis)
    held = RateLimitRegistry(f"alarms:t{OURS}", redis)
    [stuck, *_] = held.get_allowed_job_ids()
    lose(redis, UUID(stuck))
    with world.admin() as admin:
        admin.execute("update app.outbox set done_at = now() - interval '2 min' where id = %s", [stuck])

    reconcile.reconcile(clock_engine, redis, after_s=60)

    assert stuck not in held.get_allowed_job_ids()
    assert held.get_rate_limited_job_count() == 0


def test_a_second_run_does_not_wait_for_the_place_of_its_first(
    world: World, redis: Redis, clock_engine: Engine
) -> None:
    outbox_id = place("probe.long", ref="a")
    relay.relay(clock_engine, redis)
    redis.delete("rq:queue:media")
    with world.admin() as admin:
        admin.execute("update app.outbox set sent_at = null")

    relay.relay(clock_engine, redis)

    assert redis.lrange("rq:queue:media", 0, -1) == [str(outbox_id).encode()]


@pytest.mark.parametrize("situation", ["queued", "recent", "claimed", "done", "locked"])
def test_what_is_not_lost_stays(world: World, redis: Redis, clock_engine: Engine, situation: str) -> None:
    outbox_id = place("probe.short", ref="a")
    relay.relay(clock_engine, redis)
    if situation != "queued":
        redis.flushdb()
    if situation != "recent":
        age(world, outbox_id, 100)
    with world.admin() as admin:
        if situation == "claimed":
            admin.execute("update app.outbox set claimed_until = now() + interval '1 min'")
        if situation == "done":
            admin.execute("update app.outbox set done_at = now()")
        with admin.transaction():
            if situation == "locked":
                admin.execute("select 1 from app.outbox for update")
            assert reconcile.reconcile(clock_engine, redis, after_s=60) == 0


def test_a_job_that_kills_its_workers_is_given_up_and_reported(
    world: World, redis: Redis, clock_engine: Engine
) -> None:
    outbox_id = place("probe.short", ref="a")
    relay.relay(clock_engine, redis)
    redis.flushdb()
    with world.admin() as admin:
        admin.execute("update app.outbox set attempts = %s", [reconcile.MAX_ATTEMPTS])
    age(world, outbox_id, 100)

    reconcile.reconcile(clock_engine, redis, after_s=60)

    with world.admin() as admin:
        reports = admin.execute("select args from app.outbox where kind = 'audit.report_death'").fetchall()
    assert row(world, outbox_id)["dead_at"] is not None
    assert reports == [({"outbox_id": str(outbox_id)},)]


def test_waits_grow_to_a_quarter_of_an_hour() -> None:
    seconds = [reconcile.backoff(attempts).total_seconds() for attempts in (1, 2, 3, 30)]

    assert seconds[0] == pytest.approx(20, rel=0.21)
    assert seconds[1] == pytest.approx(40, rel=0.21)
    assert seconds[3] == pytest.approx(900, rel=0.21)


def test_a_job_that_keeps_losing_its_worker_waits_longer(world: World, redis: Redis, clock_engine: Engine) -> None:
    outbox_id = place("probe.short", ref="a")
    relay.relay(clock_engine, redis)
    redis.flushdb()
    with world.admin() as admin:
        admin.execute("update app.outbox set attempts = 4")
    age(world, outbox_id, 100)

    reconcile.reconcile(clock_engine, redis, after_s=60)

    assert relay.relay(clock_engine, redis) == 0


def test_old_rows_are_deleted(world: World, clock_engine: Engine) -> None:
    kept, done, dead = (place("probe.short", ref=ref) for ref in "abc")
    with world.admin() as admin:
        admin.execute("update app.outbox set done_at = now() - interval '8 days' where id = %s", [done])
        admin.execute("update app.outbox set dead_at = now() - interval '91 days' where id = %s", [dead])

    assert reconcile.clean(clock_engine) == 2
    assert row(world, kept)


@pytest.mark.parametrize("change", [
    {"func_name": "os.system"},
    {"kwargs": {"x": 1}},
    {"args": ("rm", "x")},
    {"args": (1, 2)},
    {"args": ("x",)},
    {"instance": "x"},
])  # fmt: skip
def test_a_job_written_by_others_is_refused(redis: Redis, change: dict[str, object]) -> None:
    forged = wire.OutboxJob.create("os.system", args=("x", 1), connection=redis, serializer="json")
    forged.func_name = wire.PERFORM
    for name, value in change.items():
        setattr(forged, name, value)
    forged.save()

    fetched = wire.OutboxJob.fetch(forged.id, connection=redis, serializer="json")
    with pytest.raises(wire.RefusedJob):
        assert fetched.func


def test_callbacks_and_webhooks_of_others_are_dropped(redis: Redis) -> None:
    forged = wire.OutboxJob.create(wire.PERFORM, args=(str(uuid4()), 1), connection=redis, serializer="json")
    forged.save()
    redis.hset(forged.key, mapping={
        "success_callback_name": "os.system", "failure_callback_name": "os.system", "stopped_callback_name": "os.system",
        "webhooks": '[{"url": "http://127.0.0.1:1/", "events": ["finished"]}]',
    })  # fmt: skip

    fetched = wire.OutboxJob.fetch(forged.id, connection=redis, serializer="json")

    assert (fetched.success_callback, fetched.failure_callback, fetched.stopped_callback) == (None, None, None)
    assert fetched.webhooks == []
    assert fetched.func.__name__ == "perform"
