"""Events become alarms once, share a card with their repeats, and stay in their municipality."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.kernel import clock, events
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.alarms import service as alarms
from app.monitoring.alarms.events import AlarmRaised
from app.monitoring.alarms.types import Candidate, Raised
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS, World, actor

NOW = datetime.fromisoformat("2026-11-22T22:14:19+00:00")


@pytest.fixture(autouse=True)
def still_clock() -> Iterator[list[datetime]]:
    """The present moment, moved by writing into the list."""
    moment = [NOW]
    clock.use(lambda: moment[0])
    yield moment
    clock.use(None)


def candidate(camera: UUID, key: str = "e1", rule: str = "wrong_way", age_s: float = 1, **changes: Any) -> Candidate:
    return Candidate(
        key=key, rule=rule, camera_id=camera, occurred_at=clock.now() - timedelta(seconds=age_s), **changes
    )


def raise_(one: Candidate, tenant: int = OURS) -> Raised:
    with unit_of_work(node(tenant)):
        return alarms.raise_from_event(node(tenant), one)


def get(alarm_id: UUID | None, tenant: int = OURS) -> alarms.AlarmView:
    assert alarm_id is not None
    who = actor(tenant)
    with unit_of_work(who, read_only=True):
        return alarms.get_alarm(who, alarm_id=alarm_id)


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    with world.admin() as conn:
        return conn.execute(query).fetchall()


def test_raise_writes_alarm_audit_and_notice_together(world: World) -> None:
    raised = raise_(candidate(make_camera(world)))

    assert raised.outcome == "raised"
    alarm = get(raised.alarm_id)
    assert (alarm.title, alarm.priority_label, alarm.state_label, alarm.active) == (
        "Circulación a contramano", "Alta", "Sin tomar", True,
    )  # fmt: skip
    assert rows(world, "select count(*) from app.audit_entries where action = 'alarms:alarm:raise'") == [(1,)]
    ((kind, payload),) = rows(world, "select kind, payload from app.tenant_events")
    assert (kind, payload["id"], payload["camera_name"], payload["state"]) == (
        "alarm.raised", str(raised.alarm_id), "Acceso Ruta 3", "new",
    )  # fmt: skip


def test_raise_twice_is_one_alarm(world: World) -> None:
    one = candidate(make_camera(world))

    first, second = raise_(one), raise_(one)

    assert (second.alarm_id, second.outcome) == (first.alarm_id, "repeated")
    assert get(first.alarm_id).count == 1


def test_raise_at_once_from_many_is_one_alarm(world: World) -> None:
    camera = make_camera(world)
    outcomes: list[str] = []

    def work(n: int) -> None:
        outcomes.append(raise_(candidate(camera, key=f"e{n % 3}")).outcome)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["grouped", "grouped", "raised", "repeated", "repeated", "repeated"]
    assert rows(world, "select count from app.alarms") == [(3,)]


@pytest.mark.parametrize(("gap_s", "outcome"), [(119, "grouped"), (121, "raised")])
def test_a_repeat_groups_within_two_minutes(
    world: World, still_clock: list[datetime], gap_s: int, outcome: str
) -> None:
    camera = make_camera(world)
    raise_(candidate(camera, "e1"))

    still_clock[0] += timedelta(seconds=gap_s)

    assert raise_(candidate(camera, "e2")).outcome == outcome


def test_a_group_ends_ten_minutes_after_its_first(world: World, still_clock: list[datetime]) -> None:
    camera = make_camera(world)
    outcomes = []
    for n in range(8):
        outcomes.append(raise_(candidate(camera, f"e{n}")).outcome)
        still_clock[0] += timedelta(seconds=100)

    assert outcomes == ["raised", *["grouped"] * 6, "raised"]


def test_other_cameras_rules_and_municipalities_do_not_group(world: World) -> None:
    one, two, theirs = make_camera(world), make_camera(world), make_camera(world, THEIRS)

    assert [
        raise_(candidate(one, "a")).outcome,
        raise_(candidate(two, "b")).outcome,
        raise_(candidate(one, "c", "zone_enter")).outcome,
        raise_(candidate(theirs, "a"), THEIRS).outcome,
        raise_(candidate(one, "d")).outcome,
    ] == ["raised", "raised", "raised", "raised", "grouped"]


def test_a_repeat_of_a_finished_alarm_is_a_new_one(world: World) -> None:
    camera = make_camera(world)
    first = get(raise_(candidate(camera, "a")).alarm_id)
    who = actor()
    with unit_of_work(who):
        alarms.discard(who, alarm_id=first.id, version=first.version, code="SOMBRA")

    assert raise_(candidate(camera, "b")).outcome == "raised"


def test_a_more_urgent_repeat_raises_the_group(world: World) -> None:
    camera = make_camera(world)
    first = raise_(candidate(camera, "a"))

    raise_(candidate(camera, "b", priority=1))

    assert get(first.alarm_id).priority == 1
    kinds = rows(world, "select payload -> 'insist' from app.tenant_events where kind = 'alarm.updated'")
    assert kinds == [(True,)]


def test_an_old_event_is_counted_by_when_it_arrived(world: World) -> None:
    camera = make_camera(world)

    assert raise_(candidate(camera, "a", age_s=301)).outcome == "counted"
    late = candidate(camera, "b", age_s=600)
    assert raise_(replace(late, received_at=late.occurred_at + timedelta(seconds=2))).outcome == "raised"


def test_a_foreign_camera_raises_nothing(world: World) -> None:
    theirs = make_camera(world, THEIRS)

    assert raise_(candidate(theirs), OURS) == Raised(None, "counted")
    assert raise_(candidate(theirs), THEIRS).outcome == "raised"


def test_two_listed_plates_at_one_camera_are_two_cards(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482QK", "ZB111AA")

    submit(node(), read(camera, "ZA482QK"), read(camera, "ZB111AA"), read(camera, "ZA482QK"))

    assert sorted(rows(world, "select plate, count from app.alarms")) == [("ZA482QK", 2), ("ZB111AA", 1)]


@pytest.mark.parametrize(("consensus", "match"), [("strong", "exact"), ("weak", "possible"), ("single", "possible")])
def test_a_plate_hit_keeps_the_entry_as_it_was(world: World, consensus: str, match: str) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, {"plate": "ZA482QK", "authority": "UFI 4", "make": "VW", "model": "Gol"}, refresh_hours=24)

    submit(node(), read(camera, consensus=consensus))

    ((detail, found, priority),) = rows(world, "select detail, match, priority from app.alarms")
    assert (found, priority) == (match, 1)
    assert (detail["entry"]["authority"], detail["entry"]["vehicle"], detail["entry"]["is_stale"]) == (
        "UFI 4",
        "VW Gol",
        False,
    )


def test_an_alarm_announces_itself_once_to_who_listens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[AlarmRaised] = []
    monkeypatch.setitem(events._subscribers, AlarmRaised, [heard.append])
    camera = make_camera(world, demo=True)

    raise_(candidate(camera, "a"))
    raise_(candidate(camera, "b"))

    assert [(one.camera_id, one.rule, one.is_demo) for one in heard] == [(camera, "wrong_way", True)]


def test_a_subscriber_that_fails_leaves_no_alarm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: AlarmRaised) -> None:
        raise RuntimeError("disco lleno")

    monkeypatch.setitem(events._subscribers, AlarmRaised, [fail])

    with pytest.raises(RuntimeError):
        raise_(candidate(make_camera(world)))

    assert rows(world, "select count(*) from app.alarms") == [(0,)]
    assert rows(world, "select count(*) from app.tenant_events") == [(0,)]


def test_ending_every_event_makes_the_alarm_inactive(world: World) -> None:
    camera = make_camera(world)
    raised = raise_(candidate(camera, "a"))
    raise_(candidate(camera, "b"))

    activity = []
    for key in ("a", "b", "b"):
        with unit_of_work(node()):
            alarms.end_event(node(), key=key, ended_at=clock.now())
        activity.append(get(raised.alarm_id).active)

    assert activity == [True, False, False]


def _timers(world: World) -> list[tuple[str, float]]:
    found = rows(world, "select args ->> 'step', run_at from app.outbox where kind = 'alarms.escalate' order by run_at")
    return [(step, (run_at - NOW).total_seconds()) for step, run_at in found]


@pytest.mark.parametrize(
    ("priority", "timers"),
    [
        (1, [("insist", 15.0), ("supervisor", 30.0)]),
        (2, [("supervisor", 120.0), ("insist", 300.0)]),
        (3, []),
    ],
)
def test_the_clocks_of_an_alarm_follow_its_priority(
    world: World, priority: int, timers: list[tuple[str, float]]
) -> None:
    raised = raise_(candidate(make_camera(world), priority=priority))

    assert _timers(world) == timers
    due = get(raised.alarm_id).supervisor_at
    assert due == next((NOW + timedelta(seconds=s) for step, s in timers if step == "supervisor"), None)


def test_escalation_tells_the_supervisor_once_and_stops_when_taken(world: World) -> None:
    waiting, taken = (raise_(candidate(make_camera(world), f"e{n}", priority=1)) for n in range(2))
    who = actor()
    with unit_of_work(who):
        alarms.acknowledge(who, alarm_id=taken.alarm_id, version=1)  # type: ignore[arg-type]

    for alarm_id in (waiting.alarm_id, waiting.alarm_id, taken.alarm_id):
        with unit_of_work(node()):
            alarms.escalate(node(), alarm_id=alarm_id, step="supervisor")  # type: ignore[arg-type]

    notices = rows(world, "select ref from app.tenant_events where kind = 'console.notice'")
    assert notices == [(str(waiting.alarm_id),)]
    assert get(waiting.alarm_id).escalated_at is not None
    assert get(taken.alarm_id).escalated_at is None


def test_a_flood_begins_above_ten_and_ends_below_five(world: World, still_clock: list[datetime]) -> None:
    cameras = [make_camera(world, code=f"C{n}") for n in range(12)]
    marks = [get(raise_(candidate(camera, f"e{n}")).alarm_id).in_flood for n, camera in enumerate(cameras)]

    with unit_of_work(node()):
        alarms.watch_flood(node())
    still_going = rows(world, "select ended_at is null, peak from app.alarm_floods")
    still_clock[0] += timedelta(minutes=11)
    with unit_of_work(node()):
        alarms.watch_flood(node())

    assert marks == [False] * 10 + [True] * 2
    assert still_going == [(True, 12)]
    assert rows(world, "select ended_at is null from app.alarm_floods") == [(False,)]
    notices = rows(
        world, "select payload ->> 'notice' from app.tenant_events where kind = 'console.notice' order by seq"
    )
    assert notices == [("flood_began",), ("flood_ended",)]
