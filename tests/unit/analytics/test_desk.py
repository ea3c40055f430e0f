"""The reading desk: which pictures are worth reading, the bounded rate, and passes told once, with a fake reader."""

import numpy as np
import pytest

from workers.analytics.observation import Box
from workers.analytics.plates.desk import MAX_ATTEMPTS, Candidate, PlateDesk, Shown, candidate_score
from workers.analytics.plates.reader import Reading

PIXELS = np.zeros((60, 120, 3), np.uint8)
BOX = Box(0.2, 0.2, 0.6, 0.6)


class FakeReader:
    """Reads what it is told, in turn; the last answer repeats."""

    def __init__(self, *answers: str | None) -> None:
        self.answers, self.read_sides = list(answers), []

    def read(self, picture, *, side):
        self.read_sides.append(side)
        text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if text is None:
            return []
        slots = tuple(((char, 0.98),) for char in text)
        return [Reading(text, text, "LLNNNLL", -0.1, slots, Box(0.25, 0.5, 0.75, 0.75), 25.0, 0.8, 1, False, PIXELS)]


class Rig:
    def __init__(self, *answers: str | None, per_second: float = 100.0) -> None:
        self.now, self.told = 0.0, []
        self.reader = FakeReader(*answers)
        self.desk = PlateDesk(lambda: self.reader, lambda camera, told: self.told.append((camera, told)), per_second,
                              monotonic=lambda: self.now)

    def see(self, at: float, score: float = 100.0, track: str = "7", camera: str = "c") -> bool:
        if not self.desk.wants(camera, track, at, score):
            return False
        self.desk.offer(camera, track, Candidate(at, int(at * 1e9), score, BOX, PIXELS, PIXELS))
        return True

    def work(self) -> int:
        done = 0
        while self.desk.run_once():
            done += 1
        return done

    def phases(self) -> list[tuple[str, str, str]]:
        return [(camera, told.phase, told.consensus.text) for camera, told in self.told]


def test_desk_reads_twice_tells_a_provisional_and_closes_with_the_track():
    rig = Rig("ZA123BC")

    for n in range(6):
        rig.see(n * 0.3)
        rig.work()
    rig.desk.ended("c", "7", 2.5, "left")
    rig.work()

    assert rig.phases() == [("c", "provisional", "ZA123BC"), ("c", "final", "ZA123BC")]
    assert rig.desk.readings == 3
    shown = rig.told[0][1].shown.payload
    assert isinstance(shown, Shown)


def test_desk_box_of_the_plate_is_in_the_frame_not_in_the_crop():
    rig = Rig("ZA123BC")
    rig.see(0.0)
    rig.see(0.3)
    rig.work()

    plate = rig.told[0][1].shown.read.box

    assert (plate.x1, plate.y1, plate.x2, plate.y2) == pytest.approx((0.3, 0.4, 0.5, 0.5))


def test_desk_vehicle_without_a_legible_plate_is_tried_again_only_when_much_better():
    rig = Rig(None)
    for n in range(3):
        rig.see(n * 0.3)
        rig.work()

    assert rig.desk.readings == 2
    assert not rig.see(2.0, score=120.0)
    assert rig.see(2.3, score=140.0)


def test_desk_attempts_per_vehicle_are_bounded():
    rig = Rig("ZA123BC", "XK987QQ", "MN555TT", "RR111PP", "QW222ER", "TY333UI", None)

    for n in range(40):
        rig.see(n * 0.3, score=100.0 * 1.4**n)
        rig.work()

    assert rig.desk.readings <= MAX_ATTEMPTS


def test_desk_rate_is_bounded_and_the_best_picture_goes_first():
    rig = Rig("ZA123BC", per_second=2.0)
    for track, score in (("1", 50.0), ("2", 200.0), ("3", 100.0)):
        rig.see(0.0, score, track)

    assert rig.work() == 2
    rig.now = 0.5
    assert rig.work() == 1
    assert rig.work() == 0


def test_desk_keeps_two_pictures_a_vehicle_and_the_better_ones():
    rig = Rig("ZA123BC", per_second=0.0)

    offered = [rig.see(n * 0.3, score) for n, score in enumerate((50.0, 60.0, 40.0, 80.0))]

    assert offered == [True, True, False, True]


def test_desk_long_pass_is_closed_by_time():
    rig = Rig("ZA123BC")
    rig.see(0.0)
    rig.work()

    rig.desk.passed("c", 6.5)

    assert rig.phases() == [("c", "final", "ZA123BC")]


def test_desk_cameras_do_not_share_passes():
    rig = Rig("ZA123BC")
    for camera in ("a", "b"):
        for n in range(3):
            rig.see(n * 0.3, camera=camera)
            rig.work()
        rig.desk.ended(camera, "7", 2.5, "left")
        rig.work()

    assert [camera for camera, phase, _ in rig.phases() if phase == "final"] == ["a", "b"]


def test_desk_forgotten_camera_tells_nothing_more():
    rig = Rig("ZA123BC")
    rig.see(0.0)
    rig.work()

    rig.desk.forget("c")
    rig.desk.ended("c", "7", 1.0, "left")

    assert rig.work() == 0
    assert rig.phases() == []


def test_candidate_score_prefers_size_and_sharpness_and_distrusts_the_edge():
    near, far = Box(0.2, 0.2, 0.6, 0.6), Box(0.4, 0.4, 0.5, 0.5)
    cut = Box(0.2, 0.6, 0.6, 1.0)

    assert candidate_score(near, 960, 540, 0.8) > candidate_score(far, 960, 540, 0.8)
    assert candidate_score(near, 960, 540, 0.8) > candidate_score(near, 960, 540, 0.3)
    assert candidate_score(cut, 960, 540, 0.8) < candidate_score(near, 960, 540, 0.5)
