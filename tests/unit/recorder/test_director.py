"""The room's budget of demonstration alarms."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.recorder.demo import ROOM_BUDGET, VIEWER_BUDGET, Clip, Director, Scene, find_scene
from workers.recorder.errors import SourceError


class Hours:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def scene(name: str = "esquina") -> Scene:
    kinds = [("fondo", "background"), ("paso", "pass"), ("uno", "listed"), ("dos", "listed"), ("contra", "wrong_way")]
    return Scene(name, tuple(Clip(Path(file), kind, file if kind == "listed" else None, 1.0) for file, kind in kinds))


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def director(hours: Hours) -> Director:
    made = Director(now=hours)
    made.join("a", scene())
    made.join("b", scene())
    return made


def test_room_never_plays_more_than_six_alarms_an_hour_by_itself(director: Director, hours: Hours) -> None:
    alarms = []
    for _ in range(2000):
        hours.now += 5
        alarms += [hours.now for camera in ("a", "b") if director.next_clip(camera).alarms]

    assert alarms
    assert all(sum(at - 3600 < other <= at for other in alarms) <= ROOM_BUDGET for at in alarms)


def test_order_is_repeatable_and_not_a_loop(hours: Hours) -> None:
    def played() -> list[str]:
        one = Director(now=hours)
        one.join("a", scene())
        return [one.next_clip("a").file.name for _ in range(60)]

    first = played()
    assert first == played()
    assert len({tuple(first[at : at + 6]) for at in range(0, 54, 6)}) > 3


def test_first_viewer_of_a_quiet_room_gets_one_hit(director: Director, hours: Hours) -> None:
    cued = director.viewer_arrived()

    assert cued is not None
    assert cued[1].kind == "listed"
    assert director.viewer_arrived() is None
    assert director.next_clip(cued[0]) == cued[1]
    assert director.viewer_arrived() is None
    hours.now += 61
    again = director.viewer_arrived()
    assert again is not None
    assert again[1] != cued[1]


def test_reloading_the_page_cannot_flood_the_room(director: Director, hours: Hours) -> None:
    cued = 0
    for _ in range(50):
        hours.now += 61
        found = director.viewer_arrived()
        if found:
            director.next_clip(found[0])
            cued += 1

    assert cued == VIEWER_BUDGET


def test_cue_chooses_what_was_asked_for_or_nothing(director: Director) -> None:
    found = director.cue(camera="b", kind="wrong_way")

    assert found is not None
    assert (found[0], director.next_clip("b").kind) == ("b", "wrong_way")
    assert director.cue(plate="AA000AA") is None
    director.leave("a")
    director.leave("b")
    assert director.cue() is None


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "a/b", "absent"])
def test_scene_name_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="not_found"):
        find_scene((tmp_path,), name)


def test_broken_manifest_is_a_protocol_error(tmp_path: Path) -> None:
    folder = tmp_path / "h" / "esquina"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"clips": [{"kind": "pass"}]}')

    with pytest.raises(SourceError, match="protocol_error"):
        find_scene((tmp_path,), "esquina")
