"""What a camera must be judged by: lanes, zones and rules, checked before they are applied."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from workers.analytics.observation import VEHICLES
from workers.analytics.rules.geometry import InvalidShape, Polygon, checked_path, checked_polygon
from workers.analytics.rules.ground import Ground, parse_ground
from workers.analytics.rules.schedule import Window, parse_schedule

TAMPER_KINDS = ("tamper_black", "tamper_frozen")
PEOPLE = frozenset({"person", "moving", "bicycle"})
MIN_FPS = {"wrong_way": 8, "line_cross": 8, "plate": 8, "zone_enter": 2, "dwell": 2, "crowd": 2, "tamper": 0.5}
REASONS = {
    "unknown_rule": "La regla no existe.",
    "bad_rule": "Los parámetros de la regla no son válidos.",
    "bad_shape": "El dibujo de la zona, el carril o la línea no es válido.",
    "unknown_region": "La regla nombra una zona o un carril que no existe.",
    "no_axis": "Falta el sentido legal de circulación de un carril.",
    "no_line": "Falta dibujar la línea.",
    "needs_person": "Contar personas requiere un modelo de detección que este nodo no tiene.",
    "needs_plates": "Este nodo no puede leer patentes en la cámara.",
    "needs_fps": "La cámara se analiza a menos cuadros por segundo que los que pide la regla.",
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a producer can see; a rule that needs more is refused with the reason, never left mute."""

    classes: frozenset[str]
    max_fps: float
    plates: bool = False
    tracking: bool = True
    char_probs: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """A lane or a zone; without polygon it is the whole frame. Only lanes have a legal axis."""

    id: str
    polygon: Polygon | None
    axis: Polygon | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule on one camera. `signature` changes with anything that changes its meaning."""

    id: str
    kind: str
    regions: tuple[Region, ...]
    params: Mapping[str, Any]
    schedule: tuple[Window, ...] | None
    severity: int
    signature: str

    def number(self, name: str, default: float) -> float:
        return float(self.params.get(name, default))

    def classes(self, default: frozenset[str]) -> frozenset[str]:
        given = self.params.get("classes")
        return frozenset(given) if given else default


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """The versioned judgement of one camera."""

    version: int
    rules: tuple[Rule, ...]
    zone: ZoneInfo
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    rule_id: str
    code: str

    @property
    def reason(self) -> str:
        return REASONS[self.code]


class _Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_camera(
    data: Mapping[str, Any], *, version: int, zone: ZoneInfo, capabilities: Capabilities
) -> tuple[CameraConfig, tuple[Refusal, ...]]:
    """Build a camera's configuration; what cannot be applied is left out and named in the refusals."""
    accepted, refused = [], []
    for row in data.get("rules", ()):
        rule_id = str(row.get("id", ""))
        try:
            accepted.append(_rule(row, data, capabilities))
        except InvalidShape:
            refused.append(Refusal(rule_id, "bad_shape"))
        except _Refused as error:
            refused.append(Refusal(rule_id, error.code))
        except (KeyError, TypeError, ValueError, AttributeError):
            refused.append(Refusal(rule_id, "bad_rule"))
    try:
        ground = parse_ground(data.get("calibration"))
    except (InvalidShape, TypeError, ValueError):
        ground = None
        refused.append(Refusal("calibration", "bad_shape"))
    return CameraConfig(version, tuple(accepted), zone, ground), tuple(refused)


def parse_lanes(rows: Sequence[Mapping[str, Any]]) -> tuple[Region, ...]:
    """The lanes drawn on a camera, or the whole frame when there are none. Raises `InvalidShape`."""
    lanes = tuple(_region(row) for row in rows)
    return lanes or (Region("frame", None),)


def _rule(row: Mapping[str, Any], camera: Mapping[str, Any], capabilities: Capabilities) -> Rule:
    kind = row["kind"]
    if kind not in MIN_FPS:
        raise _Refused("unknown_rule")
    if capabilities.max_fps < MIN_FPS[kind]:
        raise _Refused("needs_fps")
    if kind == "crowd" and "person" not in capabilities.classes:
        raise _Refused("needs_person")
    if kind == "plate" and not capabilities.plates:
        raise _Refused("needs_plates")
    params = dict(row.get("params") or {})
    regions = _regions(kind, params, camera)
    _check_numbers(params)
    shapes = [[region.id, region.polygon, region.axis] for region in regions]
    meaning = json.dumps([row["id"], kind, params, row.get("schedule"), shapes], sort_keys=True)
    return Rule(
        id=str(row["id"]), kind=kind, regions=regions, params=params, schedule=parse_schedule(row.get("schedule")),
        severity=int(row.get("priority") or 3), signature=hashlib.blake2b(meaning.encode(), digest_size=6).hexdigest(),
    )


def _regions(kind: str, params: Mapping[str, Any], camera: Mapping[str, Any]) -> tuple[Region, ...]:
    if kind == "tamper":
        return (Region("frame", None),)
    if kind == "line_cross":
        if not params.get("line"):
            raise _Refused("no_line")
        return (Region("line", None, checked_path(params["line"], exactly=2)),)
    by_lane = kind in ("wrong_way", "plate")
    regions = parse_lanes(camera.get("lanes" if by_lane else "zones") or ())
    wanted = params.get("lanes" if by_lane else "zones")
    if wanted:
        if not set(wanted) <= {region.id for region in regions}:
            raise _Refused("unknown_region")
        regions = tuple(region for region in regions if region.id in wanted)
    if kind == "wrong_way":
        regions = tuple(region for region in regions if region.axis)
        if not regions:
            raise _Refused("no_axis")
    return regions


def _region(row: Mapping[str, Any]) -> Region:
    polygon = None if row.get("polygon") is None else checked_polygon(row["polygon"])
    axis = None if not row.get("axis") else checked_path(row["axis"])
    return Region(str(row["id"]), polygon, axis, str(row.get("name") or ""))


def _check_numbers(params: Mapping[str, Any]) -> None:
    for name in ("seconds", "count", "min_confidence"):
        if name in params and not 0 <= float(params[name]) <= 86_400:
            raise ValueError(name)
    if params.get("direction", "both") not in ("AB", "BA", "both"):
        raise ValueError("direction")
    if params.get("mode", "loitering") not in ("loitering", "stopped"):
        raise ValueError("mode")


DEFAULT_CLASSES = VEHICLES | PEOPLE
