"""The whole CPU path on real videos: crossings, wrong way forwards and backwards, and people in a zone."""

from collections import Counter
from pathlib import Path
from uuid import UUID

import av
import pytest

from workers.analytics.configuration import parse
from workers.analytics.headless import analyse
from workers.analytics.producers.frames import from_url

pytestmark = pytest.mark.slow("decodes and analyses real videos")

MOTORWAY = {
    "lanes": [{"id": "derecha", "axis": [[0.45, 1], [0.72, 0.45], [0.85, 0.12]],
               "polygon": [[0.1, 1], [0.55, 0.37], [0.76, 0.16], [0.92, 0.1], [1.0, 0.35], [0.8, 1.0]]}],
    "rules": [{"id": "l", "kind": "line_cross", "params": {"line": [[0.36, 0.6], [0.98, 0.6]]}},
              {"id": "w", "kind": "wrong_way"}],
}
PARKING = {
    "lanes": [{"id": "todo", "polygon": None, "axis": [[0.5, 1], [0.5, 0]]}],
    "rules": [{"id": "l", "kind": "line_cross", "params": {"line": [[0.0, 0.5], [1.0, 0.5]]}}, {"id": "w", "kind": "wrong_way"}],
}


def told(path: Path, camera: dict, tmp_path: Path) -> list[dict]:
    row = {"id": str(UUID(int=1)), "ingest": {"kind": "url", "url": str(path)}, **camera}
    setup = parse({"schema": 1, "session": {"session_id": str(UUID(int=2)), "epoch": 1, "run": 1}, "config_version": 1,
                   "blob_dir": str(tmp_path / "blobs"), "cameras": [row]})
    assert next(iter(setup.cameras.values())).refused == ()
    lines: list[dict] = []
    assert analyse(setup, str(path), lines.append) > 100
    return [line["item"] for line in lines]


def count(items: list[dict]) -> Counter[tuple[str, str | None]]:
    return Counter((item["kind"], item["detail"].get("direction")) for item in items)


def backwards(source: Path, target: Path) -> Path:
    """The same video played from its end: one-way traffic becomes wrong-way traffic."""
    frames = [frame.colour() for frame in from_url(str(source), pace=False)]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "18"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in reversed(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return target


def test_parking_road_two_up_two_down_and_the_two_against_the_axis(testdata, tmp_path):
    items = told(testdata / "video/car-detection.mp4", PARKING, tmp_path)

    seen = count(items)

    assert (seen["line_cross", "BA"], seen["line_cross", "AB"]) == (2, 2)
    assert seen["wrong_way", None] == 2
    wrong = {item["track"] for item in items if item["kind"] == "wrong_way"}
    assert wrong == {item["track"] for item in items if item["detail"].get("direction") == "AB"}


def test_motorway_forwards_nobody_is_against_the_traffic(testdata, tmp_path):
    seen = count(told(testdata / "video/bgs_video02.avi", MOTORWAY, tmp_path))

    assert seen["wrong_way", None] == 0
    assert seen["line_cross", "AB"] == 0
    assert 17 <= seen["line_cross", "BA"] <= 25


def test_motorway_backwards_almost_everybody_is(testdata, tmp_path):
    reverse = backwards(testdata / "video/bgs_video02.avi", tmp_path / "reverse.mp4")

    seen = count(told(reverse, MOTORWAY, tmp_path))

    assert seen["wrong_way", None] >= 15
    assert seen["line_cross", "BA"] == 0


def test_campus_people_in_a_zone_are_intruders_only_while_it_is_armed(testdata, tmp_path):
    zone = {"id": "z", "polygon": [[0.3, 0.3], [0.7, 0.3], [0.7, 0.9], [0.3, 0.9]]}
    armed = {"zones": [zone], "rules": [{"id": "z", "kind": "zone_enter"}]}
    never = {"zones": [zone], "rules": [{"id": "z", "kind": "zone_enter", "schedule": []}]}

    seen = told(testdata / "video/vtest.avi", armed, tmp_path)

    assert len(seen) >= 8
    assert {item["kind"] for item in seen} == {"zone_enter"}
    assert all(item["crop_sha"] and item["image_sha"] for item in seen)
    assert told(testdata / "video/vtest.avi", never, tmp_path) == []
