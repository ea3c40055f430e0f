"""Tombstones are kept once and explain what is absent; a volume with nothing left to delete alarms once, until it records again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from app.evidence.custody import service as custody
from app.evidence.custody.types import PurgedSpan
from app.kernel import clock
from app.kernel.errors import Forbidden
from app.kernel.unit_of_work import unit_of_work
from tests.support.nodes import add_camera, ago, enrolled, send
from tests.support.world import OURS, THEIRS, World, actor

pytestmark = pytest.mark.usefixtures("plugs")


def purge(camera_id: object, **changes: Any) -> dict[str, Any]:
    return {
        "type": "purge", "purge_id": str(uuid4()), "camera_id": str(camera_id), "from_at": ago(7200), "to_at": ago(7140),
        "segments": 1, "bytes": 1000, "cause": "presion", "ordered_at": ago(11), "deleted_at": ago(10), **changes,
    }  # fmt: skip


def gap(camera_id: object, **changes: Any) -> dict[str, Any]:
    return {
        "type": "gap", "gap_id": str(uuid4()), "camera_id": str(camera_id), "from_at": ago(20), "to_at": None,
        "cause": "disco", "code": "hold_only", "flaps": 0, **changes,
    }  # fmt: skip


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    with world.admin() as conn:
        return conn.execute(query).fetchall()


def spans(camera_id: Any, tenant_id: int = OURS) -> list[PurgedSpan]:
    who = actor(tenant_id, "operador-municipal")
    with unit_of_work(who, read_only=True):
        return custody.purged_of(who, camera_id=camera_id, since=clock.now().replace(year=2000))


def alarm_rows(world: World) -> list[tuple[Any, ...]]:
    return rows(world, "select tenant_id, title_code, priority, active, count from app.alarms order by tenant_id, id")


def test_tombstone_is_kept_once_and_recorded_once(world: World) -> None:
    node = enrolled()
    one, other = (purge(camera.id) for camera in (add_camera(), add_camera()))

    assert send(node, one, other).accepted == [0, 1]
    assert send(node, one).accepted == [0]
    assert send(node, one | {"bytes": 5}, purge(one["camera_id"])).accepted == [0, 1]

    assert rows(world, "select count(*), sum(bytes) from app.tombstones") == [(3, 3000)]
    assert rows(world, "select count(*) from app.audit_entries where action = 'evidence:footage:purge'") == [(2,)]


def test_tombstones_of_a_municipality_are_its_own(world: World) -> None:
    ours, theirs = enrolled(), enrolled(THEIRS)
    mine, other = add_camera(), add_camera(THEIRS)

    assert [one.code for one in send(ours, purge(other.id)).rejected] == ["unknown_camera"]
    assert send(ours, purge(mine.id)).accepted == [0]
    assert send(theirs, purge(other.id)).accepted == [0]

    assert rows(world, "select tenant_id from app.tombstones order by 1") == [(OURS,), (THEIRS,)]
    assert (len(spans(mine.id)), len(spans(other.id)), len(spans(other.id, THEIRS))) == (1, 0, 1)


@pytest.mark.parametrize(
    "wrong",
    [{"cause": "porque si"}, {"to_at": ago(7300)}, {"segments": -1}, {"deleted_at": None}, {"purge_id": "x"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_malformed_tombstone_is_refused_alone(world: World, wrong: dict[str, Any]) -> None:
    node = enrolled()
    camera = add_camera()

    answer = send(node, purge(camera.id, **wrong), purge(camera.id))

    assert ([one.code for one in answer.rejected], answer.accepted) == (["malformed"], [1])
    assert rows(world, "select count(*) from app.tombstones") == [(1,)]


def test_application_can_neither_change_nor_remove_a_tombstone(world: World) -> None:
    for privilege in ("UPDATE", "DELETE"):
        assert rows(world, f"select has_table_privilege('app_rw', 'app.tombstones', '{privilege}')") == [(False,)]
    assert rows(world, "select has_table_privilege('app_rw', 'app.tombstones', 'INSERT')") == [(True,)]


def test_who_may_not_see_cameras_does_not_see_what_was_deleted() -> None:
    trainee = actor(OURS, "alumno")
    with unit_of_work(trainee, read_only=True), pytest.raises(Forbidden):
        custody.purged_of(trainee, camera_id=uuid4(), since=clock.now())


def test_exhausted_storage_is_one_critical_alarm_until_every_camera_records_again(world: World) -> None:
    node, _ = enrolled(), enrolled(THEIRS)
    first, second = gap(add_camera().id), gap(add_camera().id, from_at=ago(1))

    for _ in range(2):
        assert send(node, first).accepted == [0]
    assert alarm_rows(world) == [(OURS, "ALMACENAMIENTO_AGOTADO", 1, True, 1)]
    send(node, second)
    assert alarm_rows(world) == [(OURS, "ALMACENAMIENTO_AGOTADO", 1, True, 2)]

    send(node, first | {"to_at": ago(0)})
    assert alarm_rows(world)[0][3] is True
    send(node, second | {"to_at": ago(0)})
    assert alarm_rows(world) == [(OURS, "ALMACENAMIENTO_AGOTADO", 1, False, 2)]
    assert rows(world, "select count(*) from app.recording_gaps where to_at is null") == [(0,)]


def test_camera_that_joins_late_joins_the_alarm_that_goes_on(world: World) -> None:
    node = enrolled()
    send(node, gap(add_camera().id, from_at=ago(4000)))

    send(node, gap(add_camera().id))

    assert [row[4] for row in alarm_rows(world)] == [2]


def test_storage_exhausted_again_is_another_alarm(world: World) -> None:
    node = enrolled()
    old = gap(add_camera().id, from_at=ago(4000))
    send(node, old)
    send(node, old | {"to_at": ago(3000)})

    send(node, gap(old["camera_id"]))

    assert [row[3] for row in alarm_rows(world)] == [False, True]


def test_alarm_of_the_storage_asks_for_no_clip_and_holds_nothing(world: World) -> None:
    node = enrolled()

    assert send(node, gap(add_camera().id)).orders == []
    assert rows(world, "select count(*) from app.holds") == [(0,)]


def test_gap_that_was_over_when_it_was_told_or_has_another_cause_raises_nothing(world: World) -> None:
    node = enrolled()
    camera = add_camera()

    send(node, gap(camera.id, to_at=ago(1)), gap(camera.id, code="disk_full"))

    assert alarm_rows(world) == []


def test_open_gap_takes_the_better_known_cause(world: World) -> None:
    node = enrolled()
    first = gap(add_camera().id, cause="desconocida", code="unknown")
    send(node, first)

    send(node, first | {"cause": "disco", "code": "hold_only"})

    assert rows(world, "select cause, code, to_at from app.recording_gaps") == [("disco", "hold_only", None)]
    assert len(alarm_rows(world)) == 1
