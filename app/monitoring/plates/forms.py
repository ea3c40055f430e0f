"""Forms of the plates pages."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    FileField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.http.forms import Form, options
from app.monitoring.plates.types import LIST_KINDS, LIST_ORIGINS

ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
_PRIORITIES = [("", "La del tipo de lista"), ("1", "Crítica"), ("2", "Alta"), ("3", "Media"), ("4", "Baja")]


class SearchForm(Form):
    """A plate search: always with its reason."""

    plate = StringField("Patente", [Length(max=40)])
    since = DateTimeLocalField("Desde", [Optional()], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    until = DateTimeLocalField("Hasta", [Optional()], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    camera = SelectField("Cámara", choices=options([("", "Todas")]), validate_choice=False)
    motivo = TextAreaField(
        "Motivo",
        [InputRequired("Escribir el motivo de la búsqueda."), Length(10, 500, "Entre 10 y 500 caracteres.")],
    )

    @property
    def interval(self) -> tuple[datetime | None, datetime | None]:
        """What was typed, which is Buenos Aires time."""
        return _aware(self.since.data), _aware(self.until.data)

    @property
    def camera_id(self) -> UUID | None:
        try:
            return UUID(self.camera.data) if self.camera.data else None
        except ValueError:
            return None


class HotlistForm(Form):
    """What a person decides about a list."""

    version = HiddenField()
    name = StringField("Nombre", [InputRequired("Falta el nombre."), Length(3, 120, "Entre 3 y 120 caracteres.")])
    kind = SelectField("Tipo", choices=options(LIST_KINDS.items()))
    origin = SelectField("Origen", choices=options(LIST_ORIGINS.items()))
    severity = SelectField("Prioridad", choices=options(_PRIORITIES))
    refresh_hours = IntegerField("Se actualiza cada (horas)", [Optional(), NumberRange(1, 8_760, "De 1 a 8760 horas.")])
    tolerant = BooleanField("Admitir coincidencias aproximadas")
    source_version = StringField("Versión de la fuente", [Length(max=120)])


class EntryForm(Form):
    """One plate for a list."""

    plate = StringField("Patente", [InputRequired("Falta la patente."), Length(max=20)])
    reason = StringField("Motivo", [InputRequired("Falta el motivo."), Length(max=200)])
    authority = StringField("Autoridad", [Length(max=200)])
    case_no = StringField("Causa o IPP", [Length(max=100)])
    make = StringField("Marca", [Length(max=60)])
    model = StringField("Modelo", [Length(max=60)])
    colour = StringField("Color", [Length(max=60)])
    instructions = StringField("Instrucciones", [Length(max=500)])
    expires_at = StringField("Vence", [Length(max=30)])


class ImportForm(Form):
    """A file of plates."""

    file = FileField("Archivo CSV")


def _aware(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=ZONE).astimezone(UTC) if value else None
