"""What a node sends is kept once, fenced, item by item, and raises its alarms even when the process dies in between."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import OperationalError

from app.kernel import clock
from app.kernel.actor import system_actor
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.nodes import intake
from app.monitoring.nodes import service as nodes
from app.monitoring.nodes.errors import StaleEpoch
from app.monitoring.nodes.types import Fence
from tests.support.nodes import add_camera, ago, enrolled, event, iso, leased, plate, send
from tests.support.room import make_hotlist
from tests.support.world import OURS, THEIRS, World, actor

pytestmark = pytest.mark.usefixtures("plugs")
SHA = "a" * 64


def count(world: World, table: str, where: str = "true") -> int:
    with world.admin() as conn:
        row = conn.execute(f"select count(*) from app.{table} where {where}").fetchone()
    assert row is not None
    number: int = row[0]
    return number


def events(world: World) -> list[tuple[str, str]]:
    with world.admin() as conn:
        return list(conn.execute("select key, state from app.node_events order by key"))


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes the alarm desk fail, as a process that dies right after the bulk insert."""
    failures: list[str] = []

    def fail(_actor: object, candidate: Any) -> None:
        failures.append(candidate.key)
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr(intake.alarms, "raise_from_event", fail)
    return failures


def test_event_is_kept_and_raised_once_however_often_it_is_sent(world: World) -> None:
    node = enrolled()
    camera = add_camera(place="square")
    fence = leased(world, node)
    item = event(camera.id)

    answers = [send(node, item, fence=fence) for _ in range(3)]

    assert [answer.accepted for answer in answers] == [[0], [0], [0]]
    assert events(world) == [("k1", "raised")]
    assert count(world, "alarms") == 1
    assert count(world, "alarm_occurrences") == 1


def test_batch_of_a_lost_lease_is_refused_whole(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    old = leased(world, node, "a")
    with world.admin() as conn:
        conn.execute("update app.session_leases set expires_at = now() - interval '1 second'")
    fresh = leased(world, node, "b")

    with pytest.raises(StaleEpoch):
        send(node, event(camera.id), plate(camera.id), fence=old)
    with pytest.raises(StaleEpoch):
        send(node, event(camera.id), fence=Fence(uuid4(), fresh.epoch))

    assert events(world) == []
    assert count(world, "plate_reads") == 0
    assert send(node, event(camera.id), fence=fresh).accepted == [0]


def test_expired_lease_that_nobody_took_still_writes(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    fence = leased(world, node)
    with world.admin() as conn:
        conn.execute("update app.session_leases set expires_at = now() - interval '1 hour'")

    assert send(node, event(camera.id), fence=fence).accepted == [0]


def test_session_of_another_municipality_fences_out(world: World) -> None:
    ours, theirs = enrolled(), enrolled(THEIRS)
    foreign = leased(world, theirs)

    with pytest.raises(StaleEpoch):
        send(ours, fence=foreign)
    assert send(theirs, fence=foreign).accepted == []


def test_bad_items_are_named_and_harm_no_other(world: World) -> None:
    node = enrolled()
    camera, theirs = add_camera(), add_camera(THEIRS)
    fence = leased(world, node)
    items: list[dict[str, Any]] = [
        event(camera.id, key="good"),
        event(theirs.id, key="foreign"),
        event(camera.id, key="future", age_s=-600),
        event(camera.id, key="ancient", age_s=100 * 86400),
        {"type": "event", "camera_id": str(camera.id)},
        {"type": "telepathy"},
        {"type": "snapshot", "camera_id": str(camera.id), "taken_at": ago(1), "sha256": "zz"},
        {"type": "gap", "gap_id": "x", "camera_id": str(camera.id)},
        {"type": "plate_read", "camera_id": str(camera.id), "pass_id": None},
        plate(camera.id, confidence=7),
        plate(camera.id, char_conf=[["A"]]),
        event(camera.id, key="k" * 400),
        event(camera.id, key="d", detail=[1]),
        event(camera.id, key="n", seen_at="2026-11-23 10:00"),
        {"type": "order_result", "order_id": str(uuid4()), "state": "failed", "error": "x"},
        {},
    ]

    answer = send(node, *items, fence=fence)

    assert answer.accepted == [0]
    assert {one.n: one.code for one in answer.rejected} == {
        1: "unknown_camera", 2: "future", 3: "too_old", 4: "malformed", 5: "unknown_type", 6: "malformed", 7: "malformed",
        8: "malformed", 9: "malformed", 10: "malformed", 11: "malformed", 12: "malformed", 13: "malformed",
        14: "unknown_order", 15: "unknown_type",
    }  # fmt: skip
    assert all(one.title.endswith(".") for one in answer.rejected)
    assert [key for key, _ in events(world)] == ["good"]


def test_analysis_without_its_session_is_refused_and_health_is_not(world: World) -> None:
    node = enrolled()
    camera = add_camera()

    answer = send(
        node, event(camera.id), plate(camera.id),
        {"type": "camera_state", "camera_id": str(camera.id), "state": "online", "since": ago(5), "error_code": None},
        {"type": "snapshot", "camera_id": str(camera.id), "taken_at": ago(3), "sha256": SHA},
    )  # fmt: skip

    assert answer.accepted == [2, 3]
    assert {one.code for one in answer.rejected} == {"session_required"}
    with unit_of_work(actor(), read_only=True):
        state = cameras.get_camera(actor(), camera_id=camera.id).state
    assert (state.state, state.last_frame_sha) == ("online", SHA)


def test_older_snapshot_does_not_replace_a_newer_one() -> None:
    node = enrolled()
    camera = add_camera()
    newer = {"type": "snapshot", "camera_id": str(camera.id), "taken_at": ago(3), "sha256": SHA}

    send(node, newer)
    send(node, newer | {"taken_at": ago(60), "sha256": "b" * 64})

    with unit_of_work(actor(), read_only=True):
        assert cameras.get_camera(actor(), camera_id=camera.id).state.last_frame_sha == SHA


def test_listed_plate_alarms_once_for_its_provisional_and_its_final(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    make_hotlist(OURS, "ZA482QK")
    make_hotlist(THEIRS, "ZB111AA")
    fence = leased(world, node)
    final = plate(camera.id)

    send(node, final | {"type": "plate_provisional", "key": "k:p"}, fence=fence)
    assert (count(world, "plate_reads"), count(world, "alarms")) == (0, 1)
    send(node, final, plate(camera.id, "ZB111AA"), fence=fence)
    send(node, final, fence=fence)

    assert (count(world, "plate_reads"), count(world, "alarms")) == (2, 1)


def test_plate_that_is_none_is_rejected_alone(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    fence = leased(world, node)

    answer = send(node, plate(camera.id, "?" * 150), plate(camera.id), fence=fence)

    assert answer.accepted == [1]
    assert answer.rejected[0].n == 0
    assert count(world, "plate_reads") == 1


def test_alarms_of_a_process_that_died_are_raised_by_the_net_once(world: World, raising: list[str]) -> None:
    node = enrolled()
    camera = add_camera(place="square")
    fence = leased(world, node)
    items = [event(camera.id, key=f"k{n}", kind=kind) for n, kind in enumerate(("zone_enter", "dwell", "line_cross"))]

    assert send(node, *items, fence=fence).accepted == [0, 1, 2]

    assert len(raising) == 1  # the first failure leaves the rest to the net
    assert {state for _, state in events(world)} == {"pending"}
    assert count(world, "outbox", "kind = 'nodes.raise_pending'") == 1


def test_net_raises_what_is_pending_and_twice_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node = enrolled()
    camera = add_camera(place="square")
    fence = leased(world, node)
    with monkeypatch.context() as dead:
        dead.setattr(intake, "_raise", lambda *_: None)
        send(node, event(camera.id, key="k1"), event(camera.id, key="k2", kind="dwell"), fence=fence)
    net = system_actor("jobs", tenant_id=OURS)

    for _ in range(2):
        with unit_of_work(net):
            nodes.raise_pending(net)

    assert events(world) == [("k1", "raised"), ("k2", "raised")]
    assert count(world, "alarms") == 2


def test_net_of_one_municipality_does_not_see_the_others_events(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = enrolled(THEIRS)
    camera = add_camera(THEIRS)
    fence = leased(world, theirs)
    with monkeypatch.context() as dead:
        dead.setattr(intake, "_raise", lambda *_: None)
        send(theirs, event(camera.id), fence=fence)

    for tenant_id, state in ((OURS, "pending"), (THEIRS, "raised")):
        with unit_of_work(system_actor("jobs", tenant_id=tenant_id)):
            nodes.raise_pending(system_actor("jobs", tenant_id=tenant_id))

        assert events(world) == [("k1", state)]


def test_end_of_an_episode_is_counted_and_ends_its_alarm(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    fence = leased(world, node)
    begun = event(camera.id, key="w1", kind="wrong_way", age_s=20)
    ended = event(
        camera.id, key="w1:end", kind="wrong_way_end", age_s=2, ended_at=ago(2), detail={"of": "w1", "path": [[0, 0]]}
    )

    send(node, begun, fence=fence)
    assert count(world, "alarms", "active") == 1
    send(node, ended, fence=fence)

    assert (count(world, "alarms"), count(world, "alarms", "active")) == (1, 0)
    assert events(world) == [("w1", "raised"), ("w1:end", "counted")]


def test_event_from_before_a_long_cut_is_counted_and_never_alarmed(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    fence = leased(world, node)

    send(node, event(camera.id, age_s=3600), fence=fence)

    assert events(world) == [("k1", "counted")]
    assert count(world, "alarms") == 0


def test_hours_and_gaps_are_kept_once_and_an_open_gap_is_closed(world: World) -> None:
    node = enrolled()
    camera = add_camera()
    hour = {
        "type": "hours", "camera_id": str(camera.id), "hour": iso(clock.now().replace(minute=0, second=0, microsecond=0)),
        "recorded_ms": 3_590_000, "segments": 60, "bytes": 900_000_000, "chain_sha": SHA,
    }  # fmt: skip
    gap = {
        "type": "gap", "gap_id": str(uuid4()), "camera_id": str(camera.id), "from_at": ago(50), "to_at": None,
        "cause": "camara", "code": "camera_offline",
    }  # fmt: skip

    for item in (hour, gap, hour, gap | {"to_at": ago(20)}, gap | {"to_at": ago(10)}, gap):
        assert send(node, item).accepted == [0]

    assert count(world, "recording_hours") == 1
    assert count(world, "recording_gaps") == 1
    assert count(world, "recording_gaps", "to_at < now() - interval '15 seconds'") == 1


def test_interrupted_order_of_another_node_is_not_ours(world: World) -> None:
    ours, theirs = enrolled(), enrolled(THEIRS)
    camera = add_camera(THEIRS, place="square")
    send(theirs, event(camera.id), fence=leased(world, theirs))
    with world.admin() as conn:
        order = conn.execute("select id from app.node_orders").fetchone()
    assert order is not None
    result = {"type": "order_result", "order_id": str(order[0]), "state": "failed", "error": "no_footage"}

    assert [one.code for one in send(ours, result).rejected] == ["unknown_order"]
    assert send(theirs, result).accepted == [0]


def test_answer_carries_the_clip_order_of_the_alarm_it_caused(world: World) -> None:
    node = enrolled()
    camera = add_camera(place="square")

    answer = send(node, event(camera.id), fence=leased(world, node))

    (order,) = answer.orders
    assert (order.kind, order.camera_id) == ("cut_clip", camera.id)
    assert order.to_at is not None
    assert order.from_at is not None
    assert (order.to_at - order.from_at).total_seconds() == 15
