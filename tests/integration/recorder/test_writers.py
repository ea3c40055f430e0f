"""Never two writers of one camera: the second process waits for the lock, the second recorder does not start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.recorder_rig import CAMERA, ROOT, TENANT, RecorderRig, camera, wait_until
from workers.recorder.clock import Clock
from workers.recorder.files import CameraFolder
from workers.recorder.index import IndexWriter
from workers.recorder.writer import CameraWriter

pytestmark = pytest.mark.slow("starts real recorders")


def test_second_recorder_of_a_municipality_refuses_to_start(rig: RecorderRig) -> None:
    rig.start()

    second = subprocess.run(
        [sys.executable, "-m", "workers.recorder", "--tenant", TENANT, "--folder", str(rig.folder),
         "--socket", str(rig.folder / "second.sock"), "--allow-root-fs"],
        cwd=ROOT, capture_output=True, timeout=20, check=False,
    )  # fmt: skip

    assert second.returncode == 3
    assert rig.ask("status")["ok"]


def test_second_writer_of_a_camera_waits_until_the_first_ends(rig: RecorderRig, video: Path) -> None:
    rig.start()
    rig.apply(camera(video))
    wait_until(lambda: rig.camera()["recording"])
    volume = rig.ask("status")["volume"]["id"]
    index = IndexWriter(rig.folder / "index.sqlite")
    writer = CameraWriter(
        CameraFolder(rig.folder / "volume", volume, UUID(TENANT), UUID(CAMERA)), rig.folder / "index.sqlite", index,
        clock=Clock(), segment_s=2, writable=True, fault=lambda: None, paused=lambda: None,
    )  # fmt: skip
    writer.start()

    wait_until(lambda: writer.error_code == "locked")
    assert writer.swept is None
    rig.ask("stop")
    wait_until(lambda: writer.swept is not None)

    writer.stop()
    index.close()
    rig.check_invariants()


def test_removed_camera_seals_its_file_and_owes_no_gap(rig: RecorderRig, video: Path) -> None:
    rig.start()
    rig.apply(camera(video))
    wait_until(lambda: rig.camera()["recording"])

    rig.apply()

    assert rig.parts() == []
    assert rig.ask("status")["cameras"] == []
    assert rig.rows("SELECT * FROM gaps") == []


def test_pause_closes_the_file_and_opens_a_gap_with_its_cause(rig: RecorderRig, video: Path) -> None:
    rig.start()
    rig.apply(camera(video))
    wait_until(lambda: rig.camera()["recording"])

    rig.apply(camera(video), paused="hold_only")
    wait_until(lambda: not rig.camera()["recording"])
    gap = wait_until(lambda: rig.rows("SELECT * FROM gaps WHERE to_us IS NULL"), timeout=15)[0]
    assert (gap["cause"], gap["code"]) == ("disco", "hold_only")

    rig.apply(camera(video))
    wait_until(lambda: rig.camera()["recording"])
    wait_until(lambda: rig.rows("SELECT * FROM gaps WHERE to_us IS NOT NULL"))


def test_changed_address_keeps_the_writer_and_its_viewers(rig: RecorderRig, video: Path, tmp_path: Path) -> None:
    from tests.support.video import make_video

    rig.start()
    rig.apply(camera(video))
    wait_until(lambda: rig.camera()["recording"])

    rig.apply(camera(make_video(tmp_path / "other.mp4", width=480, height=360)))

    wait_until(lambda: rig.camera()["width"] == 480 and rig.camera()["recording"])
    wait_until(lambda: {row["width"] for row in rig.segments()} == {320, 480})
    assert rig.rows("SELECT * FROM gaps") == []
