"""Following boxes: identities kept through crossings and gaps, never used twice; and the optimal pairing itself."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.analytics.observation import Box
from workers.analytics.producers.tracker import Tracker, assignment


def box(x: float, y: float, size: float = 0.1) -> Box:
    return Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)


def run(frames: list[list[Box]], fps: float = 12.5) -> list[list[int]]:
    tracker = Tracker()
    return [[follow.id for follow in tracker.update(boxes, n / fps)[0] if follow] for n, boxes in enumerate(frames)]


def test_tracker_moving_box_keeps_its_identity():
    ids = run([[box(0.1 + 0.03 * n, 0.5)] for n in range(25)])

    assert {tuple(row) for row in ids} == {(1,)}


def test_tracker_fast_box_without_overlap_is_followed_by_distance():
    ids = run([[box(0.1 + 0.11 * n, 0.5)] for n in range(7)])

    assert {tuple(row) for row in ids} == {(1,)}


def test_tracker_two_boxes_that_cross_keep_their_identities():
    frames = [[box(0.1 + 0.03 * n, 0.48), box(0.85 - 0.03 * n, 0.56)] for n in range(25)]

    assert run(frames)[-1] == run(frames)[0] == [1, 2]


def test_tracker_box_hidden_for_less_than_a_second_comes_back_as_itself():
    frames = [[box(0.1 + 0.02 * n, 0.5)] if not 10 <= n < 20 else [] for n in range(30)]

    assert run(frames)[-1] == [1]


def test_tracker_box_gone_for_longer_is_another_and_the_end_is_told():
    tracker = Tracker()
    ended = []
    for n in range(40):
        matched, gone = tracker.update([box(0.3, 0.5)] if not 10 <= n < 28 else [], n / 12.5)
        ended += [follow.id for follow in gone]

    assert [follow.id for follow in matched if follow] == [2]
    assert ended == [1]


def test_tracker_flicker_is_never_confirmed_nor_told():
    tracker = Tracker()
    seen = []
    for n in range(30):
        matched, gone = tracker.update([box(0.1 + 0.03 * n, 0.5)] if n % 10 == 0 else [], n / 12.5)
        seen += [follow.confirmed for follow in matched if follow] + [bool(gone)] * len(gone)

    assert not any(seen)


def test_tracker_is_deterministic():
    frames = [[box(0.1 + 0.03 * n, 0.48), box(0.85 - 0.03 * n, 0.5), box(0.5, 0.1 + 0.02 * n)] for n in range(25)]

    assert run(frames) == run(frames)


tables = st.integers(1, 4).flatmap(lambda width: st.lists(
    st.lists(st.floats(0, 1), min_size=width, max_size=width), min_size=1, max_size=4))


@given(tables)
def test_assignment_is_the_best_of_all_pairings(table):
    rows, columns = len(table), len(table[0])
    few, many = sorted((rows, columns))
    best = max(sum(table[pair[0]][pair[1]] if rows <= columns else table[pair[1]][pair[0]]
                   for pair in zip(range(few), order, strict=True)) for order in permutations(range(many), few))

    pairs = assignment(table)

    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs) == few
    assert sum(table[row][column] for row, column in pairs) == pytest.approx(best)
