"""What a camera sees while somebody works on it is kept and never alarmed; what names a cause is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.kernel import clock
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.alarms import service as alarms
from app.monitoring.alarms.types import CAUSE_RULES, RULE_TITLES, Candidate, Raised
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS, World

NOW = datetime.fromisoformat("2026-11-22T22:14:19+00:00")


@pytest.fixture(autouse=True)
def still_clock() -> Iterator[None]:
    clock.use(lambda: NOW)
    yield
    clock.use(None)


def maintain(world: World, camera: UUID, *, since_s: float | None = -600, until_s: float = 600) -> None:
    since = None if since_s is None else NOW + timedelta(seconds=since_s)
    with world.admin() as conn:
        conn.execute(
            "update app.cameras set maintenance_from = %s, maintenance_until = %s where id = %s",
            [since, NOW + timedelta(seconds=until_s), camera],
        )


def candidate(camera: UUID, rule: str = "wrong_way", **changes: Any) -> Candidate:
    return replace(Candidate(f"{camera}:{rule}", rule, camera, NOW - timedelta(seconds=1)), **changes)


def raise_(one: Candidate, tenant: int = OURS) -> Raised:
    with unit_of_work(node(tenant)):
        return alarms.raise_from_event(node(tenant), one)


def count(world: World, table: str, where: str = "true") -> int:
    with world.admin() as conn:
        row = conn.execute(f"select count(*) from app.{table} where {where}").fetchone()
    assert row is not None
    number: int = row[0]
    return number


@pytest.mark.parametrize("rule", sorted(RULE_TITLES))
def test_analytics_of_a_camera_in_maintenance_are_counted_and_causes_are_raised(world: World, rule: str) -> None:
    camera, other = make_camera(world), make_camera(world)
    maintain(world, camera)

    raised = raise_(candidate(camera, rule))

    assert raised.outcome == ("raised" if rule in CAUSE_RULES else "counted")
    assert raise_(candidate(other, rule)).outcome == "raised"


def test_maintenance_of_a_neighbours_camera_silences_nothing_here(world: World) -> None:
    ours, theirs = make_camera(world), make_camera(world, THEIRS)
    maintain(world, theirs)

    assert raise_(candidate(ours)).outcome == "raised"
    assert raise_(candidate(theirs), THEIRS).outcome == "counted"


@pytest.mark.parametrize(
    ("since_s", "until_s", "outcome"),
    [(-600, 600, "counted"), (None, 600, "counted"), (-600, -2, "raised"), (0, 600, "raised"), (-600, -1, "raised"), (-1, 600, "counted")],
)  # fmt: skip
def test_what_counts_is_when_it_was_seen(world: World, since_s: float | None, until_s: float, outcome: str) -> None:
    camera = make_camera(world)
    maintain(world, camera, since_s=since_s, until_s=until_s)

    assert raise_(candidate(camera)).outcome == outcome


def test_alarm_that_was_there_stays_and_takes_no_repeats_and_still_ends(world: World) -> None:
    camera = make_camera(world)
    before = raise_(candidate(camera))
    maintain(world, camera, since_s=-0.5)

    assert raise_(candidate(camera, key="again", occurred_at=NOW)).outcome == "counted"
    assert count(world, "alarms", "state = 'new' and active and count = 1") == 1
    with unit_of_work(node()):
        alarms.end_event(node(), key=candidate(camera).key, ended_at=NOW)
    assert count(world, "alarms", "not active") == 1
    assert before.outcome == "raised"


def test_listed_plate_is_kept_as_a_hit_and_alarms_nobody(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482QK")
    maintain(world, camera)

    submit(node(), read(camera))

    assert count(world, "plate_reads") == 1
    assert count(world, "plate_hits", "state = 'counted' and alarm_id is null") == 1
    assert count(world, "alarms") == 0
