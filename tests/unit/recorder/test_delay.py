"""How far behind its camera a pull is."""

from __future__ import annotations

import pytest

from workers.recorder.sources import Delay


def test_frame_later_than_the_promptest_one_is_behind_by_that_much() -> None:
    delay = Delay()
    delay.of(50.0, 1000.0)

    assert delay.of(50.04, 1000.34) == pytest.approx(0.3, abs=0.01)
    assert delay.of(50.4, 1000.4) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("rate", [0.9995, 1.0005])
def test_clock_that_drifts_is_never_behind(rate: float) -> None:
    delay = Delay()

    worst = max(delay.of(frame * 0.04 * rate, frame * 0.04) for frame in range(90_000))

    assert worst < 0.01


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_clock_that_jumps_is_not_behind_afterwards(jump: float) -> None:
    delay = Delay()
    delay.of(5000.0, 1000.0)
    delay.of(5000.04 + jump, 1000.04)

    assert delay.of(5000.08 + jump, 1000.08) == pytest.approx(0.0, abs=0.01)
