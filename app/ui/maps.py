"""Maps drawn from our own shapes, as SVG paths: they need no tiles, no internet and no WebGL."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tenants.data.municipalities import ATTRIBUTION, boundaries, municipalities

WIDTH = 1000.0
INSET_WIDTH = 300.0
KM_PER_DEGREE = 111.32
TOWN_HALF_KM = 2.2

Ring = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class District:
    """What one municipality shows on the map: a level (0 none, 1 best … 5 worst), words, and where it leads."""

    level: int
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """One drawn municipality."""

    slug: str
    name: str
    path: str
    level: int
    text: str
    href: str
    in_tab_order: bool


@dataclass(frozen=True, slots=True)
class ProvinceMap:
    """The whole province, and the 24 of the conurbano enlarged."""

    main: list[Shape]
    inset: list[Shape]
    view_box: str
    inset_box: str
    attribution: str = ATTRIBUTION


class _Projection:
    """Degrees to drawing units: equirectangular around the middle latitude, enough for a province."""

    def __init__(self, rings: Sequence[Ring], width: float) -> None:
        longitudes = [point[0] for ring in rings for point in ring]
        latitudes = [point[1] for ring in rings for point in ring]
        self._west, self._north = min(longitudes), max(latitudes)
        self._squeeze = math.cos(math.radians((min(latitudes) + max(latitudes)) / 2))
        self._scale = width / ((max(longitudes) - self._west) * self._squeeze)
        self.height = (self._north - min(latitudes)) * self._scale
        self.width = width

    def path(self, rings: Sequence[Ring]) -> str:
        return "".join("M" + "L".join(self._point(*point[:2]) for point in ring) + "Z" for ring in rings)

    def _point(self, lon: float, lat: float) -> str:
        return f"{(lon - self._west) * self._squeeze * self._scale:.1f} {(self._north - lat) * self._scale:.1f}"

    @property
    def box(self) -> str:
        return f"-2 -2 {self.width + 4:.0f} {self.height + 4:.0f}"


def province(values: Mapping[str, District]) -> ProvinceMap:
    """The map of the 135 with what `values` says of each slug; the others are drawn without data."""
    outline = _outline()
    none = District(0, "sin datos")

    def shapes(paths: Mapping[str, tuple[str, str]], *, in_tab_order: bool) -> list[Shape]:
        drawn = []
        for slug, (name, path) in paths.items():
            value = values.get(slug, none)
            drawn.append(Shape(slug, name, path, value.level, value.text, value.href, in_tab_order))
        return drawn

    return ProvinceMap(
        main=shapes(outline.main, in_tab_order=True),
        inset=shapes(outline.inset, in_tab_order=False),
        view_box=outline.box,
        inset_box=outline.inset_box,
    )


@dataclass(frozen=True, slots=True)
class _Outline:
    main: dict[str, tuple[str, str]]
    inset: dict[str, tuple[str, str]]
    box: str
    inset_box: str


@cache
def _outline() -> _Outline:
    rings = {feature["properties"]["slug"]: _rings(feature["geometry"]) for feature in boundaries()["features"]}
    names = {row.slug: row.name for row in municipalities()}
    close = {row.slug for row in municipalities() if row.greater_buenos_aires}
    whole = _Projection([ring for each in rings.values() for ring in each], WIDTH)
    inset = _Projection([ring for slug in close for ring in rings[slug]], INSET_WIDTH)
    return _Outline(
        main={slug: (names[slug], whole.path(each)) for slug, each in rings.items()},
        inset={slug: (names[slug], inset.path(rings[slug])) for slug in sorted(close)},
        box=whole.box,
        inset_box=inset.box,
    )


def _rings(geometry: Mapping[str, Any]) -> list[Ring]:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [ring for polygon in polygons for ring in polygon]


@dataclass(frozen=True, slots=True)
class MapCamera:
    """A camera to draw: where it is, where it looks, how it is."""

    id: str
    name: str
    lat: float
    lon: float
    state: str
    state_name: str
    azimuth: float | None = None
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class TownPoint:
    """A camera in drawing units."""

    id: str
    name: str
    state: str
    state_name: str
    is_alarm: bool
    x: float
    y: float
    cone: str


@dataclass(frozen=True, slots=True)
class TownMap:
    """The cameras of one municipality: the drawing, and the same as GeoJSON for the map that can be moved."""

    points: list[TownPoint]
    land: str
    view_box: str
    radius: float
    points_json: str
    shape_json: str
    attribution: str = ATTRIBUTION


def town(slug: str, cameras: Sequence[MapCamera], *, centre: tuple[float, float]) -> TownMap:
    """The map around the cameras of `slug` (or around `centre`, latitude and longitude, when there are none)."""
    lat0, lon0 = _middle(cameras) or centre
    east = KM_PER_DEGREE * math.cos(math.radians(lat0))

    def place(lon: float, lat: float) -> tuple[float, float]:
        return (lon - lon0) * east, (lat0 - lat) * KM_PER_DEGREE

    placed = [(camera, *place(camera.lon, camera.lat)) for camera in cameras]
    half = max([TOWN_HALF_KM, *(max(abs(x), abs(y)) * 1.25 for _, x, y in placed)])
    radius = half / 32
    rings = next((_rings(f["geometry"]) for f in boundaries()["features"] if f["properties"]["slug"] == slug), [])
    land = "".join("M" + "L".join("{:.2f} {:.2f}".format(*place(*p[:2])) for p in ring) + "Z" for ring in rings)
    return TownMap(
        points=[
            TownPoint(
                c.id,
                c.name,
                c.state,
                c.state_name,
                c.is_alarm,
                round(x, 3),
                round(y, 3),
                _cone(x, y, c.azimuth, half / 5),
            )
            for c, x, y in placed
        ],
        land=land,
        view_box=f"{-half:.2f} {-half * 0.55:.2f} {half * 2:.2f} {half * 1.1:.2f}",
        radius=round(radius, 3),
        points_json=_points_json(cameras),
        shape_json=json.dumps(
            {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}, separators=(",", ":")
        ),
    )


def _middle(cameras: Sequence[MapCamera]) -> tuple[float, float] | None:
    if not cameras:
        return None
    latitudes, longitudes = [c.lat for c in cameras], [c.lon for c in cameras]
    return (min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2


def _cone(x: float, y: float, azimuth: float | None, reach: float) -> str:
    """The sector a camera looks at, 50° wide; azimuth 0 is north, clockwise."""
    if azimuth is None:
        return ""
    ends = []
    for angle in (azimuth - 25, azimuth + 25):
        turn = math.radians(angle)
        ends.append(f"{x + math.sin(turn) * reach:.3f} {y - math.cos(turn) * reach:.3f}")
    return f"M{x:.3f} {y:.3f}L{ends[0]}A{reach:.3f} {reach:.3f} 0 0 1 {ends[1]}Z"


def _points_json(cameras: Sequence[MapCamera]) -> str:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [camera.lon, camera.lat]},
            "properties": {
                "id": camera.id,
                "name": camera.name,
                "state": camera.state,
                "alarm": camera.is_alarm,
                "azimuth": camera.azimuth,
            },
        }
        for camera in cameras
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
