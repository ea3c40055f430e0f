"""The daemon against a fake province: desired state, states, pictures, clips, cut links, and recorders that outlive it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fake_province import FakeProvince, contract
from tests.support.node_rig import NodeRig, desired, desired_camera, new_id, seal
from tests.support.recorder_rig import CAMERA, wait_until
from tests.support.rtsp import FaultProxy, RtspFiles
from tests.support.video import frames_of
from workers.recorder.clock import SECOND, iso
from workers.recorder.index import open_index

pytestmark = pytest.mark.slow("runs a real daemon and a real recorder")


@pytest.fixture
def recording(node: NodeRig, province: FakeProvince, video: Path) -> NodeRig:
    """A node that records one camera."""
    province.desired = desired(cameras=[desired_camera(str(video))])
    node.daemon()
    wait_until(lambda: (status := node.recorder()) and any(one["recording"] for one in status["cameras"]), timeout=30)
    return node


def test_desired_state_of_the_tests_follows_the_contract(video: Path) -> None:
    validator = contract("desired")

    assert validator.is_valid(desired(cameras=[desired_camera(str(video))]))
    assert not validator.is_valid(desired(cameras=[desired_camera("rtsp://user:secret@10.0.0.1/x", kind="rtsp")]))


def test_camera_is_recorded_reported_and_shown(recording: NodeRig, province: FakeProvince) -> None:
    state = wait_until(lambda: [one for one in province.of_type("camera_state") if one["state"] == "online"])[0]
    snapshot = wait_until(lambda: province.of_type("snapshot"))[0]
    beat = wait_until(lambda: next((one for one in province.heartbeats if one["recorded_until"]), None))

    assert state["camera_id"] == CAMERA
    assert province.blobs[snapshot["sha256"]][:3] == b"\xff\xd8\xff"
    assert beat["cameras"][0]["recording"]
    assert (beat["cameras"][0]["codec"], beat["cameras"][0]["width"]) == ("h264", 320)
    assert (recording.folder / "desired.json").stat().st_mode & 0o777 == 0o600


def test_clip_is_cut_uploaded_and_answered_within_eight_seconds(recording: NodeRig, province: FakeProvince) -> None:
    time.sleep(2)
    instant = datetime.now(UTC)
    order = {
        "id": new_id(), "kind": "cut_clip", "camera_id": CAMERA,
        "from": (instant - timedelta(seconds=10)).isoformat(), "to": (instant + timedelta(seconds=5)).isoformat(),
    }  # fmt: skip
    province.orders = [order]

    result = wait_until(lambda: province.of_type("order_result"), timeout=12)[0]

    assert datetime.now(UTC) - instant < timedelta(seconds=8)
    assert (result["order_id"], result["state"]) == (order["id"], "done")
    clip = province.blobs[result["sha256"]]
    assert len(clip) == result["bytes"]
    assert datetime.fromisoformat(result["to_at"]) >= instant + timedelta(seconds=4.5)
    path = recording.home / "clip.mp4"
    path.write_bytes(clip)
    assert frames_of(path) == pytest.approx(result["duration_ms"] * 12 / 1000, abs=3)


def test_order_for_footage_that_does_not_exist_fails_with_its_cause(recording: NodeRig, province: FakeProvince) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    province.orders = [
        {"id": new_id(), "kind": "cut_clip", "camera_id": CAMERA, "from": long_ago.isoformat(),
         "to": (long_ago + timedelta(seconds=15)).isoformat()},
        {"id": new_id(), "kind": "make_coffee", "camera_id": None},
    ]  # fmt: skip

    results = wait_until(lambda: (found := province.of_type("order_result")) and len(found) == 2 and found, timeout=20)

    assert {(one["state"], one["error"]) for one in results} == {("failed", "no_footage"), ("failed", "unknown_order")}


def test_source_can_be_tried_before_it_is_added(recording: NodeRig, province: FakeProvince, video: Path) -> None:
    source = {"kind": "file", "url": str(video), "sealed": None}
    province.orders = [{"id": new_id(), "kind": "check_source", "camera_id": None, "source": source, "seconds": 2}]

    result = wait_until(lambda: province.of_type("order_result"), timeout=25)[0]

    assert (result["report"]["ok"], result["report"]["codec"], result["report"]["width"]) == (True, "h264", 320)
    assert result["report"]["snapshot_sha256"] in province.blobs


def test_killed_daemon_leaves_the_recorder_running_and_the_next_one_adopts_it(
    recording: NodeRig, province: FakeProvince
) -> None:
    before = recording.recorder()
    recording.processes[0].kill()
    recording.processes[0].wait()
    time.sleep(2)
    assert recording.recorder() is not None

    recording.daemon()
    seen = len(province.heartbeats)
    wait_until(lambda: len(province.heartbeats) > seen + 1)

    after = recording.recorder()
    assert before is not None
    assert after is not None
    assert after["pid"] == before["pid"]
    assert after["cameras"][0]["recording"]
    connection = open_index(recording.folder / "index.sqlite")
    assert connection.execute("SELECT count(*) FROM gaps WHERE to_us IS NULL").fetchone()[0] == 0
    connection.close()
    assert len([one for one in province.of_type("camera_state") if one["state"] == "online"]) == 1


def test_dead_recorder_is_replaced(recording: NodeRig) -> None:
    import os
    import signal

    before = recording.recorder()
    assert before is not None
    os.kill(before["pid"], signal.SIGKILL)

    after = wait_until(
        lambda: (
            (one := recording.recorder())
            and one["pid"] != before["pid"]
            and one["cameras"]
            and one["cameras"][0]["recording"]
            and one
        ),
        timeout=30,
    )

    assert after["tenant"] == before["tenant"]


def test_stuck_recorder_is_ended_and_replaced(recording: NodeRig) -> None:
    import os
    import signal

    before = recording.recorder()
    assert before is not None
    os.kill(before["pid"], signal.SIGSTOP)

    rows = wait_until(
        lambda: (one := json.loads((recording.home / "run" / "recorders.json").read_text())) and
        one.get("11111111-1111-4111-8111-111111111111", {}).get("pid") not in (None, before["pid"]) and one,
        timeout=60,
    )  # fmt: skip

    assert rows
    wait_until(lambda: (one := recording.recorder()) and one["cameras"] and one["cameras"][0]["recording"], timeout=30)


def test_cut_link_changes_nothing_for_the_recording_and_everything_arrives_later(
    recording: NodeRig, province: FakeProvince
) -> None:
    wait_until(lambda: province.of_type("camera_state"))
    province.down = True
    connection = open_index(recording.folder / "index.sqlite")
    before = connection.execute("SELECT count(*) FROM segments").fetchone()[0]
    wait_until(lambda: connection.execute("SELECT count(*) FROM segments").fetchone()[0] >= before + 2)
    spool = recording.house().spool()
    spool.put(
        {
            "type": "event",
            "key": "s:1:1:c:r:7:1",
            "kind": "dwell",
            "camera_id": CAMERA,
            "seen_at": iso(SECOND),
            "detail": {},
        }
    )

    province.down = False
    event = wait_until(lambda: province.of_type("event"), timeout=30)

    assert len(event) == 1
    assert connection.execute("SELECT count(*) FROM gaps").fetchone()[0] == 0
    connection.close()
    spool.close()


def test_node_starts_from_its_cache_while_the_province_is_away(
    node: NodeRig, province: FakeProvince, video: Path
) -> None:
    province.down = True
    node.folder.mkdir(parents=True)
    (node.folder / "desired.json").write_text(json.dumps(desired(cameras=[desired_camera(str(video))])))

    node.daemon()

    wait_until(lambda: (one := node.recorder()) and one["cameras"] and one["cameras"][0]["recording"], timeout=30)


def test_lost_answers_store_everything_once(recording: NodeRig, province: FakeProvince) -> None:
    wait_until(lambda: province.of_type("camera_state"))
    spool = recording.house().spool()
    province.lose_answers = 6
    for number in range(40):
        spool.put({
            "type": "event", "key": f"s:1:1:c:r:{number}:1", "kind": "dwell", "camera_id": CAMERA,
            "seen_at": iso(number * SECOND), "detail": {},
        })  # fmt: skip

    wait_until(lambda: len(province.of_type("event")) == 40 and spool.waiting() == 0, timeout=40)

    keys = [one["key"] for one in province.of_type("event")]
    assert len(set(keys)) == 40
    sent = [item["key"] for batch in province.batches for item in batch["items"] if item["type"] == "event"]
    assert len(sent) > 40
    spool.close()


def test_rejected_item_is_set_aside_and_never_sent_again(recording: NodeRig, province: FakeProvince) -> None:
    wait_until(lambda: province.of_type("camera_state"))
    province.reject["event"] = "malformed"
    spool = recording.house().spool()
    spool.put({"type": "event", "key": "a", "kind": "dwell", "camera_id": CAMERA, "seen_at": iso(0), "detail": {}})

    wait_until(lambda: spool.execute("SELECT code FROM rejected"))
    count = sum(item.get("key") == "a" for batch in province.batches for item in batch["items"])
    time.sleep(1.5)

    assert sum(item.get("key") == "a" for batch in province.batches for item in batch["items"]) == count == 1
    spool.close()


def test_expired_token_is_renewed_without_losing_a_batch(recording: NodeRig, province: FakeProvince) -> None:
    wait_until(lambda: province.of_type("camera_state"))
    province.expire_tokens = True
    spool = recording.house().spool()
    spool.put({"type": "event", "key": "t", "kind": "dwell", "camera_id": CAMERA, "seen_at": iso(0), "detail": {}})

    wait_until(lambda: province.of_type("event"))

    assert spool.execute("SELECT * FROM rejected") == []
    spool.close()


def test_sealed_credentials_reach_the_camera_and_no_log_or_message(
    node: NodeRig, province: FakeProvince, video: Path
) -> None:
    with RtspFiles(video.parent) as server:
        proxy = FaultProxy(server.port)
        proxy.mode = "refuse"
        url = f"rtsp://127.0.0.1:{proxy.port}/bar.mp4"
        sealed = seal(node.seal_public, {"user": "operador", "password": "Secreta99"})
        province.desired = desired(cameras=[desired_camera(url, kind="rtsp", sealed=sealed)])
        node.daemon()

        state = wait_until(lambda: [one for one in province.of_type("camera_state") if one["error_code"]], timeout=30)[
            0
        ]
        proxy.close()

    assert (state["state"], state["error_code"]) == ("offline", "auth_failed")
    assert b"b3BlcmFkb3I6U2VjcmV0YTk5" in proxy.heard  # the camera was asked with user and password
    spoken = json.dumps([province.items, province.heartbeats, node.recorder()])
    disk = "".join(
        path.read_text(errors="replace")
        for path in node.home.rglob("*")
        if path.is_file() and "volume" not in path.parts
    )
    for secret in ("Secreta99", "operador"):
        assert secret not in spoken
        assert secret not in node.log()
        assert secret not in disk


def test_removed_identity_stops_its_recorder(recording: NodeRig) -> None:
    (recording.home / "node" / "identities" / "laprida.json").unlink()

    wait_until(lambda: recording.recorder() is None, timeout=30)

    wait_until(lambda: json.loads((recording.home / "run" / "recorders.json").read_text()) == {})
