"""What a camera is watched for by default, from the kind of place it looks at. Plain data, no dependencies.

The province keeps the same table for its screens; a contract test holds both equal.
"""

from typing import Any

EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]


def _rule(kind: str, priority: int, *, window: tuple[str, str] | None = None, **params: Any) -> dict[str, Any]:
    schedule = None if window is None else [{"days": EVERY_DAY, "from": window[0], "to": window[1]}]
    return {"id": kind, "kind": kind, "params": params, "schedule": schedule, "priority": priority}


_PEOPLE = ["person", "moving"]
_TAMPER = _rule("tamper", 3)
_PLATE, _WRONG_WAY = _rule("plate", 2), _rule("wrong_way", 2)

PROFILES: dict[str, list[dict[str, Any]]] = {
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
