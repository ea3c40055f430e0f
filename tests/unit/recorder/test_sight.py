"""Frozen and dark, judged from looks at keyframes."""

from __future__ import annotations

import pytest

from workers.recorder.clock import SECOND
from workers.recorder.health import Look, Sight


def look(second: float, luma: int = 1, *, mean: float = 100.0, deviation: float = 30.0) -> Look:
    return Look(luma, mean, deviation, int(second * SECOND))


def test_picture_that_stays_the_same_for_ten_seconds_is_frozen() -> None:
    sight = Sight()
    for second in (0, 5):
        sight.see(look(second), still=True)
    assert sight.verdict() is None

    sight.see(look(10), still=True)

    assert sight.verdict() == "frozen"


def test_short_video_whose_keyframe_comes_back_is_not_frozen() -> None:
    sight = Sight()
    for second in range(0, 60, 5):
        assert sight.suspects(look(second)) == (second > 0)
        sight.see(look(second), still=False)

    assert sight.verdict() is None


def test_one_different_picture_thaws() -> None:
    sight = Sight()
    for second in (0, 5, 10):
        sight.see(look(second), still=True)
    sight.see(look(12, 2))

    assert sight.verdict() is None


def test_black_for_five_seconds_is_dark_even_when_it_is_also_frozen() -> None:
    sight = Sight()
    for second in (0, 5, 10, 15):
        sight.see(look(second, mean=2, deviation=1), still=True)

    assert sight.verdict() == "dark"


@pytest.mark.parametrize(("mean", "deviation"), [(15.9, 6.1), (16.1, 5.9)])
def test_night_scene_with_detail_or_light_is_not_dark(mean: float, deviation: float) -> None:
    sight = Sight()
    for second in (0, 5, 10):
        sight.see(look(second, second, mean=mean, deviation=deviation))

    assert sight.verdict() is None


def test_same_keyframe_seen_twice_says_nothing_and_a_break_forgets_everything() -> None:
    sight = Sight()
    sight.see(look(0), still=True)
    assert not sight.suspects(look(0))
    for second in (5, 10):
        sight.see(look(second), still=True)
    sight.forget()

    assert sight.verdict() is None
