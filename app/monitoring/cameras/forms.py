"""Forms of the camera pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    FloatField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import DateTimeLocalField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.http.forms import Form, options
from app.monitoring.cameras.types import KINDS, OWNERSHIPS, PLACES, STATE_LABELS, VISIBILITIES, CameraFilter, CameraView

ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
_WHOLE = "Escribir un número entero."
_NUMBER = re.compile(r"-?\d{1,3}(?:[.,]\d{1,6})?")
_ANY = ("", "Todos")


class Coordinate(FloatField):
    """A number with comma or point."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata([value.strip().replace(",", ".") for value in valuelist if value.strip()])


class FilterForm(Form):
    """How the list is narrowed."""

    q = StringField("Nombre, código o dirección", [Length(max=200)])
    place = SelectField("Lugar", choices=options([_ANY, *PLACES.items()]), validate_choice=False)
    state = SelectField("Estado", choices=options([_ANY, *STATE_LABELS.items()]), validate_choice=False)

    def wanted(self) -> CameraFilter:
        place, state = self.place.data or "", self.state.data or ""
        return CameraFilter(
            text=(self.q.data or "")[:200], place=place if place in PLACES else "", state=state if state in STATE_LABELS else ""
        )


class CameraForm(Form):
    """A camera to be added or changed; an empty address keeps the present one."""

    name = StringField("Nombre", [InputRequired("Escribir el nombre de la cámara."), Length(max=120)])
    place = RadioField("Qué lugar mira", choices=options(PLACES.items()), default="other")
    kind = SelectField("Tipo de cámara", [InputRequired()], choices=options(KINDS.items()), default="fixed")
    code = StringField("Código", [Length(max=40)])
    source_url = StringField("Dirección del video", [Length(max=1000)])
    sub_url = StringField("Dirección del video secundario", [Length(max=1000)])
    username = StringField("Usuario de la cámara", [Length(max=120)])
    password = PasswordField("Clave de la cámara", [Length(max=200)])
    street = StringField("Calle", [Length(max=120)])
    street_number = StringField("Número", [Length(max=20)])
    between = StringField("Entre calles", [Length(max=160)])
    lat = Coordinate("Latitud", [Optional(), NumberRange(-90, 90, "Entre −90 y 90.")])
    lon = Coordinate("Longitud", [Optional(), NumberRange(-180, 180, "Entre −180 y 180.")])
    azimuth = IntegerField("Hacia dónde mira (grados)", [Optional(), NumberRange(0, 359, "Entre 0 (norte) y 359.")])
    fov_deg = IntegerField("Apertura (grados)", [Optional(), NumberRange(1, 360, "Entre 1 y 360.")])
    range_m = IntegerField("Alcance (metros)", [Optional(), NumberRange(1, 5000, "Entre 1 y 5000.")])
    ownership = SelectField("De quién es", [InputRequired()], choices=options(OWNERSHIPS.items()), default="municipal")
    visibility = SelectField("Quién la ve", [InputRequired()], choices=options(VISIBILITIES.items()), default="normal")
    record = BooleanField("Grabar", default=True)

    _SOURCE = ("source_url", "sub_url", "username", "password")

    def changes(self, *, new: bool) -> dict[str, Any]:
        """What was written; of the source, only what a person filled in (a new camera takes it as it is)."""
        data = {name: "" if value is None and name not in _NULLABLE else value for name, value in self.data.items()}
        if new:
            return data
        typed = {name: data.pop(name) for name in self._SOURCE}
        if not data["code"]:
            del data["code"]
        return data | {name: value for name, value in typed.items() if value}

    @classmethod
    def of(cls, camera: CameraView) -> CameraForm:
        """The form as it shows a camera; its address and its credentials are never shown."""
        form: CameraForm = cls.from_request(
            **{name: getattr(camera, name) for name in cls.declared() if name not in cls._SOURCE}
        )
        return form

    @classmethod
    def declared(cls) -> list[str]:
        return [name for name in dir(cls) if hasattr(getattr(cls, name), "field_class")]


_NULLABLE = frozenset({"lat", "lon", "azimuth", "fov_deg", "range_m"})


class MaintenanceForm(Form):
    """Until when a camera is out of service, and why."""

    until = DateTimeLocalField(
        "Hasta", [InputRequired("Elegir hasta cuándo.")], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )
    reason = TextAreaField("Motivo", [InputRequired("Escribir el motivo."), Length(5, 300, "Entre 5 y 300 caracteres.")])

    @property
    def until_at(self) -> datetime:
        """What was typed, which is Buenos Aires time."""
        return self.until.data.replace(tzinfo=ZONE).astimezone(UTC)


def region_rows(regions: list[dict[str, Any]], *, spare: int = 1) -> list[dict[str, str]]:
    """Lanes or zones as the drawing page writes them: points in percent of the picture, one per line."""
    rows = [
        {
            "id": region["id"], "name": region.get("name", ""), "points": _as_lines(region["polygon"]),
            "axis": _as_lines(region.get("axis") or []),
        }
        for region in regions
    ]  # fmt: skip
    return rows + [{"id": "", "name": "", "points": "", "axis": ""} for _ in range(spare)]


def regions_of(form: Any, kind: str) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """What was drawn (`lane` or `zone`), and the errors by field. A row without points is left out."""
    regions: list[dict[str, Any]] = []
    errors: dict[str, list[str]] = {}
    for index in range(MAX_ROWS):
        prefix = f"{kind}-{index}"
        points = form.get(f"{prefix}-points", "").strip()
        if not points:
            continue
        try:
            region = {
                "id": form.get(f"{prefix}-id") or f"{kind}{index + 1}", "name": form.get(f"{prefix}-name", "").strip(),
                "polygon": _from_lines(points),
            }  # fmt: skip
            if kind == "lane":
                region["axis"] = _from_lines(form.get(f"{prefix}-axis", "")) or None
            regions.append(region)
        except ValueError:
            errors[f"{prefix}-points"] = ["Un punto por línea: ancho y alto en porcentaje, como «25 80»."]
    return regions, errors


MAX_ROWS = 16


def _as_lines(points: list[Any]) -> str:
    return "\n".join(f"{point[0] * 100:g} {point[1] * 100:g}" for point in points)


def _from_lines(text: str) -> list[list[float]]:
    points = []
    for line in text.strip().splitlines():
        numbers = [float(part.replace(",", ".")) for part in line.split() if _NUMBER.fullmatch(part)]
        if len(numbers) != 2 or len(line.split()) != 2:
            raise ValueError(line)
        points.append([numbers[0] / 100, numbers[1] / 100])
    return points
