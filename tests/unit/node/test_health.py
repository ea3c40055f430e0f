"""One event per real change of a camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.node.health import HealthDesk
from workers.node.spool import Spool
from workers.recorder.clock import SECOND

CAMERA = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.sqlite")
    yield made
    made.close()


def play(desk: HealthDesk, states: list[tuple[int, str]]) -> None:
    for second, state in states:
        desk.take([{"camera_id": CAMERA, "state": state, "error_code": None}], second * SECOND)


def told(spool: Spool) -> list[tuple[str, int]]:
    batch = spool.next_batch()
    items = batch.items if batch else ()
    return [(item["state"], int(item["since"][17:19])) for item in items]


def test_first_state_is_told_at_once(spool: Spool) -> None:
    play(HealthDesk(spool), [(0, "connecting"), (1, "connecting"), (3, "online"), (4, "online")])

    assert told(spool) == [("connecting", 0), ("online", 3)]


def test_camera_that_fails_is_told_at_once_and_comes_back_after_half_a_minute(spool: Spool) -> None:
    desk = HealthDesk(spool)
    play(desk, [(0, "online"), (5, "offline")])
    play(desk, [(second, "online") for second in range(10, 41)])

    assert told(spool) == [("online", 0), ("offline", 5), ("online", 10)]


def test_flapping_camera_stays_offline_and_is_told_once(spool: Spool) -> None:
    desk = HealthDesk(spool)
    play(desk, [(0, "online")])
    for round_ in range(6):
        play(
            desk,
            [
                (round_ * 9 + second, state)
                for second, state in [(1, "offline"), (3, "connecting"), (5, "online"), (8, "offline")]
            ],
        )

    assert told(spool) == [("online", 0), ("offline", 1)]


def test_trouble_that_changes_kind_is_told(spool: Spool) -> None:
    play(HealthDesk(spool), [(0, "online"), (2, "dark"), (4, "frozen"), (6, "offline")])

    assert [state for state, _ in told(spool)] == ["online", "dark", "frozen", "offline"]


def test_restarted_daemon_does_not_repeat_what_was_told(spool: Spool) -> None:
    play(HealthDesk(spool), [(0, "online"), (1, "offline")])

    play(HealthDesk(spool), [(2, "offline")])

    assert told(spool) == [("online", 0), ("offline", 1)]
