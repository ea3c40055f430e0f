"""Wrong-way driving: fires in time on the true thing, never on its known look-alikes (A3)."""

import math
from dataclasses import replace

import pytest

from tests.unit.analytics.scenes import Thing, configured, fired, judge, line, observe, through

ROAD = [[0.3, 0.0], [0.7, 0.0], [0.7, 1.0], [0.3, 1.0]]
NORTH = [[0.5, 1.0], [0.5, 0.0]]
PAIRS = [[x, y, 20 * x, 60 * (1 - y)] for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
LANE = {"id": "norte", "polygon": ROAD, "axis": NORTH, "name": "Mano norte"}


def wrong_way(calibrated: bool, **rule):
    camera = {"calibration": {"pairs": PAIRS}} if calibrated else {}
    return configured({"kind": "wrong_way", "priority": 2, **rule}, lanes=[LANE], **camera)


@pytest.fixture(params=[False, True], ids=["boxes", "metres"])
def config(request):
    return wrong_way(request.param)


@pytest.mark.parametrize("speed", [0.14, 0.2, 0.35])
def test_wrong_way_driver_against_the_axis_fires_once_within_two_seconds(config, speed):
    driver = Thing("7", line((0.5, 0.1), (0.0, speed), begin=1.0))

    events = fired(judge(observe([driver], 6), config))

    assert [(event.kind, event.track, event.region) for event in events] == [("wrong_way", "7", "norte")]
    assert events[0].pts_ns / 1e9 - 1.0 <= 2.0
    assert events[0].n == 0
    assert set(events[0].detail) >= {"speed", "distance", "unit", "shares", "rule", "params", "region_name"}


def test_wrong_way_same_driver_on_the_legal_sense_is_silent(config):
    driver = Thing("7", line((0.5, 0.95), (0.0, -0.2)))

    assert judge(observe([driver], 5), config) == []


def test_wrong_way_axis_reversed_turns_the_verdict_around(config):
    lane = {**LANE, "axis": NORTH[::-1]}
    reversed_lane = configured({"kind": "wrong_way"}, lanes=[lane])
    driver = Thing("7", line((0.5, 0.95), (0.0, -0.2)))

    assert len(fired(judge(observe([driver], 5), reversed_lane))) == 1


def test_wrong_way_driver_beside_the_lane_is_silent(config):
    driver = Thing("7", line((0.8, 0.1), (0.0, 0.2)))

    assert judge(observe([driver], 5), config) == []


def test_wrong_way_end_of_the_drive_carries_duration_and_path(config):
    driver = Thing("7", line((0.5, 0.1), (0.0, 0.2), end=4.0))

    events = judge(observe([driver], 9), config)

    assert [event.phase for event in events] == ["fired", "ended"]
    assert events[1].key(3) == events[0].key(3)
    assert events[1].detail["ended"] == "lost"
    assert events[1].detail["seconds"] == pytest.approx(4.0, abs=0.6)
    assert events[1].detail["distance"] > events[0].detail["distance"]


def test_wrong_way_driver_who_turns_back_is_told_and_does_not_fire_again(config):
    def path(t: float) -> tuple[float, float]:
        return 0.5, 0.4 - 0.3 * math.cos(0.7 * t)

    events = judge(observe([Thing("7", path)], 13), config)

    assert [(event.phase, event.detail.get("ended")) for event in events] == [("fired", None), ("ended", "turned_back")]


def test_wrong_way_reversing_to_park_is_silent(config):
    path = through((0, 0.5, 0.95), (3, 0.5, 0.45), (4, 0.5, 0.44), (6, 0.53, 0.5), (7.5, 0.58, 0.52), (12, 0.58, 0.52))

    assert judge(observe([Thing("7", path)], 12), config) == []


def test_wrong_way_pedestrian_against_traffic_is_silent(config):
    walker = Thing("7", line((0.5, 0.1), (0.0, 0.1)), cls="person")

    assert judge(observe([walker], 8), config) == []


def test_wrong_way_towed_car_moving_with_the_traffic_is_silent(config):
    truck = Thing("1", line((0.5, 0.95), (0.0, -0.15)), cls="truck")
    towed = Thing("2", line((0.5, 1.0), (0.0, -0.15)))

    assert judge(observe([truck, towed], 6), config) == []


def test_wrong_way_identity_switch_between_crossing_cars_is_silent(config):
    north, south = line((0.66, 0.95), (0.0, -0.2)), line((0.78, 0.05), (0.0, 0.2))
    swapped = Thing("1", lambda t: north(t) if t < 2.2 else south(t))
    other = Thing("2", lambda t: south(t) if t < 2.2 else north(t))

    assert judge(observe([swapped, other], 5), config) == []


def test_wrong_way_jump_to_a_far_car_splits_the_track():
    config = wrong_way(calibrated=False)
    jumping = Thing("1", lambda t: (0.5, 0.95 - 0.2 * t) if t < 2 else (0.4, 0.05 + 0.02 * (t - 2)))

    assert judge(observe([jumping], 5), config) == []


def test_wrong_way_headlight_reflections_are_silent(config):
    flashes = [Thing(str(n), line((0.4 + 0.02 * n, 0.2 + 0.05 * n), (0.0, 0.5), begin=0.5 * n, end=0.5 * n + 0.45))
               for n in range(10)]

    assert judge(observe(flashes, 6), config) == []


def test_wrong_way_box_of_a_braking_car_that_swells_is_silent(config):
    def swelling(t: float) -> Thing:
        height = 0.06 + 0.02 * math.sin(6 * t) + 0.012 * t
        return Thing("7", line((0.5, 0.9), (0.0, -0.15 / (1 + t))), height=height)

    frames = observe([Thing("7", line((0.5, 0.9), (0.0, 0.0)))], 5)
    rows = []
    for row in frames:
        obj = swelling(row.pts_ns / 1e9).seen(row.pts_ns / 1e9)
        rows.append(replace(row, objects=(obj,) if obj else ()))

    assert judge(rows, config) == []


def test_wrong_way_moved_camera_is_silent(config):
    def shaken(t: float) -> float:
        return 0.25 * min(max(t - 2.0, 0.0), 1.5)

    parked = [Thing(str(n), lambda t, n=n: (0.35 + 0.07 * n, 0.2 + 0.1 * n + shaken(t))) for n in range(5)]

    assert judge(observe(parked, 7), config) == []


def test_wrong_way_one_car_doing_what_the_moved_camera_did_fires(config):
    def driven(t: float) -> float:
        return 0.25 * min(max(t - 2.0, 0.0), 2.5)

    parked = [Thing(str(n), lambda t, n=n: (0.35 + 0.07 * n, 0.25 + 0.1 * n)) for n in range(4)]
    driver = Thing("9", lambda t: (0.45, 0.15 + driven(t)))

    assert [event.track for event in fired(judge(observe([*parked, driver], 7), config))] == ["9"]


def test_wrong_way_cross_traffic_over_a_lane_at_an_intersection_is_silent(config):
    crossing = [Thing("1", line((0.05, 0.5), (0.25, 0.0))), Thing("2", line((0.95, 0.4), (-0.25, 0.03)))]

    assert judge(observe(crossing, 5), config) == []


def test_wrong_way_oncoming_traffic_raises_the_severity(config):
    driver = Thing("7", line((0.45, 0.1), (0.0, 0.15)))
    legal = Thing("8", line((0.6, 0.7), (0.0, -0.1)))

    alone = fired(judge(observe([driver], 5), config))
    meeting = fired(judge(observe([driver, legal], 5), config))

    assert [event.severity for event in alone] == [2]
    assert [(event.track, event.severity) for event in meeting] == [("7", 1)]


def test_wrong_way_outside_its_schedule_is_silent():
    night = [{"days": [0, 1, 2, 3, 4, 5, 6], "from": "22:00", "to": "06:00"}]
    driver = Thing("7", line((0.5, 0.1), (0.0, 0.2)))

    assert judge(observe([driver], 5), wrong_way(False, schedule=night)) == []


def test_wrong_way_slow_drift_needs_distance_not_only_direction(config):
    creeping = Thing("7", line((0.5, 0.4), (0.0, 0.012)))

    assert judge(observe([creeping], 20), config) == []


def test_wrong_way_two_lanes_count_separately():
    lanes = [{"id": "a", "polygon": [[0.3, 0], [0.7, 0], [0.7, 0.5], [0.3, 0.5]], "axis": NORTH},
             {"id": "b", "polygon": [[0.3, 0.5], [0.7, 0.5], [0.7, 1], [0.3, 1]], "axis": NORTH}]
    driver = Thing("7", line((0.5, 0.06), (0.0, 0.15)), width=0.05, height=0.05)

    events = fired(judge(observe([driver], 6.2), configured({"kind": "wrong_way"}, lanes=lanes)))

    assert [(event.region, event.n) for event in events] == [("a", 0), ("b", 1)]


def test_wrong_way_untracked_objects_are_not_judged(config):
    rows = observe([Thing("7", line((0.5, 0.1), (0.0, 0.2)))], 5)
    anonymous = [replace(row, objects=tuple(replace(obj, track=None) for obj in row.objects)) for row in rows]

    assert judge(anonymous, config) == []
