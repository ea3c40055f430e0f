"""What the child is told: sound sessions accepted, nonsense refused with a sentence, and how much each camera needs."""

from pathlib import Path
from uuid import UUID

import pytest

from workers.analytics.configuration import BadConfiguration, parse

CAMERA = {"id": str(UUID(int=1)), "ingest": {"kind": "unix", "socket": "/s", "request": {"op": "ingest"}}}
BASE = {"schema": 1, "session": {"session_id": str(UUID(int=2)), "epoch": 3, "run": 4}, "config_version": 7,
        "blob_dir": "/blobs", "cameras": [CAMERA]}
AXIS = {"id": "a", "polygon": None, "axis": [[0.5, 1], [0.5, 0]]}


def camera(**changes):
    return parse(BASE | {"cameras": [CAMERA | changes]}).cameras[UUID(int=1)]


def test_parse_sound_session():
    setup = parse(BASE | {"limits": {"ocr_per_second": 2, "context_images": False}})

    assert (setup.session, setup.epoch, setup.run, setup.version) == (UUID(int=2), 3, 4, 7)
    assert (setup.blobs, setup.ocr_per_second, setup.context_images) == (Path("/blobs"), 2.0, False)
    assert list(setup.cameras) == [UUID(int=1)]


@pytest.mark.parametrize("broken", [
    {"schema": 2}, {"session": {}}, {"session": {"session_id": "x", "epoch": 1, "run": 1}}, {"cameras": [{}]},
    {"cameras": [{**CAMERA, "ingest": {"kind": "carrier-pigeon"}}]}, {"timezone": "Mars/Olympus"}, {"blob_dir": None},
    {"cameras": 3},
])
def test_parse_nonsense_is_refused_with_a_sentence(broken):
    with pytest.raises(BadConfiguration) as refusal:
        parse(BASE | broken)

    assert str(refusal.value)


@pytest.mark.parametrize(("changes", "sees_motion", "fps"), [
    ({}, False, 6.25),
    ({"rules": [{"id": "t", "kind": "tamper"}]}, False, 6.25),
    ({"rules": [{"id": "z", "kind": "zone_enter"}]}, True, 6.25),
    ({"rules": [{"id": "w", "kind": "wrong_way"}], "lanes": [AXIS]}, True, 12.5),
    ({"plates": True}, True, 12.5),
    ({"rules": [{"id": "p", "kind": "plate"}]}, True, 12.5),
])
def test_camera_effort_follows_what_is_asked_of_it(changes, sees_motion, fps):
    asked = camera(**changes)

    assert (asked.sees_motion, asked.fps) == (sees_motion, fps)


def test_camera_with_a_bad_lane_is_watched_whole_and_the_fault_is_named():
    bad = camera(lanes=[{"id": "a", "polygon": [[0, 0], [1, 1]]}], plates=True)

    assert [lane.polygon for lane in bad.lanes] == [None]
    assert [(refusal.rule_id, refusal.code) for refusal in bad.refused] == [("lanes", "bad_shape")]


def test_camera_stream_defaults_to_main():
    assert camera().stream == "main"
    assert camera(stream="sub").stream == "sub"
