"""Plane geometry of zones, lanes and lines; a point on a boundary is inside."""

import itertools
import math
from collections.abc import Sequence

Point = tuple[float, float]
Polygon = tuple[Point, ...]

EPSILON = 1e-9
MIN_VERTICES, MAX_VERTICES = 3, 32


class InvalidShape(ValueError):
    """A polygon, axis or line that cannot be judged; `code` says which fault."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def orientation(a: Point, b: Point, c: Point) -> float:
    """Positive when a→b→c turns left in a y-up plane, zero when the three are in line."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def on_segment(p: Point, a: Point, b: Point) -> bool:
    if abs(orientation(a, b, p)) > EPSILON * max(1.0, math.dist(a, b)):
        return False
    return (min(a[0], b[0]) - EPSILON <= p[0] <= max(a[0], b[0]) + EPSILON
            and min(a[1], b[1]) - EPSILON <= p[1] <= max(a[1], b[1]) + EPSILON)


def segments_intersect(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two closed segments share a point; touching and overlapping count."""
    o1, o2, o3, o4 = orientation(a, b, c), orientation(a, b, d), orientation(c, d, a), orientation(c, d, b)
    if ((o1 > 0) != (o2 > 0)) and ((o3 > 0) != (o4 > 0)) and o1 * o2 * o3 * o4 != 0:
        return True
    return on_segment(c, a, b) or on_segment(d, a, b) or on_segment(a, c, d) or on_segment(b, c, d)


def contains(polygon: Polygon | None, p: Point) -> bool:
    """Whether the polygon, boundary included, holds the point; None is the whole frame."""
    if polygon is None:
        return True
    x, y = p
    inside = False
    ax, ay = polygon[-1]
    for bx, by in polygon:
        if (ay > y) != (by > y):
            crossing = ax + (y - ay) * (bx - ax) / (by - ay)
            if crossing == x:
                return True
            inside ^= x < crossing
        ax, ay = bx, by
    return inside or _on_boundary(polygon, p)


def _on_boundary(polygon: Polygon, p: Point) -> bool:
    x, y = p
    a = polygon[-1]
    for b in polygon:
        near = min(a[1], b[1]) - EPSILON <= y <= max(a[1], b[1]) + EPSILON
        if near and min(a[0], b[0]) - EPSILON <= x <= max(a[0], b[0]) + EPSILON and on_segment(p, a, b):
            return True
        a = b
    return False


def nearest_on_polyline(axis: Polygon, p: Point) -> tuple[float, Point]:
    """Arc length to the point of the axis nearest to `p`, and the unit direction of travel there."""
    best, walked = math.inf, 0.0
    at, heading = 0.0, (1.0, 0.0)
    for a, b in itertools.pairwise(axis):
        dx, dy = b[0] - a[0], b[1] - a[1]
        length = math.hypot(dx, dy)
        along = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (length * length)
        along = min(1.0, max(0.0, along))
        distance = math.hypot(a[0] + along * dx - p[0], a[1] + along * dy - p[1])
        if distance < best - EPSILON:
            best, at, heading = distance, walked + along * length, (dx / length, dy / length)
        walked += length
    return at, heading


def signed_distance(p: Point, a: Point, b: Point) -> float:
    """Distance to the infinite line through a→b: positive on its right as drawn on a screen (y down)."""
    return orientation(a, b, p) / math.dist(a, b)


def checked_points(points: object) -> Polygon:
    """Points in 0..1; anything else raises `InvalidShape`."""
    if not isinstance(points, Sequence) or isinstance(points, str):
        raise InvalidShape("not_a_list")
    checked = []
    for point in points:
        if not isinstance(point, Sequence) or len(point) != 2:
            raise InvalidShape("not_a_point")
        x, y = point
        if not all(isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= 1 for value in (x, y)):
            raise InvalidShape("outside_frame")
        checked.append((float(x), float(y)))
    return tuple(checked)


def checked_polygon(points: object) -> Polygon:
    """A simple polygon of 3 to 32 vertices with an area; anything else raises `InvalidShape`."""
    polygon = checked_points(points)
    if len(polygon) > 1 and polygon[0] == polygon[-1]:
        polygon = polygon[:-1]
    if not MIN_VERTICES <= len(polygon) <= MAX_VERTICES:
        raise InvalidShape("vertex_count")
    if len(set(polygon)) != len(polygon):
        raise InvalidShape("repeated_vertex")
    if all(abs(orientation(polygon[0], polygon[1], point)) < 1e-6 for point in polygon):
        raise InvalidShape("no_area")
    if not _is_simple(polygon):
        raise InvalidShape("self_intersecting")
    return polygon


def checked_path(points: object, *, exactly: int | None = None) -> Polygon:
    """A polyline of at least two different points; anything else raises `InvalidShape`."""
    path = checked_points(points)
    if len(path) < 2 or len(path) > MAX_VERTICES or (exactly is not None and len(path) != exactly):
        raise InvalidShape("vertex_count")
    if any(math.dist(a, b) < 1e-6 for a, b in itertools.pairwise(path)):
        raise InvalidShape("zero_length")
    return path


def _is_simple(polygon: Polygon) -> bool:
    edges = list(zip(polygon, polygon[1:] + polygon[:1], strict=True))
    count = len(edges)
    for i in range(count):
        following = edges[(i + 1) % count]
        if on_segment(following[1], *edges[i]) or on_segment(edges[i][0], *following):
            return False
        for j in range(i + 2, count):
            if (i, j) != (0, count - 1) and segments_intersect(*edges[i], *edges[j]):
                return False
    return True
