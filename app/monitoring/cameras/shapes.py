"""Lanes and zones drawn over the picture: simple polygons in fractions of the frame, checked before they are kept."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.kernel.errors import Invalid
from app.monitoring.cameras.profiles import RULE_LABELS

Point = tuple[float, float]

MIN_VERTICES, MAX_VERTICES = 3, 32
MAX_REGIONS = 16
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


class _Fault(Exception):
    """Why a shape is refused, in words."""


def checked_lanes(lanes: object) -> list[dict[str, Any]]:
    """Lanes as they are kept: id, name, polygon and, when drawn, the axis in the legal direction. Raises `Invalid`."""
    return _regions("lanes", lanes, with_axis=True)


def checked_zones(zones: object) -> list[dict[str, Any]]:
    """Zones as they are kept: id, name and polygon. Raises `Invalid`."""
    return _regions("zones", zones, with_axis=False)


def checked_profile(profile: object) -> list[dict[str, Any]]:
    """The rules of a camera as they are kept. Raises `Invalid`."""
    try:
        rules = [_rule(row) for row in _rows(profile)]
        if len({rule["id"] for rule in rules}) != len(rules):
            raise _Fault("hay dos reglas con el mismo identificador")
    except _Fault as fault:
        raise Invalid(errors={"profile": [str(fault).capitalize() + "."]}) from None
    return rules


def _regions(field: str, rows: object, *, with_axis: bool) -> list[dict[str, Any]]:
    try:
        regions = [_region(row, with_axis=with_axis) for row in _rows(rows)]
        if len({region["id"] for region in regions}) != len(regions):
            raise _Fault("hay dos dibujos con el mismo identificador")
    except _Fault as fault:
        raise Invalid(errors={field: [str(fault).capitalize() + "."]}) from None
    return regions


def _rows(rows: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise _Fault("se espera una lista de objetos")
    if len(rows) > MAX_REGIONS:
        raise _Fault(f"no pueden ser más de {MAX_REGIONS}")
    return rows


def _region(row: Mapping[str, Any], *, with_axis: bool) -> dict[str, Any]:
    region: dict[str, Any] = {"id": _identifier(row), "name": _name(row), "polygon": _polygon(row.get("polygon"))}
    if with_axis:
        region["axis"] = _path(row["axis"]) if row.get("axis") else None
    return region


def _identifier(row: Mapping[str, Any]) -> str:
    value = row.get("id")
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _Fault("el identificador lleva de 1 a 40 letras, números o guiones")
    return value


def _name(row: Mapping[str, Any]) -> str:
    value = row.get("name", "")
    if not isinstance(value, str) or len(value) > 80:
        raise _Fault("el nombre del dibujo lleva hasta 80 caracteres")
    return " ".join(value.split())


def _points(value: object) -> list[Point]:
    if not isinstance(value, list):
        raise _Fault("los puntos van en una lista")
    points = []
    for point in value:
        if not isinstance(point, list | tuple) or len(point) != 2:
            raise _Fault("cada punto lleva dos números, ancho y alto")
        if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in point):
            raise _Fault("cada punto lleva dos números, ancho y alto")
        x, y = float(point[0]), float(point[1])
        if not (math.isfinite(x) and math.isfinite(y) and 0 <= x <= 1 and 0 <= y <= 1):
            raise _Fault("los puntos van de 0 a 1, en fracciones del cuadro")
        points.append((x, y))
    return points


def _polygon(value: object) -> list[list[float]]:
    points = _points(value)
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if not MIN_VERTICES <= len(points) <= MAX_VERTICES:
        raise _Fault(f"un dibujo lleva de {MIN_VERTICES} a {MAX_VERTICES} vértices")
    if len(set(points)) != len(points):
        raise _Fault("hay dos vértices en el mismo punto")
    if abs(_area(points)) < 1e-6:
        raise _Fault("el dibujo no encierra ninguna superficie")
    if not _is_simple(points):
        raise _Fault("los lados del dibujo se cruzan")
    return [list(point) for point in points]


def _path(value: object) -> list[list[float]]:
    points = _points(value)
    if not 2 <= len(points) <= MAX_VERTICES:
        raise _Fault(f"el sentido de circulación lleva de 2 a {MAX_VERTICES} puntos")
    if any(math.dist(a, b) < 1e-6 for a, b in itertools.pairwise(points)):
        raise _Fault("el sentido de circulación repite un punto")
    return [list(point) for point in points]


def _rule(row: Mapping[str, Any]) -> dict[str, Any]:
    kind, params, priority = row.get("kind"), row.get("params") or {}, row.get("priority", 3)
    if kind not in RULE_LABELS:
        raise _Fault("la regla no existe")
    if not isinstance(params, Mapping) or priority not in (1, 2, 3):
        raise _Fault("la regla lleva parámetros y una prioridad de 1 a 3")
    for name in ("seconds", "count"):
        value = params.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86_400:
            raise _Fault("los segundos y las cantidades van de 1 a 86400")
    checked = dict(params)
    for name in ("classes", "zones", "lanes"):
        if name in checked and not (isinstance(checked[name], list) and all(isinstance(one, str) for one in checked[name])):
            raise _Fault("las clases, zonas y carriles de una regla van en una lista de nombres")
    if "line" in checked:
        checked["line"] = _path(checked["line"])
        if len(checked["line"]) != 2:
            raise _Fault("una línea lleva dos puntos")
    return {
        "id": _identifier(row), "kind": kind, "enabled": bool(row.get("enabled", True)), "params": checked,
        "schedule": _schedule(row.get("schedule")), "priority": priority,
    }  # fmt: skip


def _schedule(rows: object) -> list[dict[str, Any]] | None:
    if rows is None:
        return None
    checked = []
    for row in _rows(rows):
        days, start, end = row.get("days"), row.get("from"), row.get("to")
        if not isinstance(days, list) or not days or not all(day in range(7) for day in days):
            raise _Fault("los días van de 0 (lunes) a 6 (domingo)")
        if not all(isinstance(hour, str) and _HOUR.fullmatch(hour) for hour in (start, end)):
            raise _Fault("las horas se escriben HH:MM")
        checked.append({"days": sorted(set(days)), "from": start, "to": end})
    return checked


def _area(points: Sequence[Point]) -> float:
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _touches(p: Point, a: Point, b: Point) -> bool:
    within = min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])
    return within and abs(_turn(a, b, p)) < 1e-9


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if all(turns) and (turns[0] > 0) != (turns[1] > 0) and (turns[2] > 0) != (turns[3] > 0):
        return True
    return _touches(c, a, b) or _touches(d, a, b) or _touches(a, c, d) or _touches(b, c, d)


def _is_simple(points: Sequence[Point]) -> bool:
    count = len(points)
    edges = [(points[i], points[(i + 1) % count]) for i in range(count)]
    for i in range(count):
        after = edges[(i + 1) % count]
        if _touches(after[1], *edges[i]) or _touches(edges[i][0], *after):
            return False  # a spike: the side turns back over the one before
        for j in range(i + 2, count):
            if (i, j) != (0, count - 1) and _cross(*edges[i], *edges[j]):
                return False
    return True
