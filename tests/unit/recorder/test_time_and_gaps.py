"""Recording time and the account of what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from workers.recorder.backoff import AUTH_STEPS_S, Backoff
from workers.recorder.clock import SECOND, Clock, RunClock, day_of, from_iso, hour_of, iso
from workers.recorder.gaps import CAUSES, ROWS_PER_HOUR, GapLog, code_of_break


class ManualClock(Clock):
    def __init__(self) -> None:
        self.wall, self.mono = 1_700_000_000 * SECOND, 5 * SECOND

    def wall_us(self) -> int:
        return self.wall

    def mono_us(self) -> int:
        return self.mono

    def pass_time(self, us: int, wall: int | None = None) -> None:
        self.mono += us
        self.wall += us if wall is None else wall


class Statements:
    """An index that only remembers what it was told."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        for sql, values in statements:
            if sql.startswith("INSERT"):
                identifier, camera, from_us, to_us, cause, code = values
                self.rows[identifier] = {
                    "camera": camera,
                    "from": from_us,
                    "to": to_us,
                    "cause": cause,
                    "code": code,
                    "flaps": 0,
                }
            elif "flaps=flaps+1" in sql:
                self.rows[values[1]]["flaps"] += 1
            elif "SET to_us" in sql:
                self.rows[values[1]]["to"] = values[0]
            else:
                self.rows[values[2]] |= {"cause": values[0], "code": values[1]}


def test_run_clock_slews_at_most_500_ppm_towards_the_wall() -> None:
    clock = ManualClock()
    run = RunClock(clock)
    begin = run.read()

    clock.pass_time(10 * SECOND, wall=10 * SECOND + 400_000)

    assert run.read() - begin == 10 * SECOND + 5_000
    assert not run.stepped


def test_run_clock_never_goes_back_when_the_wall_does_a_little() -> None:
    clock = ManualClock()
    run = RunClock(clock)
    readings = []
    for _ in range(50):
        clock.pass_time(40_000, wall=20_000)
        readings.append(run.read())

    assert readings == sorted(readings)


@pytest.mark.parametrize("step", [3600 * SECOND, -3600 * SECOND])
def test_step_of_the_wall_ends_the_run(step: int) -> None:
    clock = ManualClock()
    run = RunClock(clock)

    clock.pass_time(SECOND, wall=step)
    run.read()

    assert run.stepped


def test_instants_survive_the_message_form() -> None:
    instant = 1_767_225_599_999_999

    assert iso(instant) == "2025-12-31T23:59:59.999999+00:00"
    assert from_iso(iso(instant)) == instant
    assert from_iso("2025-12-31T20:59:59.999999-03:00") == instant
    assert day_of(instant) == "2025/12/31"
    assert hour_of(instant) == from_iso("2025-12-31T23:00:00+00:00")


def test_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="without offset"):
        from_iso("2026-01-01T00:00:00")


def test_short_hole_is_a_seam_and_a_long_one_a_row() -> None:
    index = Statements()
    gaps = GapLog(index, "camera")  # type: ignore[arg-type]  # remembers instead of writing

    assert gaps.between(0, 2 * SECOND, "dts_discontinuity") == "seam:dts_discontinuity"
    assert index.rows == {}

    assert gaps.between(0, 2 * SECOND + 1, "timeout") is None
    assert [(row["cause"], row["code"]) for row in index.rows.values()] == [("camara", "stream_stalled")]


def test_open_gap_closes_when_footage_returns_and_learns_its_cause() -> None:
    index = Statements()
    gaps = GapLog(index, "camera")  # type: ignore[arg-type]  # remembers instead of writing

    gaps.begin(10, "unknown")
    gaps.begin(20, "auth_failed")
    gaps.begin(30, "stream_stalled")
    assert gaps.open_since == 10
    gaps.between(10, 5 * SECOND, "timeout")

    assert list(index.rows.values()) == [
        {"camera": "camera", "from": 10, "to": 5 * SECOND, "cause": "camara", "code": "auth_failed", "flaps": 0}
    ]
    assert gaps.open_since is None


def test_flapping_camera_writes_sixty_rows_an_hour_and_counts_the_rest() -> None:
    index = Statements()
    gaps = GapLog(index, "camera")  # type: ignore[arg-type]  # remembers instead of writing

    for number in range(ROWS_PER_HOUR + 25):
        gaps.between(number * 5 * SECOND, number * 5 * SECOND + 3 * SECOND, "timeout")

    assert len(index.rows) == ROWS_PER_HOUR
    assert sum(row["flaps"] for row in index.rows.values()) == 25


def test_every_break_has_a_known_code() -> None:
    for cause in ["start", "shutdown", "update", "timeout", "auth_failed", "nonsense", None, "clock_step", "disk_full"]:
        assert code_of_break(cause) in CAUSES


def test_backoff_grows_forgets_after_stable_video_and_is_slow_for_refused_passwords() -> None:
    backoff = Backoff()
    delays = [backoff.delay("unreachable", 0) for _ in range(8)]

    assert all(delay <= ceiling for delay, ceiling in zip(delays, [1, 2, 4, 8, 16, 30, 30, 30], strict=True))
    assert backoff.delay("unreachable", 61) <= 1
    assert Backoff().delay("auth_failed", 0) == AUTH_STEPS_S[0]
