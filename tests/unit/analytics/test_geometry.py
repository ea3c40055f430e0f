"""Boundaries, vertices, collinear and crossed shapes, and the ground plane (A2)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.analytics.rules.geometry import (
    InvalidShape,
    checked_path,
    checked_polygon,
    contains,
    nearest_on_polyline,
    segments_intersect,
    signed_distance,
)
from workers.analytics.rules.ground import ground_from_pairs

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
ELL = ((0.0, 0.0), (0.9, 0.0), (0.9, 0.3), (0.3, 0.3), (0.3, 0.9), (0.0, 0.9))


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.2, 0.5), (0.8, 0.5), (0.5, 0.2), (0.5, 0.8), *SQUARE])
def test_contains_interior_edges_and_vertices_are_inside(point):
    assert contains(SQUARE, point)
    assert contains(SQUARE[::-1], point)


@pytest.mark.parametrize("point", [(0.1, 0.2), (0.9, 0.2), (0.1, 0.8), (0.5, 0.1999), (0.5, 0.8001), (0.2, 0.9)])
def test_contains_points_in_line_with_an_edge_are_outside(point):
    assert not contains(SQUARE, point)


@pytest.mark.parametrize(("point", "inside"), [((0.3, 0.3), True), ((0.31, 0.31), False), ((0.3, 0.5), True),
                                               ((0.6, 0.3), True), ((0.6, 0.31), False), ((0.1, 0.85), True)])
def test_contains_concave_polygon_knows_its_notch(point, inside):
    assert contains(ELL, point) is inside


def test_contains_whole_frame_holds_everything():
    assert contains(None, (0.0, 1.0))


@given(st.tuples(st.floats(0, 1), st.floats(0, 1)), st.integers(0, 5), st.booleans())
def test_contains_does_not_depend_on_the_first_vertex_or_the_sense(point, turn, reverse):
    turned = ELL[turn:] + ELL[:turn]

    assert contains(turned[::-1] if reverse else turned, point) == contains(ELL, point)


@pytest.mark.parametrize(("code", "shape"), [
    ("vertex_count", [(0, 0), (1, 1)]),
    ("vertex_count", [(n / 40, (n * n) / 1600) for n in range(33)]),
    ("self_intersecting", [(0, 0), (1, 1), (1, 0), (0, 1)]),
    ("self_intersecting", [(0, 0), (1, 0), (0.5, 0), (0.5, 1)]),
    ("repeated_vertex", [(0, 0), (1, 0), (0, 0), (1, 1)]),
    ("no_area", [(0, 0), (0.5, 0.5), (1, 1)]),
    ("outside_frame", [(0, 0), (1.2, 0), (1, 1)]),
    ("outside_frame", [(0, 0), (float("nan"), 0), (1, 1)]),
    ("not_a_point", [(0, 0), (1,), (1, 1)]),
    ("not_a_list", "0,0 1,1"),
    ("not_a_list", None),
])
def test_checked_polygon_invalid_shape_is_refused(code, shape):
    with pytest.raises(InvalidShape) as refusal:
        checked_polygon(shape)

    assert refusal.value.code == code


def test_checked_polygon_closed_ring_is_accepted_open():
    assert checked_polygon([*SQUARE, SQUARE[0]]) == SQUARE


@pytest.mark.parametrize("path", [[(0, 0)], [(0.5, 0.5), (0.5, 0.5)], [(0, 0), (0.4, 0), (0.4, 0), (1, 1)]])
def test_checked_path_without_length_is_refused(path):
    with pytest.raises(InvalidShape):
        checked_path(path)


@pytest.mark.parametrize(("second", "expected"), [
    (((0, 1), (1, 0)), True), (((0.5, 0.5), (0.9, 0.1)), True), (((0.25, 0.25), (0.75, 0.75)), True),
    (((1, 1), (2, 2)), True), (((1.1, 1.1), (2, 2)), False), (((0, 0.1), (0.9, 1)), False), (((1, 0), (1, 0.9)), False),
])
def test_segments_touching_and_overlapping_count_as_meeting(second, expected):
    first = ((0.0, 0.0), (1.0, 1.0))

    assert segments_intersect(*first, *second) is expected
    assert segments_intersect(*second, *first) is expected


def test_signed_distance_reversed_line_changes_side():
    a, b, p = (0.2, 0.5), (0.8, 0.5), (0.5, 0.7)

    assert signed_distance(p, a, b) == pytest.approx(0.2)
    assert signed_distance(p, b, a) == pytest.approx(-0.2)


def test_nearest_on_polyline_gives_arc_length_and_heading_of_its_leg():
    axis = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))

    assert nearest_on_polyline(axis, (0.4, 0.2)) == (pytest.approx(0.4), (1.0, 0.0))
    assert nearest_on_polyline(axis, (1.3, 0.6)) == (pytest.approx(1.6), (0.0, 1.0))


def test_ground_from_pairs_measures_metres_inside_its_validity_only():
    pairs = [(x, y, 20 * x + 4 * y, 50 * y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.5))]

    ground = ground_from_pairs(pairs, valid=SQUARE)

    a, b = ground.metres((0.3, 0.3)), ground.metres((0.5, 0.3))
    assert a is not None
    assert b is not None
    assert math.dist(a, b) == pytest.approx(4.0)
    assert ground.metres((0.1, 0.1)) is None


@pytest.mark.parametrize(("code", "pairs"), [
    ("calibration_pairs", [(0, 0, 0, 0), (1, 0, 1, 0), (1, 1, 1, 1)]),
    ("calibration_degenerate", [(n / 4, n / 4, n, n) for n in range(5)]),
    ("calibration_rms", [(0, 0, 0, 0), (1, 0, 20, 0), (1, 1, 20, 20), (0, 1, 0, 20), (0.5, 0.5, 16, 4)]),
])
def test_ground_from_pairs_bad_calibration_is_refused(code, pairs):
    with pytest.raises(InvalidShape) as refusal:
        ground_from_pairs(pairs)

    assert refusal.value.code == code
