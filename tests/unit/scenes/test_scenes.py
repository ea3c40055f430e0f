"""The demonstration's scenes: nobody's plates, clips that join packet by packet, truth that matches the pictures."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import av
import numpy as np
import pytest

from tenants.data import demonstration
from workers.scenes import library, street
from workers.scenes.vehicle_art import Vehicle

SYNTHETIC = re.compile(r"Z[A-Z]\d{3}[A-Z]{2}|ZZ[A-Z]\d{3}")


def all_plates() -> list[str]:
    return [seen.plate for room in demonstration.ROOMS for seen in (*room.ordinary, *room.wanted)]


def test_every_demonstration_plate_belongs_to_a_series_never_issued() -> None:
    assert [plate for plate in all_plates() if not SYNTHETIC.fullmatch(plate)] == []


def test_no_plate_is_shared_between_municipalities() -> None:
    assert len(all_plates()) == len(set(all_plates()))


def test_every_live_camera_has_a_scene_and_each_room_its_count() -> None:
    names = {"acceso-laprida", "acceso-tres-arroyos", "acceso-general-pueyrredon", "semaforo", "plaza", "banco"}

    assert {camera.scene for camera in demonstration.LIVE} <= names
    assert [len(demonstration.live_cameras(room.slug)) for room in demonstration.ROOMS] == [2, 4, 4]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = library._public_place("plaza", "trees", 300)
    root = tmp_path_factory.mktemp("scenes")
    library._render(root, scene)
    return root / "plaza"


@pytest.mark.slow("renders three clips")
def test_clips_share_their_encoder_settings_and_start_with_a_keyframe(rendered: Path) -> None:
    manifest = json.loads((rendered / "manifest.json").read_text(encoding="utf-8"))
    headers = set()

    for clip in manifest["clips"]:
        with av.open(str(rendered / clip["file"])) as container:
            stream = container.streams.video[0]
            headers.add(bytes(stream.codec_context.extradata))
            keys = [packet.is_keyframe for packet in container.demux(stream) if packet.dts is not None]
        assert len(keys) == library.FRAMES
        assert [index for index, key in enumerate(keys) if key] == list(range(0, library.FRAMES, 12))

    assert len(headers) == 1


@pytest.mark.slow("decodes a clip")
def test_background_never_repeats_a_frame(rendered: Path) -> None:
    manifest = json.loads((rendered / "manifest.json").read_text(encoding="utf-8"))

    with av.open(str(rendered / manifest["clips"][0]["file"])) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]

    assert all(not np.array_equal(a, b) for a, b in itertools.pairwise(frames))


def test_wrong_way_truth_is_a_vehicle_going_away_in_the_oncoming_lane() -> None:
    view = library.LIGHT_VIEW
    going = street.Pass(Vehicle("rojo", "", rear=True), "oncoming", towards=False, speed=16.0)
    empty = np.zeros((view.height, view.width, 3), dtype=np.uint8)

    truths = [truth for _, truth in street.frames(view, empty, (going,), 40) if truth]

    assert truths
    assert all(objects[0]["wrong_way"] for objects in truths)
    assert truths[0][0]["distance_m"] < truths[-1][0]["distance_m"]


def test_lane_axes_point_with_the_traffic() -> None:
    oncoming, outgoing = street.lanes(library.LPR_VIEW)

    assert oncoming["axis"][0][1] < oncoming["axis"][1][1]
    assert outgoing["axis"][0][1] > outgoing["axis"][1][1]


def test_interrupted_rendering_leaves_no_finished_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = library._public_place("plaza", "trees", 300)

    def cut(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "write_clip", cut)
    with pytest.raises(KeyboardInterrupt):
        library._render(tmp_path, scene)

    assert not (tmp_path / "plaza").exists()


def test_the_seeded_geometry_is_the_one_of_the_pictures() -> None:
    drawn = {
        scene.name: {"lanes": scene.lanes, "zones": scene.zones} for scene in (make() for make in library.scenes())
    }

    assert drawn == demonstration.GEOMETRY
