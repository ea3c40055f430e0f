"""The engine's promises: the same events whatever the rate, replayed or split (A1, A5), gaps, epochs, PTZ (A13)."""

import pickle
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.analytics.scenes import Thing, configured, fired, judge, line, observe, through
from workers.analytics.rules.engine import step

ZONE = {"id": "z", "polygon": [[0.35, 0.25], [0.75, 0.25], [0.75, 0.75], [0.35, 0.75]]}
LANE = {"id": "norte", "polygon": [[0.3, 0], [0.8, 0], [0.8, 1], [0.3, 1]], "axis": [[0.55, 1], [0.55, 0]]}
CONFIG = configured(
    {"kind": "wrong_way"}, {"kind": "zone_enter", "params": {"seconds": 1.0}}, {"kind": "dwell", "params": {"seconds": 5}},
    {"kind": "line_cross", "params": {"line": [[0.2, 0.55], [0.9, 0.55]]}}, lanes=[LANE], zones=[ZONE],
)


def journeys(seed: int) -> list[Thing]:
    """Things in straight legs at honest speeds, well clear of the edges where a frame more or less decides.

    At most three: four that start or stop alike are a moved camera, which has its own tests.
    """
    chance = random.Random(seed)
    things = []
    for track in range(chance.randint(1, 3)):
        x, begin = chance.uniform(0.4, 0.7), chance.uniform(0, 2)
        speed = chance.choice([0.12, 0.2, 0.3])
        down = chance.random() < 0.5
        start, stop = (0.08, 0.97) if down else (0.97, 0.08)
        half = begin + 0.42 / speed
        pause = chance.choice([0.0, 4.0])
        path = through((begin, x, start), (half, x, 0.5), (half + pause + 1e-6, x, 0.5),
                       (half + pause + 0.42 / speed, x, stop))
        things.append(Thing(str(track), path, cls=chance.choice(["car", "person", "moving"])))
    return things


def summary(events):
    return sorted((event.kind, event.track, event.region, event.n) for event in fired(events))


@pytest.mark.slow("hundreds of simulated seconds at up to 30 frames a second")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([8.0, 10.0, 12.5, 15.0, 25.0, 30.0]), st.sampled_from([0.0, 0.1]))
def test_step_any_rate_jitter_and_drops_give_the_same_events(seed, fps, drop):
    things = journeys(seed)
    ideal = judge(observe(things, 16, fps=30), CONFIG)

    seen = judge(observe(things, 16, fps=fps, jitter=0.5, drop=drop, seed=seed), CONFIG)

    assert summary(seen) == summary(ideal)
    frame_s = (2 if drop else 1) / fps
    times = {(event.rule_id, event.track, event.region, event.n): event.pts_ns for event in fired(ideal)}
    for event in fired(seen):
        assert abs(event.pts_ns - times[event.rule_id, event.track, event.region, event.n]) / 1e9 <= 0.3 + frame_s


@pytest.mark.slow("simulates many scenes")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([8.0, 12.5, 30.0]))
def test_step_never_tells_two_events_for_one_track_and_rule(seed, fps):
    chance = random.Random(seed)
    stops = [(t * 1.5, chance.uniform(0, 1), chance.uniform(0.1, 1)) for t in range(8)]
    things = [Thing(str(n), through(*((t, x * 0.5 + 0.25, y) for t, x, y in stops)), conf=chance.random())
              for n in range(3)]

    events = judge(observe(things, 12, fps=fps, jitter=0.5, seed=seed), CONFIG)

    assert len({event.key(1) for event in fired(events)}) == len(fired(events))
    contrary = [(event.track, event.region) for event in fired(events) if event.kind == "wrong_way"]
    assert len(set(contrary)) == len(contrary)


@pytest.mark.slow("judges every scene three times")
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 159))
def test_step_replayed_or_split_with_the_state_kept_gives_the_same_keys(seed, cut):
    rows = observe(journeys(seed), 16, jitter=0.5, drop=0.1, seed=seed)
    whole = judge(rows, CONFIG)

    state = None
    first = []
    for row in rows[:cut]:
        state, told = step(state, row, CONFIG)
        first.extend(told)
    second = judge(rows[cut:], CONFIG, pickle.loads(pickle.dumps(state)))

    assert judge(rows, CONFIG) == whole
    assert [*first, *second] == whole


def intruder(skip=None, **changes):
    return observe([Thing("5", line((0.5, 0.5), (0.0, 0.0)), cls="person")], 40, skip=skip, **changes)


def test_step_gap_over_two_seconds_does_not_count_as_time_inside():
    config = configured({"kind": "dwell", "params": {"seconds": 10}}, zones=[ZONE])

    events = judge(intruder(skip=(5, 12)), config)

    assert [event.pts_ns / 1e9 for event in events] == [pytest.approx(17, abs=0.3)]


def test_step_gap_over_ten_seconds_starts_the_camera_again():
    config = configured({"kind": "dwell", "params": {"seconds": 10}}, zones=[ZONE])

    events = judge(intruder(skip=(5, 20)), config)

    assert [event.pts_ns / 1e9 for event in events] == [pytest.approx(30, abs=0.3)]


def test_step_new_epoch_forgets_everything():
    config = configured({"kind": "zone_enter"}, zones=[ZONE])
    rows = intruder()
    later = [replace(row, epoch=2) for row in rows]

    events = judge([*rows[:25], *later[25:50]], config)

    assert events == []
    assert [event.epoch for event in judge([*rows[:25], *later[25:]], config)] == [2]


def test_step_ptz_in_motion_is_not_judged_and_starts_again_afterwards():
    config = configured({"kind": "dwell", "params": {"seconds": 10}}, zones=[ZONE])

    moving = judge(intruder(preset=lambda t: None), config)
    paused = judge(intruder(preset=lambda t: None if 5 <= t < 8 else "home"), config)

    assert moving == []
    assert [event.pts_ns / 1e9 for event in paused] == [pytest.approx(18, abs=0.3)]


def test_step_reloaded_rules_keep_what_did_not_change():
    other = {"kind": "zone_enter", "id": "other", "params": {"seconds": 1}}
    before = configured({"kind": "dwell", "id": "d", "params": {"seconds": 10}}, zones=[ZONE])
    after = configured({"kind": "dwell", "id": "d", "params": {"seconds": 10}}, other, zones=[ZONE])
    after = replace(after, version=2)
    rows = intruder()
    state, events = None, []

    for row in rows:
        state, told = step(state, row, before if row.pts_ns < 5e9 else after)
        events.extend(told)

    assert [(event.rule_id, round(event.pts_ns / 1e9)) for event in events] == [("other", 6), ("d", 10)]


def test_event_key_names_session_epoch_run_camera_rule_track_and_number():
    event = judge(intruder(), configured({"kind": "zone_enter"}, zones=[ZONE]))[0]

    assert event.key(7) == f"{event.session}:1:7:{event.camera}:r0:5:0"
