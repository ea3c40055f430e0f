"""SIGKILL of the recorder at every step of the segment protocol and at random instants: nothing closed is lost."""

from __future__ import annotations

import os
import random
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.recorder_rig import RecorderRig, camera, wait_until
from tests.support.video import frames_of

STEPS = ["1:1", "2:3", "2:9", "3:1", "4:1", "5:1", "5b:1", "6:1", "6:2"]
KILLS = int(os.environ.get("PIPC_RECORDER_KILLS", "8"))
SEED = int(os.environ.get("PIPC_SEED", "20260"))

pytestmark = [pytest.mark.chaos, pytest.mark.slow("real recorders are killed and restarted")]


def recover(rig: RecorderRig, video: Path) -> None:
    """Start again over the same folder and record a little more."""
    before = len(rig.segments())
    rig.start()
    rig.apply(camera(video))
    wait_until(lambda: len(rig.segments()) > before and rig.camera()["recording"])
    rig.ask("stop")
    assert rig.process is not None
    rig.process.wait(20)


@pytest.mark.parametrize("step", STEPS)
def test_kill_at_step_leaves_readable_segments_and_a_convergent_index(rig: RecorderRig, video: Path, step: str) -> None:
    rig.start(failpoint=f"{step}:kill")
    rig.apply(camera(video))
    assert rig.process is not None
    assert rig.process.wait(20) == -9

    recover(rig, video)

    assert rig.parts() == []
    rig.check_invariants()
    volume = rig.folder / "volume"
    assert all(frames_of(volume / row["relpath"], row["usable_bytes"]) > 0 for row in rig.segments())
    assert rig.rows("SELECT * FROM open_segments") == []


def test_random_kills_lose_at_most_a_fragment_and_a_gop(rig: RecorderRig, video: Path) -> None:
    chance = random.Random(SEED)
    for _ in range(KILLS):
        rig.start()
        rig.apply(camera(video))
        wait_until(lambda: rig.camera()["recording"])
        time.sleep(chance.uniform(0.1, 2.5))
        last_packet = rig.camera()["last_packet_us"]
        rig.kill()
        kept = len(rig.segments())

        rig.start()
        rig.apply(camera(video))
        wait_until(lambda k=kept: len(rig.segments()) >= k and rig.camera()["recording"])
        recovered = max((row["end_us"] for row in rig.segments() if row["start_us"] < last_packet), default=0)
        rig.kill()
        if last_packet - min(row["start_us"] for row in rig.segments()) > 1_500_000:
            assert last_packet - recovered < 1_500_000  # one GOP of this video and one fragment

    recover(rig, video)
    rig.check_invariants()


def test_kill_leaves_a_gap_named_after_the_restart(rig: RecorderRig, video: Path) -> None:
    rig.start()
    rig.apply(camera(video))
    wait_until(lambda: len(rig.segments()) >= 1)
    rig.kill()
    time.sleep(2.5)

    recover(rig, video)

    gaps = rig.rows("SELECT * FROM gaps")
    assert [(gap["cause"], gap["code"]) for gap in gaps] == [("reinicio", "recorder_restart")]
    assert gaps[0]["to_us"] - gaps[0]["from_us"] > 2_000_000


def test_segments_of_one_run_follow_each_other_without_seam(rig: RecorderRig, video: Path) -> None:
    rig.start()
    rig.apply(camera(video))
    rows = wait_until(lambda: (found := rig.segments()) and len(found) >= 3 and found)

    assert all(later["start_us"] == earlier["end_us"] for earlier, later in pairwise(rows))
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert len({row["run_id"] for row in rows}) == 1
    assert rig.rows("SELECT * FROM gaps") == []


def test_refused_write_is_told_and_recording_resumes(rig: RecorderRig, video: Path) -> None:
    rig.start(failpoint="2:4:raise")
    rig.apply(camera(video))

    wait_until(lambda: len(rig.segments()) >= 2)

    rig.check_invariants()
    codes = {row["code"] for row in rig.rows("SELECT code FROM gaps")} | {row["note"] for row in rig.segments()}
    assert codes & {"io_error", "seam:io_error"}
