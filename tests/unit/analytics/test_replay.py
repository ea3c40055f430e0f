"""The replay producer: order, pace and the sentence about a broken line."""

from dataclasses import replace

import pytest

from tests.unit.analytics.test_observation import BASE
from workers.analytics.observation import dumps
from workers.analytics.producers import replay


def test_read_returns_the_recorded_observations(tmp_path):
    rows = [replace(BASE, frame=n, pts_ns=n * 100) for n in range(1, 4)]
    path = tmp_path / "scene.jsonl"
    path.write_text("\n".join(dumps(row) for row in rows) + "\n\n")

    assert list(replay.read(path)) == rows


def test_read_broken_line_names_its_number(tmp_path):
    path = tmp_path / "scene.jsonl"
    path.write_text(dumps(BASE) + "\n{oops\n")

    with pytest.raises(ValueError, match=r"scene\.jsonl, line 2"):
        list(replay.read(path))


@pytest.mark.parametrize(("speed", "waits"), [(None, []), (1.0, [2.0, 2.0]), (4.0, [0.5, 0.5])])
def test_play_waits_what_the_presentation_times_say(speed, waits):
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(pytest.approx(seconds))
        now[0] += seconds

    rows = [replace(BASE, pts_ns=n * 2_000_000_000) for n in range(3)]

    played = list(replay.play(rows, speed=speed, sleep=sleep, monotonic=lambda: now[0]))

    assert played == rows
    assert waits == slept
