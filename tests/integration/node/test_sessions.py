"""Analytics sessions through a real Valkey: one supervisor, one child, one lease, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue

from app.cli.local.process import ProcessRef, children_of
from tests.support.fake_province import FakeProvince
from tests.support.node_rig import SESSION, NodeRig, desired, desired_camera, desired_session
from tests.support.recorder_rig import TENANT, wait_until
from workers.node.queues import ANALYSE, RETAIN, NodeJob, NodeQueues

pytestmark = pytest.mark.slow("runs a daemon, workers and children")


@pytest.fixture
def start(queued_node: NodeRig, province: FakeProvince, video: Path) -> Callable[..., NodeRig]:
    """Start worker pool and daemon with one session."""

    def begin(mode: str = "steady") -> NodeRig:
        province.desired = desired(cameras=[desired_camera(str(video))], sessions=[desired_session()])
        queued_node.run("tests.support.analytics_probe", "worker", PIPC_TEST_ANALYTICS=mode)
        queued_node.daemon()
        return queued_node

    return begin


def child_of(node: NodeRig) -> ProcessRef | None:
    row: dict[str, Any] = node.analytics().get(SESSION, {})
    return ProcessRef.of(int(row.get("pid") or 0))


def told(province: FakeProvince) -> str | None:
    """The session's state in the last heartbeat that spoke of it."""
    sessions = province.heartbeats[-1]["sessions"] if province.heartbeats else []
    return sessions[0]["state"] if sessions else None


def running(province: FakeProvince) -> bool:
    return told(province) == "running"


def test_session_runs_and_its_events_arrive_with_their_pictures(
    start: Callable[..., NodeRig], province: FakeProvince
) -> None:
    node = start()

    event = wait_until(lambda: province.of_type("event"), timeout=40)[0]
    wait_until(lambda: running(province))

    assert event["key"].startswith(f"{SESSION}:1:1:")
    assert event["crop_sha"] in province.blobs
    assert province.batches[-1]["session"] is None or province.batches[-1]["session"]["epoch"] == 1
    assert [one for one in province.of_type("camera_state") if "key" in one] == []
    assert child_of(node) is not None
    workers = json.loads((node.home / "run" / "node-workers.json").read_text())
    assert {"node-analyse", "node-retain", "node-export"} <= set(workers)


def test_changed_rules_reach_the_running_child(start: Callable[..., NodeRig], province: FakeProvince) -> None:
    node = start()
    wait_until(lambda: running(province), timeout=40)
    before = child_of(node)

    province.desired = {**province.desired, "version": 2, "sessions": [desired_session(config_version=2)]}

    wait_until(lambda: [one for one in province.of_type("event") if one["detail"]["version"] == 2])
    assert child_of(node) == before


def test_removed_session_ends_its_child(start: Callable[..., NodeRig], province: FakeProvince) -> None:
    node = start()
    wait_until(lambda: running(province), timeout=40)
    child = child_of(node)

    province.desired = {**province.desired, "version": 2, "sessions": []}

    wait_until(lambda: child is not None and not child.alive())
    wait_until(lambda: node.analytics() == {})


def test_killed_child_is_started_again_under_the_same_epoch_and_another_run(
    start: Callable[..., NodeRig], province: FakeProvince
) -> None:
    node = start()
    wait_until(lambda: running(province), timeout=40)
    child = child_of(node)
    assert child is not None

    child.send(signal.SIGKILL)
    keys = wait_until(
        lambda: (found := [one["key"] for one in province.of_type("event")]) and len(found) >= 2 and found, timeout=30
    )

    assert [key.split(":")[1:3] for key in keys] == [["1", "1"], ["1", "2"]]
    wait_until(lambda: (now := child_of(node)) and now != child)


def test_killed_worker_takes_the_child_with_it_and_the_session_returns(
    start: Callable[..., NodeRig], province: FakeProvince
) -> None:
    node = start()
    wait_until(lambda: running(province), timeout=40)
    child = child_of(node)
    pool = node.processes[0].pid
    worker = json.loads((node.home / "run" / "node-workers.json").read_text())["node-analyse"]["pid"]
    assert worker in children_of(pool)

    os.kill(worker, signal.SIGKILL)

    wait_until(lambda: child is not None and not child.alive())
    wait_until(lambda: (now := child_of(node)) and now != child, timeout=40)
    wait_until(lambda: running(province))
    assert province.leases[SESSION][1] == 1


def test_lost_lease_ends_the_child_and_its_late_events_are_refused(
    start: Callable[..., NodeRig], province: FakeProvince
) -> None:
    node = start()
    wait_until(lambda: running(province), timeout=40)
    child = child_of(node)

    province.leases[SESSION] = ("somebody-else", 2)

    wait_until(lambda: child is not None and not child.alive(), timeout=20)
    wait_until(lambda: told(province) == "idle")
    assert province.leases[SESSION] == ("somebody-else", 2)
    assert child_of(node) is None


def test_crashing_child_ends_as_failed_instead_of_spinning(
    start: Callable[..., NodeRig], province: FakeProvince
) -> None:
    start("crash")

    wait_until(lambda: told(province) == "failed", timeout=60)

    keys = {one["key"].split(":")[2] for one in province.of_type("event")}
    assert keys == {"1", "2", "3", "4", "5"}


def test_cut_link_keeps_the_session_running_under_its_epoch(
    start: Callable[..., NodeRig], province: FakeProvince
) -> None:
    node = start()
    wait_until(lambda: running(province), timeout=40)
    province.down = True
    first = child_of(node)
    assert first is not None
    first.send(signal.SIGKILL)
    wait_until(lambda: (now := child_of(node)) and now != first, timeout=30)

    province.down = False
    keys = wait_until(
        lambda: (found := {one["key"] for one in province.of_type("event")}) and len(found) >= 2 and found, timeout=40
    )

    assert {key.split(":")[1] for key in keys} == {"1"}


def test_stopped_pool_drains_the_child_and_leaves_nothing_running(
    start: Callable[..., NodeRig], province: FakeProvince
) -> None:
    node = start()
    wait_until(lambda: running(province), timeout=40)
    child = child_of(node)
    pool = node.processes[0]
    below = [ProcessRef.of(pid) for pid in children_of(pool.pid)]

    pool.terminate()

    assert pool.wait(25) == 0
    assert child is not None
    assert not child.alive()
    assert not any(ref and ref.alive() for ref in below)
    assert node.analytics() == {}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("os.system", ["touch /tmp/pwned"]),
        ("workers.node.retain", [{"not": "text"}]),
        ("workers.node.retention.retain", [TENANT]),
    ],
)
def test_worker_refuses_every_function_but_its_four(
    queued_node: NodeRig, redis_url: str, function: str, arguments: list[Any]
) -> None:
    queued_node.run("workers.node.worker", command=[RETAIN])
    with Redis.from_url(redis_url) as connection:
        queue = Queue(RETAIN, connection=connection, serializer="json")
        job = queue.enqueue_call(function, args=tuple(arguments))
        wait_until(lambda: job.get_status().value == "failed", timeout=20)

    assert "RefusedJobError" in str(job.latest_result().exc_string)


def test_worker_takes_one_known_queue_only(queued_node: NodeRig) -> None:
    assert queued_node.run("workers.node.worker", command=[ANALYSE, RETAIN]).wait(20) == 2
    assert queued_node.run("workers.node.worker", command=["alarms"]).wait(20) == 2


def test_retention_runs_from_its_queue(queued_node: NodeRig, redis_url: str) -> None:
    queued_node.folder.mkdir(parents=True, exist_ok=True)
    (queued_node.folder / "desired.json").write_text(json.dumps(desired()))
    queued_node.run("workers.node.worker", command=[RETAIN])
    queues = NodeQueues(redis_url)

    assert queues.enqueue(RETAIN, "workers.node.retain", (TENANT,), job_id=f"retain-{TENANT}", timeout_s=60)

    lock = queued_node.folder / "retention.lock"
    wait_until(lock.exists, timeout=20)


def test_queues_that_cannot_be_reached_are_said_so_without_an_error() -> None:
    queues = NodeQueues("redis://127.0.0.1:1/0")

    assert not queues.enqueue(RETAIN, "workers.node.retain", (TENANT,), job_id="x", timeout_s=1)


def test_job_keeps_no_callback_that_somebody_wrote_into_redis(redis_url: str) -> None:
    with Redis.from_url(redis_url) as connection:
        job = Queue(RETAIN, connection=connection, serializer="json").enqueue_call(
            "workers.node.retain", args=(TENANT,)
        )
        connection.hset(job.key, "failure_callback_name", "os.system")

        ours = NodeJob.fetch(job.id, connection=connection, serializer="json")

    assert ours.failure_callback is None
