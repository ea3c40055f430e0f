"""Lanes, zones and rules a person draws."""

from __future__ import annotations

import math

import pytest

from app.kernel.errors import Invalid
from app.monitoring.cameras.profiles import active_rules, default_profile, in_words, waits_for
from app.monitoring.cameras.shapes import checked_lanes, checked_profile, checked_zones
from app.monitoring.cameras.types import PLACES

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]


def zone(polygon: object) -> list[dict[str, object]]:
    return [{"id": "z1", "name": "Vereda", "polygon": polygon}]


def test_zone_simple_polygon_is_kept_without_its_closing_point() -> None:
    kept = checked_zones(zone([*SQUARE, SQUARE[0]]))

    assert kept == [{"id": "z1", "name": "Vereda", "polygon": SQUARE}]


@pytest.mark.parametrize(
    "polygon",
    [
        SQUARE[:2],
        [[math.cos(2 * math.pi * i / 33) / 3 + 0.5, math.sin(2 * math.pi * i / 33) / 3 + 0.5] for i in range(33)],
        [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]],  # a bow tie
        [[0.1, 0.1], [0.5, 0.1], [0.9, 0.1]],  # no area
        [[0.1, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]],  # a repeated vertex
        [[0.1, 0.1], [0.9, 0.1], [0.5, 0.1], [0.5, 0.9]],  # a spike
        [[0.1, 0.1], [1.1, 0.1], [0.9, 0.9]],
        [[0.1, 0.1], [float("nan"), 0.1], [0.9, 0.9]],
        [[0.1, 0.1], [True, 0.1], [0.9, 0.9]],
        [["a", 0.1], [0.9, 0.1], [0.9, 0.9]],
        "M 0 0 L 1 1",
        None,
    ],
)
def test_zone_that_cannot_be_judged_is_refused(polygon: object) -> None:
    with pytest.raises(Invalid) as refused:
        checked_zones(zone(polygon))

    assert list(refused.value.errors) == ["zones"]


def test_zone_with_32_vertices_is_kept() -> None:
    ring = [[math.cos(2 * math.pi * i / 32) / 3 + 0.5, math.sin(2 * math.pi * i / 32) / 3 + 0.5] for i in range(32)]

    assert len(checked_zones(zone(ring))[0]["polygon"]) == 32


def test_lane_keeps_its_axis_and_refuses_a_path_of_one_point() -> None:
    lane = {"id": "c1", "name": "Carril 1", "polygon": SQUARE, "axis": [[0.5, 0.9], [0.5, 0.1]]}

    assert checked_lanes([lane])[0]["axis"] == [[0.5, 0.9], [0.5, 0.1]]
    with pytest.raises(Invalid):
        checked_lanes([lane | {"axis": [[0.5, 0.9]]}])
    with pytest.raises(Invalid):
        checked_lanes([lane | {"axis": [[0.5, 0.9], [0.5, 0.9]]}])


def test_two_shapes_with_one_identifier_are_refused() -> None:
    with pytest.raises(Invalid):
        checked_zones(zone(SQUARE) + zone(SQUARE))


@pytest.mark.parametrize("place", list(PLACES))
def test_every_default_profile_passes_its_own_check(place: str) -> None:
    profile = default_profile(place)

    assert checked_profile(profile) == profile


def test_wrong_way_applies_only_once_a_lane_has_its_legal_axis() -> None:
    profile = default_profile("entrance")
    without = checked_lanes([{"id": "c1", "polygon": SQUARE}])
    with_axis = checked_lanes([{"id": "c1", "polygon": SQUARE, "axis": [[0.5, 0.9], [0.5, 0.1]]}])

    assert [rule["kind"] for rule in active_rules(profile, without)] == ["plate", "tamper"]
    assert [rule["kind"] for rule in active_rules(profile, with_axis)] == ["plate", "wrong_way", "tamper"]


def test_rule_switched_off_is_not_sent_and_says_nothing_about_waiting() -> None:
    profile = [rule | {"enabled": rule["kind"] != "dwell"} for rule in default_profile("bank")]

    assert [rule["kind"] for rule in active_rules(profile, [])] == ["zone_enter", "tamper"]
    assert all("enabled" not in rule for rule in active_rules(profile, []))


def test_crowd_says_what_it_waits_for() -> None:
    crowd = next(rule for rule in default_profile("square") if rule["kind"] == "crowd")

    assert "modelo" in waits_for(crowd, [])


@pytest.mark.parametrize(
    ("place", "kind", "words"),
    [
        ("bank", "zone_enter", "Intrusión de 20:00 a 06:00"),
        ("square", "zone_enter", "Intrusión de 00:00 a 06:00"),
        ("commercial_centre", "zone_enter", "Intrusión de 22:00 a 07:00"),
        ("bank", "dwell", "Merodeo o detención desde los 20 s"),
        ("square", "dwell", "Merodeo o detención desde los 60 s"),
        ("commercial_centre", "dwell", "Merodeo o detención desde los 30 s"),
        ("entrance", "plate", "Patentes contra las listas de búsqueda"),
    ],
)
def test_default_profile_reads_as_the_table_of_places_says(place: str, kind: str, words: str) -> None:
    rule = next(rule for rule in default_profile(place) if rule["kind"] == kind)

    assert in_words(rule) == words


def test_schedule_of_some_days_names_them() -> None:
    rule = {"kind": "zone_enter", "params": {}, "schedule": [{"days": [5, 6], "from": "22:00", "to": "24:00"}]}

    assert in_words(rule) == "Intrusión de 22:00 a 24:00 los sábado, domingo"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "teleport"}, {"priority": 9}, {"params": {"seconds": -1}}, {"params": {"seconds": "veinte"}},
        {"schedule": [{"days": [7], "from": "20:00", "to": "06:00"}]},
        {"schedule": [{"days": [1], "from": "8pm", "to": "06:00"}]}, {"id": ""}, {"params": {"line": [[0, 0]]}},
    ],
)  # fmt: skip
def test_rule_that_a_node_could_not_apply_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        checked_profile([default_profile("bank")[0] | change])

    assert list(refused.value.errors) == ["profile"]
