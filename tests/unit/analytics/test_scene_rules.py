"""A dark camera, a frozen picture, and the pictures that only look like them."""

import pytest

from tests.unit.analytics.scenes import configured, judge, observe
from workers.analytics.observation import Quality

TAMPER = configured({"kind": "tamper"})


def picture(mean=90.0, std=40.0, frame_hash=None):
    def at(t: float) -> Quality:
        return Quality(mean, std, 0.1, 100.0, frame_hash or f"{t:.3f}", None)

    return at


def told(quality, seconds=40, fps=1.0):
    return [(event.kind, event.phase, round(event.pts_ns / 1e9))
            for event in judge(observe([], seconds, fps=fps, quality=quality), TAMPER)]


def test_tamper_ordinary_picture_is_silent():
    assert told(picture()) == []


def test_tamper_black_fires_once_after_five_seconds_and_ends_with_the_light():
    def covered(t: float) -> Quality:
        return picture(8, 2)(t) if 10 <= t < 25 else picture()(t)

    assert told(covered) == [("tamper_black", "fired", 15), ("tamper_black", "ended", 27)]


@pytest.mark.parametrize(("mean", "std"), [(17, 2), (8, 7)])
def test_tamper_night_with_lamps_is_not_black(mean, std):
    assert told(picture(mean, std)) == []


def test_tamper_short_blackout_is_silent():
    assert told(lambda t: picture(5, 1)(t) if 10 <= t < 14 else picture()(t)) == []


def test_tamper_frozen_fires_after_ten_seconds_of_the_same_picture():
    def stuck(t: float) -> Quality:
        return picture(frame_hash="same")(t) if 10 <= t < 30 else picture()(t)

    assert told(stuck) == [("tamper_frozen", "fired", 21), ("tamper_frozen", "ended", 32)]


def test_tamper_black_and_still_picture_is_told_as_black_only():
    assert told(picture(3, 1, "same")) == [("tamper_black", "fired", 5)]


def test_tamper_frames_without_measures_do_not_count_as_frozen():
    def sparse(t: float) -> Quality | None:
        return picture()(t) if t % 1 < 0.05 else None

    assert told(sparse, fps=10) == []


def test_tamper_is_judged_while_a_ptz_moves():
    rows = observe([], 10, fps=1, quality=picture(3, 1), preset=lambda t: None)

    assert [event.kind for event in judge(rows, TAMPER)] == ["tamper_black"]
