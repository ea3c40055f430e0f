"""Demonstration cameras: clips joined at packet level without a seam, and a hit cued when somebody looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import TicketOffice, Viewer
from tests.support.recorder_rig import CAMERA, TENANT, RecorderRig, camera, wait_until
from tests.support.video import make_video
from workers.recorder.client import RecorderRefused

pytestmark = pytest.mark.slow("plays clips in real time")


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    folder = tmp_path / "cache" / "abc123" / "esquina"
    folder.mkdir(parents=True)
    clips = []
    for number, kind in enumerate(["background", "pass", "listed"]):
        make_video(folder / f"{kind}.mp4", seconds=1, seed=number * 40)
        clips.append(
            {
                "file": f"{kind}.mp4",
                "kind": kind,
                "plate": "ZZ123ZZ" if kind == "listed" else None,
                "weight": 1,
                "duration_ms": 1000,
            }
        )
    manifest = {"scene": "esquina", "fps": 12, "width": 320, "height": 240, "clips": clips}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path / "cache"


@pytest.fixture
def room(tmp_path: Path, scenes: Path) -> Iterator[RecorderRig]:
    rig = RecorderRig(tmp_path / "node", scenes=scenes).start()
    yield rig
    rig.stop()


def test_clips_are_joined_without_seam_or_gap(room: RecorderRig) -> None:
    room.apply(camera("demo:esquina", kind="demo"), demonstration=True)

    rows = wait_until(lambda: (found := room.segments()) and len(found) >= 3 and found, timeout=20)

    assert len({row["run_id"] for row in rows}) == 1
    assert room.rows("SELECT * FROM gaps") == []


def test_cued_clip_is_the_listed_one_and_an_unknown_plate_is_refused(room: RecorderRig) -> None:
    room.apply(camera("demo:esquina", kind="demo"), demonstration=True)
    wait_until(lambda: room.camera()["recording"])

    cued = room.ask("cue", plate="ZZ123ZZ")

    assert (cued["camera"], cued["kind"], cued["plate"]) == (CAMERA, "listed", "ZZ123ZZ")
    with pytest.raises(RecorderRefused, match="not_found"):
        room.ask("cue", plate="AA000AA")


def test_scene_that_is_not_rendered_is_not_found(room: RecorderRig) -> None:
    room.apply(camera("demo:../../etc", kind="demo"), camera("demo:otra", kind="demo", identifier=CAMERA[:-1] + "9"))

    wait_until(lambda: [one["error_code"] for one in room.ask("status")["cameras"]] == ["not_found", "not_found"])


def test_first_viewer_of_a_demonstration_is_accepted_while_the_clip_is_cued(room: RecorderRig) -> None:
    office = TicketOffice()
    room.apply(camera("demo:esquina", kind="demo"), demonstration=True, view_keys=[office.public])
    wait_until(lambda: room.camera()["recording"])

    with Viewer(room.socket, op="live", tickets=[office.ticket(f"{TENANT}/{CAMERA}", TENANT)]) as viewer:
        assert viewer.answer["tracks"]
