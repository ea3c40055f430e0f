"""Holds: placed around a demonstration's alarms, told to the node that keeps the footage, ended by their date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.nodes import service as nodes
from tenants.core import service as municipalities
from tests.support.fake_province import contract
from tests.support.nodes import add_camera, enrolled, event, leased, send
from tests.support.world import OURS, THEIRS, World, actor

pytestmark = pytest.mark.usefixtures("plugs")
SCHEMA = contract("desired")


@pytest.fixture
def at() -> Iterator[Any]:
    """Moves the clock of the process."""
    start = clock.now()

    def move(by: timedelta) -> None:
        clock.use(lambda: start + by)

    yield move
    clock.use(None)


def told(node: Actor) -> list[dict[str, Any]]:
    with unit_of_work(node, read_only=True):
        state = nodes.desired_state(node, since=None)
    assert state is not None
    SCHEMA.validate(state)
    holds: list[dict[str, Any]] = state["holds"]
    return holds


def version(node: Actor) -> int:
    with unit_of_work(node, read_only=True):
        state = nodes.desired_state(node, since=None)
    assert state is not None
    number: int = state["version"]
    return number


def placed(world: World) -> list[tuple[int, str]]:
    with world.admin() as conn:
        rows = conn.execute("select tenant_id, kind from app.holds order by tenant_id, id").fetchall()
    return [(tenant_id, kind) for tenant_id, kind in rows]


def test_alarm_of_a_demonstration_holds_its_footage_for_an_hour(world: World) -> None:
    node, neighbour = enrolled(), enrolled(THEIRS)
    camera = add_camera(place="square")
    before, beside = version(node), version(neighbour)
    seen = event(camera.id)

    send(node, seen, fence=leased(world, node))

    (hold,) = told(node)
    detected = datetime.fromisoformat(seen["seen_at"])
    assert hold["camera_id"] == str(camera.id)
    assert datetime.fromisoformat(hold["from"]) == detected - timedelta(seconds=70)
    assert datetime.fromisoformat(hold["to"]) == detected + timedelta(seconds=65)
    left = datetime.fromisoformat(hold["expires_at"]) - clock.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert placed(world) == [(OURS, "alarma")]
    assert (version(node), version(neighbour)) == (before + 1, beside)
    assert told(neighbour) == []
    with world.admin() as conn:
        (entry,) = conn.execute("select tenant_id from app.audit_entries where action = 'evidence:hold:place'").fetchall()
    assert entry == (OURS,)


def test_each_municipality_is_told_its_own_holds(world: World) -> None:
    ours, theirs = enrolled(), enrolled(THEIRS)
    mine, other = add_camera(place="square"), add_camera(THEIRS, place="square")

    for node, camera in ((ours, mine), (theirs, other)):
        send(node, event(camera.id), fence=leased(world, node))

    assert [hold["camera_id"] for hold in told(ours)] == [str(mine.id)]
    assert [hold["camera_id"] for hold in told(theirs)] == [str(other.id)]


def test_repeat_that_joins_an_alarm_places_no_other_hold(world: World) -> None:
    node = enrolled()
    camera = add_camera(place="square")
    fence = leased(world, node)

    for key in ("k1", "k1", "k2"):
        send(node, event(camera.id, key=key), fence=fence)

    assert placed(world) == [(OURS, "alarma")]


def test_hold_that_ended_is_told_no_more(world: World, at: Any) -> None:
    node = enrolled()
    send(node, event(add_camera(place="square").id), fence=leased(world, node))
    assert len(told(node)) == 1

    at(timedelta(minutes=59))
    assert len(told(node)) == 1
    at(timedelta(minutes=61))
    assert told(node) == []


def test_removed_camera_keeps_its_holds(world: World) -> None:
    node = enrolled()
    camera = add_camera(place="square")
    send(node, event(camera.id), fence=leased(world, node))

    with unit_of_work(actor()):
        cameras.decommission_camera(actor(), camera_id=camera.id, version=1)

    assert [hold["camera_id"] for hold in told(node)] == [str(camera.id)]


def test_municipality_outside_the_demonstration_holds_nothing_by_itself(world: World) -> None:
    node = enrolled()
    with world.admin() as conn:
        conn.execute("update app.tenants set is_demo = false where id = %s", [OURS])
    municipalities.forget()
    try:
        answer = send(node, event(add_camera(place="square").id), fence=leased(world, node))
        assert len(answer.orders) == 1  # the alarm was raised, and its clip asked for
        assert placed(world) == []
    finally:
        with world.admin() as conn:
            conn.execute("update app.tenants set is_demo = true where id = %s", [OURS])
        municipalities.forget()


def test_camera_that_is_not_recorded_holds_nothing(world: World) -> None:
    node = enrolled()

    send(node, event(add_camera(place="square", record=False).id), fence=leased(world, node))

    assert placed(world) == []
