"""The default profiles: one table on both sides, and every rule of it something the engine can apply."""

import pytest

from app.monitoring.cameras import profiles as province
from tests.unit.analytics.scenes import BUENOS_AIRES, EVERYTHING
from workers.analytics.producers.cpu import CAPABILITIES
from workers.analytics.profiles import PROFILES
from workers.analytics.rules.config import parse_camera


def test_profiles_of_province_and_node_are_equal():
    assert dict(province.PROFILES) == PROFILES


@pytest.mark.parametrize("place", sorted(PROFILES))
def test_profile_is_accepted_once_a_lane_with_a_sense_is_drawn(place):
    lane = {"id": "a", "polygon": None, "axis": [[0.5, 1], [0.5, 0]]}

    _, refused = parse_camera({"rules": PROFILES[place], "lanes": [lane]}, version=1, zone=BUENOS_AIRES,
                              capabilities=EVERYTHING)

    assert refused == ()


@pytest.mark.parametrize(("place", "expected"), [
    ("entrance", [("wrong_way", "no_axis")]), ("traffic_light", [("wrong_way", "no_axis")]), ("bank", []),
    ("square", [("crowd", "needs_person")]), ("commercial_centre", [("crowd", "needs_person")]), ("other", []),
])
def test_profile_of_an_undrawn_camera_refuses_only_what_it_must(place, expected):
    _, refused = parse_camera({"rules": PROFILES[place]}, version=1, zone=BUENOS_AIRES, capabilities=CAPABILITIES)

    assert [(refusal.rule_id, refusal.code) for refusal in refused] == expected
