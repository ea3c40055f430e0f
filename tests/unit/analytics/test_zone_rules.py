"""Intrusion, loitering, stopping, line crossing and crowds."""

import pytest

from tests.unit.analytics.scenes import NOON_NS, Thing, configured, fired, judge, line, observe, through
from workers.analytics.rules.config import Capabilities, parse_camera

ZONE = {"id": "z", "polygon": [[0.4, 0.4], [0.8, 0.4], [0.8, 0.8], [0.4, 0.8]], "name": "Vereda"}
HOUR_NS = 3600 * 1_000_000_000
EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]


def walker(track="5", **changes):
    return Thing(track, line((0.1, 0.6), (0.1, 0.0)), cls="person", width=0.03, **changes)


def test_zone_enter_person_fires_three_seconds_after_entering():
    events = judge(observe([walker()], 10), configured({"kind": "zone_enter"}, zones=[ZONE]))

    assert [(event.phase, event.track, event.region) for event in events] == [("fired", "5", "z")]
    assert events[0].began_pts_ns / 1e9 == pytest.approx(3.0, abs=0.15)
    assert (events[0].pts_ns - events[0].began_pts_ns) / 1e9 == pytest.approx(3.0, abs=0.15)


def test_zone_enter_vehicle_is_given_five_seconds():
    car = Thing("5", through((0, 0.1, 0.6), (3, 0.6, 0.6), (12, 0.6, 0.6)))

    events = judge(observe([car], 12), configured({"kind": "zone_enter"}, zones=[ZONE]))

    assert (events[0].pts_ns - events[0].began_pts_ns) / 1e9 == pytest.approx(5.0, abs=0.15)


def test_zone_enter_without_zones_takes_the_whole_frame():
    events = judge(observe([walker()], 5), configured({"kind": "zone_enter"}))

    assert [event.region for event in events] == ["frame"]


def test_zone_enter_passing_through_quickly_is_silent():
    runner = Thing("5", line((0.1, 0.6), (0.3, 0.0)), cls="person")

    assert judge(observe([runner], 5), configured({"kind": "zone_enter"}, zones=[ZONE])) == []


def test_zone_enter_doubtful_detections_are_silent_until_the_median_is_sure():
    config = configured({"kind": "zone_enter"}, zones=[ZONE])

    assert judge(observe([walker(conf=0.4)], 8), config) == []
    assert len(judge(observe([walker(conf=0.5)], 8), config)) == 1


def test_zone_enter_other_class_is_silent():
    config = configured({"kind": "zone_enter", "params": {"classes": ["car"]}}, zones=[ZONE])

    assert judge(observe([walker()], 8), config) == []


def test_zone_enter_second_visit_fires_again_with_the_next_number():
    path = through((0, 0.1, 0.6), (2, 0.6, 0.6), (7, 0.6, 0.6), (9, 0.1, 0.6), (12, 0.1, 0.6), (14, 0.6, 0.6),
                   (19, 0.6, 0.6))

    events = judge(observe([Thing("5", path, cls="person")], 19), configured({"kind": "zone_enter"}, zones=[ZONE]))

    assert [event.n for event in events] == [0, 1]
    assert len({event.key(1) for event in events}) == 2


def test_zone_enter_flicker_at_the_boundary_is_one_visit():
    def path(t: float) -> tuple[float, float]:
        return (0.395 if 3 < t < 3.5 else 0.41), 0.6

    events = judge(observe([Thing("5", path, cls="person")], 8), configured({"kind": "zone_enter"}, zones=[ZONE]))

    assert [event.n for event in events] == [0]


def test_zone_enter_lost_inside_for_less_than_the_grace_is_the_same_visit():
    def path(t: float) -> tuple[float, float] | None:
        return None if 2 < t < 3.6 else (0.6, 0.6)

    events = judge(observe([Thing("5", path, cls="person")], 9), configured({"kind": "zone_enter"}, zones=[ZONE]))

    assert [event.n for event in events] == [0]
    assert events[0].pts_ns / 1e9 < 4.0


def test_zone_enter_exit_is_told_only_when_asked():
    path = through((0, 0.1, 0.6), (2, 0.6, 0.6), (7, 0.6, 0.6), (9, 0.1, 0.6), (12, 0.1, 0.6))
    rows = observe([Thing("5", path, cls="person")], 12)
    asked = configured({"kind": "zone_enter", "params": {"report_exit": True}}, zones=[ZONE])

    assert [event.phase for event in judge(rows, asked)] == ["fired", "ended"]
    assert [event.phase for event in judge(rows, configured({"kind": "zone_enter"}, zones=[ZONE]))] == ["fired"]


@pytest.mark.parametrize(("hour", "expected"), [(19.9, 0), (20.1, 1), (23.9, 1), (24.1, 1), (29.9, 1), (30.1, 0)])
def test_zone_enter_is_armed_by_local_time_across_midnight(hour, expected):
    night = [{"days": EVERY_DAY, "from": "20:00", "to": "06:00"}]
    config = configured({"kind": "zone_enter", "schedule": night}, zones=[ZONE])
    midnight = NOON_NS - NOON_NS % (24 * HOUR_NS) + 3 * HOUR_NS

    events = judge(observe([walker()], 8, wall_ns=midnight + int(hour * HOUR_NS)), config)

    assert len(events) == expected


@pytest.mark.parametrize(("days", "hour", "expected"), [([0], 23, 1), ([0], 25, 1), ([1], 25, 0), ([1], 47, 1), ([], 23, 0)])
def test_zone_enter_window_past_midnight_belongs_to_the_day_it_begins(days, hour, expected):
    config = configured({"kind": "zone_enter", "schedule": [{"days": days, "from": "22:00", "to": "06:00"}]}, zones=[ZONE])
    monday = NOON_NS - NOON_NS % (24 * HOUR_NS) + 3 * HOUR_NS

    assert len(judge(observe([walker()], 8, wall_ns=monday + hour * HOUR_NS), config)) == expected


def test_dwell_loitering_fires_once_after_its_time():
    path = through((0, 0.45, 0.6), (15, 0.75, 0.6), (30, 0.45, 0.6))
    config = configured({"kind": "dwell", "params": {"seconds": 20}}, zones=[ZONE])

    events = judge(observe([Thing("5", path, cls="moving")], 30), config)

    assert [round(event.pts_ns / 1e9) for event in events] == [20]


def test_dwell_stopped_car_fires_and_a_circling_one_does_not():
    config = configured({"kind": "dwell", "params": {"mode": "stopped", "seconds": 10}}, zones=[ZONE])
    parked = Thing("1", through((0, 0.1, 0.6), (3, 0.6, 0.6), (20, 0.6, 0.6)))
    circling = Thing("2", through((0, 0.45, 0.6), (7, 0.75, 0.6), (14, 0.45, 0.6), (20, 0.75, 0.6)))

    events = judge(observe([parked, circling], 20), config)

    assert [event.track for event in events] == ["1"]


LINE = [[0.5, 0.9], [0.5, 0.1]]


@pytest.mark.parametrize(("velocity", "start", "direction"), [(0.2, 0.1, "AB"), (-0.2, 0.9, "BA")])
@pytest.mark.parametrize("wanted", ["AB", "BA", "both"])
def test_line_cross_direction_decides(velocity, start, direction, wanted):
    config = configured({"kind": "line_cross", "params": {"line": LINE, "direction": wanted}})

    events = judge(observe([Thing("3", line((start, 0.5), (velocity, 0.0)))], 4), config)

    assert [event.detail["direction"] for event in events] == ([direction] if wanted in (direction, "both") else [])


def test_line_cross_reversed_line_changes_the_direction():
    config = configured({"kind": "line_cross", "params": {"line": LINE[::-1]}})

    events = judge(observe([Thing("3", line((0.1, 0.5), (0.2, 0.0)))], 4), config)

    assert [event.detail["direction"] for event in events] == ["BA"]


def test_line_cross_beyond_the_ends_of_the_segment_is_silent():
    config = configured({"kind": "line_cross", "params": {"line": [[0.5, 0.3], [0.5, 0.1]]}})

    assert judge(observe([Thing("3", line((0.1, 0.5), (0.2, 0.0)))], 4), config) == []


def test_line_cross_trembling_on_the_line_is_silent_and_a_newborn_track_too():
    config = configured({"kind": "line_cross", "params": {"line": LINE}})
    trembling = Thing("3", lambda t: (0.5 + (0.004 if int(t * 10) % 2 else -0.004), 0.5))
    newborn = Thing("4", line((0.47, 0.5), (0.3, 0.0)))

    assert judge(observe([trembling], 6), config) == []
    assert judge(observe([newborn], 1), config) == []


def test_line_cross_is_armed_again_after_time_and_distance():
    swaying = through((0, 0.3, 0.5), (2, 0.7, 0.5), (2.6, 0.3, 0.5), (3.1, 0.7, 0.5), (5, 0.7, 0.5))
    returning = through((0, 0.3, 0.5), (2, 0.7, 0.5), (3, 0.3, 0.5), (6, 0.7, 0.5))
    config = configured({"kind": "line_cross", "params": {"line": LINE}})

    assert [event.detail["direction"] for event in judge(observe([Thing("3", swaying)], 7), config)] == ["AB", "BA"]
    assert [event.detail["direction"] for event in judge(observe([Thing("3", returning)], 7), config)] == ["AB", "BA", "AB"]


def test_crowd_counts_detections_and_clears_with_hysteresis():
    config = configured({"kind": "crowd", "params": {"count": 5, "seconds": 10}})
    people = [Thing(str(n), through((0, 0.1 * n + 0.1, 0.5), (14 + (n > 2) * 5, 0.1 * n + 0.1, 0.5)), cls="person",
                    width=0.02) for n in range(6)]

    events = judge(observe(people, 40), config)

    assert [(event.phase, event.kind) for event in events] == [("fired", "crowd"), ("ended", "crowd")]
    assert events[0].pts_ns / 1e9 == pytest.approx(10, abs=0.3)
    assert events[1].pts_ns / 1e9 == pytest.approx(14 + 1 + 10, abs=1.2)


def test_noisy_rule_is_marked_never_silenced():
    visits = [Thing(str(n), line((0.6, 0.6), (0.0, 0.0), begin=6 * n, end=6 * n + 5), cls="person") for n in range(9)]

    events = judge(observe(visits, 60, fps=5), configured({"kind": "zone_enter"}, zones=[ZONE]))

    assert [event.detail.get("noisy", False) for event in events] == [False] * 6 + [True] * 3


@pytest.mark.parametrize(("code", "rule", "camera"), [
    ("no_axis", {"kind": "wrong_way"}, {}),
    ("no_axis", {"kind": "wrong_way"}, {"lanes": [{"id": "a", "polygon": None}]}),
    ("no_line", {"kind": "line_cross"}, {}),
    ("bad_shape", {"kind": "line_cross", "params": {"line": [[0, 0], [0, 0]]}}, {}),
    ("bad_shape", {"kind": "zone_enter"}, {"zones": [{"id": "a", "polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}]}),
    ("unknown_region", {"kind": "zone_enter", "params": {"zones": ["b"]}}, {"zones": [ZONE]}),
    ("unknown_rule", {"kind": "teleport"}, {}),
    ("bad_rule", {"kind": "zone_enter", "schedule": [{"days": [9], "from": "1:00", "to": "2:00"}]}, {}),
    ("bad_rule", {"kind": "zone_enter", "schedule": [{"days": [1], "from": "1:00", "to": "25:00"}]}, {}),
    ("bad_rule", {"kind": "dwell", "params": {"seconds": -1}}, {}),
    ("bad_rule", {"kind": "dwell", "params": {"seconds": "many"}}, {}),
    ("needs_person", {"kind": "crowd"}, {}),
    ("needs_plates", {"kind": "plate"}, {}),
])
def test_parse_camera_rule_that_cannot_work_is_refused_with_its_reason(code, rule, camera):
    poor = Capabilities(frozenset({"car", "moving"}), 12.5)
    sound = {"id": "sound", "kind": "tamper"}

    config, refused = parse_camera({"rules": [{"id": "r", **rule}, sound], **camera}, version=1,
                                   zone=configured().zone, capabilities=poor)

    assert [(refusal.rule_id, refusal.code) for refusal in refused] == [("r", code)]
    assert refused[0].reason.endswith(".")
    assert [accepted.id for accepted in config.rules] == ["sound"]


def test_parse_camera_slow_producer_is_refused_what_needs_speed():
    slow = Capabilities(frozenset({"car", "person"}), 4.0)
    lanes = [{"id": "a", "polygon": None, "axis": [[0.5, 1], [0.5, 0]]}]
    rules = [{"id": kind, "kind": kind} for kind in ("wrong_way", "zone_enter")]

    config, refused = parse_camera({"rules": rules, "lanes": lanes}, version=1, zone=configured().zone, capabilities=slow)

    assert [(refusal.rule_id, refusal.code) for refusal in refused] == [("wrong_way", "needs_fps")]
    assert [rule.id for rule in config.rules] == ["zone_enter"]
    assert len(fired(judge(observe([walker()], 8, fps=4), config))) == 1
