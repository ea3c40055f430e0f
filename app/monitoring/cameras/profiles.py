"""What a camera watches for by default, by the kind of place where it stands, and what of it applies now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]

RULE_LABELS: dict[str, str] = {
    "plate": "Patentes contra las listas de búsqueda",
    "wrong_way": "Circulación a contramano",
    "zone_enter": "Intrusión",
    "dwell": "Merodeo o detención",
    "crowd": "Aglomeración",
    "line_cross": "Cruce de línea",
    "tamper": "Posible sabotaje de la cámara",
}


def _rule(kind: str, priority: int, *, window: tuple[str, str] | None = None, **params: Any) -> dict[str, Any]:
    """A rule as it is kept with the camera and sent to the node; `window` is local time, None is always."""
    schedule = None if window is None else [{"days": EVERY_DAY, "from": window[0], "to": window[1]}]
    return {"id": kind, "kind": kind, "params": params, "schedule": schedule, "priority": priority}


_PEOPLE = ["person", "moving"]
_TAMPER = _rule("tamper", 3)
_PLATE, _WRONG_WAY = _rule("plate", 2), _rule("wrong_way", 2)

# The table of kinds of place: until somebody draws lanes and zones, the whole frame is the lane or zone. The node's programs keep
# the same one, since they start without asking; a test holds both equal.
PROFILES: Mapping[str, list[dict[str, Any]]] = {
    "entrance": [_PLATE, _WRONG_WAY, _TAMPER],
    "traffic_light": [_WRONG_WAY, _PLATE, _TAMPER],
    "bank": [
        _rule("zone_enter", 2, window=("20:00", "06:00"), classes=_PEOPLE),
        _rule("dwell", 3, seconds=20, classes=_PEOPLE),
        _TAMPER,
    ],
    "square": [
        _rule("zone_enter", 3, window=("00:00", "06:00")),
        _rule("dwell", 3, seconds=60, classes=_PEOPLE),
        _rule("crowd", 3, count=30),
        _TAMPER,
    ],
    "commercial_centre": [
        _rule("zone_enter", 3, window=("22:00", "07:00"), classes=_PEOPLE),
        _rule("dwell", 3, seconds=30, classes=_PEOPLE),
        _rule("crowd", 3, count=40),
        _TAMPER,
    ],
    "other": [_TAMPER],
}


def default_profile(place: str) -> list[dict[str, Any]]:
    """The rules a new camera of that place starts with, for the caller to keep."""
    return [deepcopy(rule) | {"enabled": True} for rule in PROFILES[place]]


def waits_for(rule: Mapping[str, Any], lanes: Sequence[Mapping[str, Any]]) -> str:
    """Why an enabled rule cannot apply yet, in words; empty when it can."""
    if rule["kind"] == "wrong_way" and not any(lane.get("axis") for lane in lanes):
        return "falta dibujar un carril con su sentido de circulación"
    if rule["kind"] == "crowd":
        return "falta agregar al nodo un modelo que reconozca personas"
    if rule["kind"] == "line_cross" and not rule.get("params", {}).get("line"):
        return "falta dibujar la línea"
    return ""


def active_rules(profile: Sequence[Mapping[str, Any]], lanes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rules a node applies: the enabled ones that wait for nothing."""
    return [
        {key: value for key, value in rule.items() if key != "enabled"}
        for rule in profile
        if rule.get("enabled", True) and not waits_for(rule, lanes)
    ]


def in_words(rule: Mapping[str, Any]) -> str:
    """One rule as a person reads it: `Intrusión de 20:00 a 06:00`."""
    params = rule.get("params") or {}
    words = [RULE_LABELS[rule["kind"]]]
    if rule["kind"] == "crowd":
        words.append(f"de {params.get('count', 20)} personas o más")
    elif "seconds" in params:
        words.append(f"desde los {params['seconds']} s")
    hours = [f"de {row['from']} a {row['to']}{_days(row['days'])}" for row in rule.get("schedule") or []]
    return " ".join([*words, " y ".join(hours)]).strip()


def _days(days: Sequence[int]) -> str:
    if list(days) == EVERY_DAY:
        return ""
    names = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
    return f" los {', '.join(names[day] for day in days)}"
