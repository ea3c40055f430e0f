"""Frames in waiting: the oldest is dropped and counted, the one due first is taken, and the state says how it goes (A14)."""

from uuid import UUID

from workers.analytics.feed import PARTIAL_WINDOW_S, WAITING, Feed, Lane
from workers.analytics.producers.frames import Frame

A, B = UUID(int=1), UUID(int=2)


def frame(index: int, wall: int) -> Frame:
    return Frame(index, 0, wall, wall, 640, 360, None)


def feed(now: list[float]) -> Feed:
    made = Feed(lambda camera, code, message: None, monotonic=lambda: now[0])
    made.lanes |= {A: Lane(), B: Lane()}
    return made


def test_put_over_capacity_drops_the_oldest_and_counts_it():
    waiting = feed([0.0])

    for n in range(WAITING + 3):
        waiting.put(A, frame(n, n))

    assert waiting.lanes[A].dropped == 3
    assert [waiting.take(0)[1].index for _ in range(WAITING)] == [3, 4, 5, 6]
    assert waiting.take(0) is None


def test_take_gives_every_camera_its_turn_by_the_age_of_its_frames():
    waiting = feed([0.0])
    for n in range(3):
        waiting.put(A, frame(n, 10 * n))
        waiting.put(B, frame(n, 10 * n + 5))

    order = [waiting.take(0)[0] for _ in range(6)]

    assert order == [A, B] * 3


def test_put_for_a_camera_that_left_is_ignored():
    waiting = feed([0.0])

    waiting.put(UUID(int=9), frame(1, 1))

    assert waiting.take(0) is None


def test_lane_state_goes_from_starting_to_running_to_stalled():
    now = [100.0]
    waiting = feed(now)
    states = [waiting.lanes[A].state(now[0])]
    waiting.put(A, frame(1, 1))
    states.append(waiting.lanes[A].state(now[0]))
    now[0] += 11
    states.append(waiting.lanes[A].state(now[0]))

    assert states == ["starting", "running", "stalled"]


def overloaded(taken_every: int) -> str:
    now = [100.0]
    waiting = feed(now)
    for n in range(int(3 * PARTIAL_WINDOW_S * 10)):
        now[0] += 0.1
        waiting.put(A, frame(n, n))
        if n % taken_every == 0:
            waiting.take(0)
    assert len(waiting.lanes[A].waiting) <= WAITING
    return waiting.lanes[A].state(now[0])


def test_lane_that_loses_a_fifth_of_its_frames_is_partial():
    assert overloaded(taken_every=3) == "partial"
    assert overloaded(taken_every=1) == "running"
