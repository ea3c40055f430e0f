"""What cameras do: jumps, new resolutions, other codecs, silence, refusals. Recording survives and says what happened."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.recorder_rig import CAMERA, OTHER_CAMERA, RecorderRig, camera, wait_until
from tests.support.rtsp import FaultProxy, RtspFiles, SlowFile
from tests.support.video import frames_of, make_video, remuxed

pytestmark = pytest.mark.slow("records in real time")
LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def proxy(video: Path) -> Iterator[FaultProxy]:
    with RtspFiles(video.parent) as server:
        made = FaultProxy(server.port)
        yield made
        made.close()


def rtsp(proxy: FaultProxy, login: str = "") -> dict[str, object]:
    return camera(f"rtsp://{login}127.0.0.1:{proxy.port}/bar.mp4", kind="rtsp")


def test_resolution_change_in_the_stream_begins_a_new_segment(rig: RecorderRig, tmp_path: Path) -> None:
    small = remuxed(make_video(tmp_path / "s.mp4", seconds=2), tmp_path / "s.ts", "mpegts")
    large = remuxed(make_video(tmp_path / "l.mp4", seconds=2, width=480, height=360), tmp_path / "l.ts", "mpegts")
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    rig.start()

    rig.apply(camera(both))
    rows = wait_until(lambda: (found := rig.segments()) and {row["width"] for row in found} >= {320, 480} and found)

    assert all(frames_of(rig.folder / "volume" / row["relpath"]) > 0 for row in rows)
    assert len({row["run_id"] for row in rows}) > 1
    assert any((row["note"] or "").startswith("seam:") for row in rows)


def test_live_timestamps_going_backwards_rotate_instead_of_ending_the_thread(rig: RecorderRig, tmp_path: Path) -> None:
    one = remuxed(make_video(tmp_path / "s.mp4", seconds=4), tmp_path / "s.ts", "mpegts")
    twice = tmp_path / "twice.ts"
    twice.write_bytes(one.read_bytes() * 2)
    source = SlowFile(twice, 8)
    rig.start()

    rig.apply(camera(source.url, kind="http"), networks=LOOPBACK)
    wait_until(lambda: len({row["run_id"] for row in rig.segments()}) >= 2)

    source.close()
    assert rig.camera()["reconnects"] == 0
    assert "seam:dts_discontinuity" in {row["note"] for row in rig.segments()}
    rig.check_invariants()


def test_stored_video_with_a_jump_inside_plays_on_at_its_own_pace(rig: RecorderRig, tmp_path: Path) -> None:
    one = remuxed(make_video(tmp_path / "s.mp4", seconds=2), tmp_path / "s.ts", "mpegts")
    twice = tmp_path / "twice.ts"
    twice.write_bytes(one.read_bytes() * 2)
    rig.start()

    rig.apply(camera(twice))
    rows = wait_until(lambda: (found := rig.segments()) and len(found) >= 4 and found)

    assert {row["note"] for row in rows} == {None}
    assert all(1900 <= row["duration_ms"] <= 3200 for row in rows)


def test_file_in_another_codec_is_transcoded_once_and_marked_derived(rig: RecorderRig, tmp_path: Path) -> None:
    source = make_video(tmp_path / "old.avi", codec="mjpeg", seconds=2)
    rig.start()
    rig.apply(camera(source))

    wait_until(lambda: rig.camera()["recording"])

    assert (rig.camera()["codec"], rig.camera()["derived"]) == ("h264", True)
    assert len(list((rig.folder / "derived").glob("*.mp4"))) == 1


def test_h265_is_recorded_as_it_is(rig: RecorderRig, tmp_path: Path) -> None:
    rig.start()
    rig.apply(camera(make_video(tmp_path / "new.mp4", codec="libx265", seconds=3)))

    row = wait_until(rig.segments)[0]

    assert row["codec"] == "h265"
    assert frames_of(rig.folder / "volume" / row["relpath"]) > 0


def test_live_source_in_another_codec_is_not_recorded_and_its_gap_says_why(rig: RecorderRig, tmp_path: Path) -> None:
    source = SlowFile(make_video(tmp_path / "m.mkv", codec="mjpeg", seconds=30, width=160, height=120), 30)
    rig.start()
    rig.apply(camera(source.url, kind="http"), networks=LOOPBACK)

    wait_until(lambda: (one := rig.camera())["state"] == "online" and one["error_code"] == "unsupported_codec")
    gaps = wait_until(lambda: rig.rows("SELECT * FROM gaps WHERE to_us IS NULL"))

    source.close()
    assert [(gap["cause"], gap["code"]) for gap in gaps] == [("camara", "unsupported_codec")]
    assert not rig.camera()["recording"]
    assert rig.files() == []


def test_missing_file_goes_offline_with_an_open_gap_and_the_other_camera_records(rig: RecorderRig, video: Path) -> None:
    rig.start()
    rig.apply(camera(video), camera("/does/not/exist.mp4", identifier=OTHER_CAMERA))

    gaps = wait_until(lambda: rig.rows("SELECT * FROM gaps WHERE to_us IS NULL"))

    assert [(gap["camera"], gap["code"]) for gap in gaps] == [(OTHER_CAMERA, "camera_offline")]
    assert (rig.camera(OTHER_CAMERA)["state"], rig.camera(OTHER_CAMERA)["error_code"]) == ("offline", "not_found")
    assert rig.camera(CAMERA)["recording"]


def test_rtsp_is_recorded(rig: RecorderRig, proxy: FaultProxy) -> None:
    rig.start()
    rig.apply(rtsp(proxy), networks=LOOPBACK)

    row = wait_until(rig.segments)[0]

    assert (row["codec"], row["width"], row["height"]) == ("h264", 320, 240)
    assert frames_of(rig.folder / "volume" / row["relpath"]) > 0


def test_dropped_rtsp_connection_comes_back_with_a_new_run(rig: RecorderRig, proxy: FaultProxy) -> None:
    rig.start()
    rig.apply(rtsp(proxy), networks=LOOPBACK)
    wait_until(lambda: rig.camera()["recording"])

    proxy.drop()
    wait_until(lambda: len({row["run_id"] for row in rig.segments()}) >= 2, timeout=30)

    rig.check_invariants()
    assert rig.camera()["reconnects"] >= 1


def test_stalled_rtsp_is_noticed_and_its_gap_closes_when_it_returns(rig: RecorderRig, proxy: FaultProxy) -> None:
    rig.start()
    rig.apply(rtsp(proxy), networks=LOOPBACK)
    wait_until(lambda: rig.camera()["recording"])

    proxy.mode = "stall"
    wait_until(lambda: rig.rows("SELECT * FROM gaps WHERE to_us IS NULL"), timeout=20)
    proxy.mode = "pass"
    proxy.drop()
    gap = wait_until(lambda: rig.rows("SELECT * FROM gaps WHERE to_us IS NOT NULL"), timeout=40)[0]

    assert gap["code"] in ("stream_stalled", "camera_offline")
    assert gap["to_us"] - gap["from_us"] > 4_000_000
    wait_until(lambda: rig.camera()["recording"])


def test_refused_password_is_auth_failed_backs_off_and_never_reaches_a_log(rig: RecorderRig, proxy: FaultProxy) -> None:
    proxy.mode = "refuse"
    rig.start()
    rig.apply(rtsp(proxy, "operador:Secreta99@"), networks=LOOPBACK)

    wait_until(lambda: rig.camera()["error_code"] == "auth_failed")
    tried = proxy.connections
    time.sleep(4)

    assert proxy.connections == tried
    answer = str(rig.ask("status"))
    log = (rig.folder / "recorder.log").read_text()
    assert "auth_failed" in log
    assert "Secreta99" not in log + answer
    assert "operador" not in log + answer


def test_address_outside_the_declared_networks_is_never_connected_to(rig: RecorderRig, proxy: FaultProxy) -> None:
    rig.start()
    rig.apply(rtsp(proxy), networks=["10.0.0.0/8"])

    wait_until(lambda: rig.camera()["error_code"] == "network_not_allowed")

    assert proxy.connections == 0


def test_own_port_is_refused_even_inside_a_declared_network(rig: RecorderRig, proxy: FaultProxy) -> None:
    rig.start()
    rig.apply(rtsp(proxy), networks=LOOPBACK, own_ports=[proxy.port])

    wait_until(lambda: rig.camera()["error_code"] == "network_not_allowed")

    assert proxy.connections == 0


def test_frozen_and_black_pictures_are_told_apart_from_good_ones(rig: RecorderRig, tmp_path: Path) -> None:
    rig.start()
    one_group = make_video(tmp_path / "moving.mp4", seconds=1)  # its only keyframe comes back each second
    rig.apply(
        camera(make_video(tmp_path / "still.mp4", picture="still", seconds=1)),
        camera(make_video(tmp_path / "black.mp4", picture="black", seconds=2), identifier=OTHER_CAMERA),
        camera(one_group, identifier=OTHER_CAMERA.replace("3333-3", "4444-3")),
    )

    wait_until(lambda: rig.camera(OTHER_CAMERA)["state"] == "dark", timeout=30)
    wait_until(lambda: rig.camera(CAMERA)["state"] == "frozen", timeout=30)

    assert rig.camera(OTHER_CAMERA.replace("3333-3", "4444-3"))["state"] == "online"
    assert rig.camera(CAMERA)["recording"]


@pytest.mark.parametrize("name", ["vtest.avi", "car-detection.mp4", "bgs_video02.avi"])
def test_real_video_is_recorded(rig: RecorderRig, name: str) -> None:
    data = Path(os.environ.get("PIPC_TESTDATA", Path(__file__).resolve().parents[4] / "shared" / "testdata"))
    source = data / "video" / name
    if not source.exists():
        pytest.skip(f"{source} is not here (PIPC_TESTDATA)")
    rig.start()
    rig.apply(camera(source))

    row = wait_until(rig.segments, timeout=60)[0]

    assert frames_of(rig.folder / "volume" / row["relpath"]) > 0
