"""Motion without a model: what a car and a person look like, light that changes, and the gate that spares work."""

import cv2
import numpy as np
import pytest

from workers.analytics.producers.motion import IDLE_EVERY, Blob, MotionDetector

SIZE = (180, 320)
GREY, CAR, PERSON = (90, 90, 90), (60, 40), (14, 44)


def background(seed: int = 1, level: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-4, 5, (*SIZE, 3))
    picture = np.full((*SIZE, 3), 90, np.int16)
    picture[40:44, :] = 200
    return np.clip(picture + noise + level, 0, 255).astype(np.uint8)


def with_thing(seed: int, x: int, y: int, size: tuple[int, int], colour=(40, 40, 180)) -> np.ndarray:
    picture = background(seed)
    cv2.rectangle(picture, (x, y), (x + size[0], y + size[1]), colour, -1)
    return picture


def warmed() -> MotionDetector:
    detector = MotionDetector()
    for seed in range(40):
        detector.find(background(seed), awake=False)
    return detector


def only(blobs: list[Blob]) -> Blob:
    assert len(blobs) == 1
    return blobs[0]


def test_find_empty_street_gives_nothing_and_mostly_sleeps():
    detector = warmed()
    before = detector.ran

    found = [detector.find(background(100 + n), awake=False) for n in range(60)]

    assert found == [[]] * 60
    assert detector.ran - before <= 60 / IDLE_EVERY + 2


@pytest.mark.parametrize(("size", "is_vehicle"), [(CAR, True), (PERSON, False), ((30, 70), False)])
def test_find_size_and_shape_tell_a_vehicle_from_a_person(size, is_vehicle):
    detector = warmed()
    for n in range(5):
        blobs = detector.find(with_thing(n, 60 + 6 * n, 80, size), awake=True)

    blob = only(blobs)

    assert blob.is_vehicle is is_vehicle
    assert blob.box.x1 == pytest.approx(84 / 320, abs=0.03)
    assert blob.box.height == pytest.approx(size[1] / 180, abs=0.06)


def test_find_car_of_the_same_brightness_as_the_road_is_seen_by_its_colour():
    detector = warmed()
    same_luma = (20, 60, 190)
    assert abs(0.114 * same_luma[0] + 0.587 * same_luma[1] + 0.299 * same_luma[2] - 90) < 6

    for n in range(5):
        blobs = detector.find(with_thing(n, 60 + 6 * n, 80, CAR, same_luma), awake=True)

    assert only(blobs).is_vehicle


def test_find_long_vehicle_from_above_is_a_vehicle_when_large():
    detector = warmed()
    for n in range(5):
        blobs = detector.find(with_thing(n, 100, 60 + 3 * n, (46, 80)), awake=True)

    assert only(blobs).is_vehicle


def test_find_change_of_light_is_not_a_thing_and_is_forgotten():
    detector = warmed()

    flash = [detector.find(background(200 + n, level=60), awake=False) for n in range(20)]
    settled = [detector.find(background(300 + n, level=60), awake=True) for n in range(80)]

    assert flash == [[]] * 20
    assert settled[-1] == []
    assert only(detector.find(_brighter(with_thing(5, 100, 80, CAR)), awake=True)).is_vehicle


def _brighter(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture.astype(np.int16) + 60, 0, 255).astype(np.uint8)
