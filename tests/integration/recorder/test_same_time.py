"""Frames that come with the time stamp of the one before: nothing is lost, nothing is cut, nothing is told as a gap."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.support.recorder_rig import RecorderRig, camera, wait_until
from tests.support.rtsp_cameras import Clip, Frame, load, serving
from tests.support.video import make_video

pytestmark = pytest.mark.slow("records in real time")
LOOPBACK = ["127.0.0.0/8"]


def recorded_units(rig: RecorderRig) -> list[list[bytes]]:
    """The NAL units of every sample, in order."""
    samples = []
    for row in rig.segments():
        with av.open(str(rig.folder / "volume" / row["relpath"])) as container:
            samples += [units_of(bytes(packet)) for packet in container.demux(video=0) if packet.size]
    return samples


def units_of(sample: bytes) -> list[bytes]:
    units, at = [], 0
    while at < len(sample):
        end = at + 4 + int.from_bytes(sample[at : at + 4], "big")
        units.append(sample[at + 4 : end])
        at = end
    return units


def pictures(units: list[bytes]) -> tuple[bytes, ...]:
    return tuple(unit for unit in units if unit[0] & 0x1F in (1, 5))


def record(rig: RecorderRig, clip: Clip, segments: int = 3) -> None:
    rig.start()
    with serving(clip) as url:
        rig.apply(camera(url, kind="rtsp"), networks=LOOPBACK)
        wait_until(lambda: len(rig.segments()) >= segments, timeout=30)
        rig.stop()


def check_whole(rig: RecorderRig, frames: list[Frame]) -> None:
    """One run without gap or seam that holds every frame once and in order, whatever frame it began at."""
    rows = rig.segments()
    assert {row["note"] for row in rows} == {None}
    assert len({row["run_id"] for row in rows}) == 1
    assert [gap["code"] for gap in rig.rows("SELECT * FROM gaps")] in ([], ["recorder_restart"])
    sent = [pictures(frame.units) for frame in frames]
    assert len(set(sent)) == len(sent)
    found = [sent.index(pictures(units)) for units in recorded_units(rig)]
    assert found == [(found[0] + number) % len(sent) for number in range(len(found))]
    rig.check_invariants()


def test_frame_sent_twice_is_recorded_once(rig: RecorderRig, video: Path) -> None:
    clip = load(video)
    frames = clip.frames
    for number in (30, 17, 5):
        again = Frame(frames[number].units, frames[number].ticks)
        frames = [*frames[:number], Frame(again.units, 0), again, *frames[number + 1 :]]

    record(rig, Clip(frames, clip.sets))

    check_whole(rig, clip.frames)


def test_two_frames_of_one_time_are_both_recorded_in_order(rig: RecorderRig, video: Path) -> None:
    clip = load(video)
    for number in (5, 17, 30):
        clip.frames[number + 1].ticks += clip.frames[number].ticks
        clip.frames[number].ticks = 0

    record(rig, clip)

    check_whole(rig, clip.frames)


def test_clock_of_a_camera_that_stands_still_is_told_as_a_seam(rig: RecorderRig, video: Path) -> None:
    clip = load(video)
    for frame in clip.frames[12:36]:
        frame.ticks = 0
    for frame in clip.frames[36:]:
        frame.ticks *= 3

    record(rig, clip)

    assert "seam:dts_discontinuity" in {row["note"] for row in rig.segments()}
    rig.check_invariants()


def test_frame_whose_slices_come_slowly_is_one_sample(rig: RecorderRig, tmp_path: Path) -> None:
    clip = load(make_video(tmp_path / "slices.mp4", fps=8, gop=8, slices=4, height=480, width=640))
    clip.pause_s = 0.02
    assert all(len(pictures(frame.units)) > 1 for frame in clip.frames)

    record(rig, clip)

    check_whole(rig, clip.frames)
