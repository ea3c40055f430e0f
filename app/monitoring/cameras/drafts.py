"""What a person wrote about a camera, checked field by field before it is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from app.kernel.errors import Invalid
from app.monitoring.cameras.shapes import checked_lanes, checked_profile, checked_zones
from app.monitoring.cameras.types import CODE_LETTERS, KINDS, OWNERSHIPS, PLACES, VISIBILITIES, CameraData

_CODE = re.compile(r"[A-Z0-9]{1,12}(-[A-Z0-9]{1,12}){0,3}")
_TEXTS = {"name": 120, "street": 120, "street_number": 20, "between": 160, "username": 120, "password": 200}
_CHOICES = {"place": PLACES, "kind": KINDS, "ownership": OWNERSHIPS, "visibility": VISIBILITIES}
_RANGES = {"azimuth": (0, 359), "fov_deg": (1, 360), "range_m": (1, 5000)}
FIELDS = frozenset(field.name for field in fields(CameraData))


def merged(present: CameraData, changes: Mapping[str, Any]) -> CameraData:
    """`present` with the changed fields. Raises `Invalid` for a field that does not exist."""
    unknown = sorted(set(changes) - FIELDS)
    if unknown:
        raise Invalid(errors={name: ["Ese dato no existe."] for name in unknown})
    return replace(present, **changes)


def checked(data: CameraData) -> CameraData:
    """`data` tidied. Raises `Invalid` naming every wrong field at once."""
    errors: dict[str, list[str]] = {}
    texts: dict[str, Any] = {name: " ".join(getattr(data, name).split()) for name in _TEXTS if name != "password"}
    for name, longest in _TEXTS.items():
        if len(getattr(data, name)) > longest:
            errors[name] = [f"Hasta {longest} caracteres."]
    if not texts["name"]:
        errors["name"] = ["Escribir el nombre de la cámara."]
    for name, allowed in _CHOICES.items():
        if getattr(data, name) not in allowed:
            errors[name] = ["Elegir una de las opciones."]
    code = data.code.strip().upper()
    if code and not _CODE.fullmatch(code):
        errors["code"] = ["El código lleva letras, números y guiones, como TA-LPR-01."]
    errors |= _numbers(data)
    if errors:
        raise Invalid(errors=errors)
    return replace(
        data, **texts, code=code,
        lanes=None if data.lanes is None else checked_lanes(data.lanes),
        zones=None if data.zones is None else checked_zones(data.zones),
        profile=None if data.profile is None else checked_profile(data.profile),
    )  # fmt: skip


def _numbers(data: CameraData) -> dict[str, list[str]]:
    errors = {}
    for name, (low, high) in _RANGES.items():
        value = getattr(data, name)
        if value is not None and not low <= value <= high:
            errors[name] = [f"Un número entre {low} y {high}."]
    if (data.lat is None) != (data.lon is None):
        errors["lat"] = ["La posición lleva latitud y longitud, las dos."]
    elif data.lat is not None and data.lon is not None and not (-90 <= data.lat <= 90 and -180 <= data.lon <= 180):
        errors["lat"] = ["La posición está fuera del mapa."]
    return errors


def code_prefix(slug: str, data: CameraData) -> str:
    """The start of a code nobody chose: initials of the municipality, then what the camera is (`TA-LPR`)."""
    words = slug.split("-")
    initials = "".join(word[0] for word in words) if len(words) > 1 else slug[:2]
    letters = "LPR" if data.kind == "lpr" else CODE_LETTERS[data.place]
    return f"{initials.upper()}-{letters}"


def next_code(prefix: str, taken: list[str]) -> str:
    """The first free code after the highest one in use."""
    numbers = [int(tail) for code in taken if (tail := code.removeprefix(f"{prefix}-")).isdigit()]
    return f"{prefix}-{max(numbers, default=0) + 1:02d}"
