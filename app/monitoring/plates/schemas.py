"""Shapes of the plates API. Readings are checked one by one by hand: five hundred at a time, each with its own answer."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import marshmallow as ma

from app.http.paging import PageArgs
from app.monitoring.plates.types import LIST_KINDS, LIST_ORIGINS, MAX_BATCH, Read, ReadOutcome

ReadOutcomeJson = dict[str, Any]

_READ = {
    "type": "object",
    "required": ["client_id", "camera_id", "plate", "seen_at", "confidence"],
    "properties": {
        "client_id": {
            "type": "string",
            "format": "uuid",
            "description": "Identifica la lectura: un reintento la repite",
        },
        "camera_id": {"type": "string", "format": "uuid"},
        "plate": {"type": "string", "maxLength": 64},
        "seen_at": {"type": "string", "format": "date-time", "description": "De −7 días a +2 minutos"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "direction": {"type": "string", "maxLength": 32, "nullable": True},
    },
}


class PlateReadBatchSchema(ma.Schema):
    """Readings to store."""

    reads = ma.fields.List(
        ma.fields.Raw(metadata=_READ), required=True, validate=ma.validate.Length(min=1, max=MAX_BATCH)
    )


class ReadOutcomeSchema(ma.Schema):
    """What became of one reading, in the order they were sent."""

    client_id = ma.fields.String(allow_none=True)
    status = ma.fields.String(validate=ma.validate.OneOf(["accepted", "duplicate", "rejected"]))
    code = ma.fields.String(metadata={"description": "Causa del rechazo, para programas"})
    title = ma.fields.String(metadata={"description": "Causa del rechazo, para personas"})
    hit = ma.fields.Boolean(metadata={"description": "La patente está en una lista de búsqueda"})


class ReadBatchAnswerSchema(ma.Schema):
    """One outcome per reading."""

    items = ma.fields.List(ma.fields.Nested(ReadOutcomeSchema))
    accepted = ma.fields.Integer()
    duplicates = ma.fields.Integer()
    rejected = ma.fields.Integer()


class SearchArgs(PageArgs):
    """What to search; without an interval, the last 30 days."""

    plate = ma.fields.String(
        load_default="", validate=ma.validate.Length(max=40), metadata={"description": "`AB123CD`, `AB1*` o `A?1*3`"}
    )
    camera_id = ma.fields.UUID(load_default=None)
    since = ma.fields.AwareDateTime(data_key="from", load_default=None, default_timezone=UTC)
    until = ma.fields.AwareDateTime(data_key="to", load_default=None, default_timezone=UTC)


class FoundReadSchema(ma.Schema):
    """A stored reading."""

    client_id = ma.fields.UUID()
    seen_at = ma.fields.AwareDateTime()
    camera_id = ma.fields.UUID()
    camera_name = ma.fields.String()
    camera_code = ma.fields.String()
    plate = ma.fields.String()
    raw = ma.fields.String(allow_none=True)
    format = ma.fields.String()
    country = ma.fields.String(allow_none=True)
    confidence = ma.fields.Float()
    consensus = ma.fields.String()
    direction = ma.fields.String(allow_none=True)
    crop_sha = ma.fields.String(allow_none=True)
    source = ma.fields.String()
    hit = ma.fields.Boolean(attribute="is_hit")


class FoundPageSchema(ma.Schema):
    """A page of readings."""

    items = ma.fields.List(ma.fields.Nested(FoundReadSchema))
    next = ma.fields.String(allow_none=True)
    broad = ma.fields.Boolean(metadata={"description": "El comodín abarca más patentes de las que se miraron"})


class HotlistInSchema(ma.Schema):
    """What a person decides about a list."""

    name = ma.fields.String(required=True, validate=ma.validate.Length(min=3, max=120))
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(list(LIST_KINDS)))
    origin = ma.fields.String(load_default="local", validate=ma.validate.OneOf(list(LIST_ORIGINS)))
    severity = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(1, 4))
    tolerant = ma.fields.Boolean(load_default=False)
    refresh_hours = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(1, 8_760))
    source_version = ma.fields.String(load_default="", validate=ma.validate.Length(max=120))


class HotlistSchema(HotlistInSchema):
    """A list."""

    id = ma.fields.UUID()
    version = ma.fields.Integer()
    updated_at = ma.fields.AwareDateTime()
    plates = ma.fields.Integer(metadata={"description": "Patentes en vigencia"})
    stale = ma.fields.Boolean(attribute="is_stale")
    is_demo = ma.fields.Boolean()


class HotlistPageSchema(ma.Schema):
    """A page of lists."""

    items = ma.fields.List(ma.fields.Nested(HotlistSchema))
    next = ma.fields.String(allow_none=True)


class EntrySchema(ma.Schema):
    """A listed plate."""

    id = ma.fields.UUID()
    plate = ma.fields.String()
    make = ma.fields.String()
    model = ma.fields.String()
    colour = ma.fields.String()
    vehicle_type = ma.fields.String()
    reason = ma.fields.String()
    authority = ma.fields.String()
    legal_basis = ma.fields.String()
    case_no = ma.fields.String()
    instructions = ma.fields.String()
    severity = ma.fields.Integer(allow_none=True)
    valid_from = ma.fields.AwareDateTime(allow_none=True)
    expires_at = ma.fields.AwareDateTime(allow_none=True)
    revoked_at = ma.fields.AwareDateTime(allow_none=True)


class EntryPageSchema(ma.Schema):
    """A page of listed plates."""

    items = ma.fields.List(ma.fields.Nested(EntrySchema))
    next = ma.fields.String(allow_none=True)


class EntryArgs(PageArgs):
    """Which entries of a list."""

    prefix = ma.fields.String(load_default="", validate=ma.validate.Length(max=12))


class ImportArgs(ma.Schema):
    """Whether to only say what the import would do."""

    dry_run = ma.fields.Boolean(load_default=False)


class RowErrorSchema(ma.Schema):
    """Why a row was left out."""

    row = ma.fields.Integer()
    field = ma.fields.String()
    message = ma.fields.String()
    text = ma.fields.String()


class ImportAnswerSchema(ma.Schema):
    """What an import did, or would do."""

    added = ma.fields.Integer()
    changed = ma.fields.Integer()
    revoked = ma.fields.Integer()
    unchanged = ma.fields.Integer()
    errors = ma.fields.List(ma.fields.Nested(RowErrorSchema))
    dry_run = ma.fields.Boolean()


# A batch names few cameras many times.
_camera_id = lru_cache(maxsize=4_096)(UUID)


def read_of(item: Any) -> Read | ReadOutcomeJson:
    """The reading of one JSON object, or why it is none."""
    if not isinstance(item, dict):
        return _refused(None, "malformed", "Cada lectura debe ser un objeto.")
    client_id, plate, confidence = item.get("client_id"), item.get("plate"), item.get("confidence")
    direction = item.get("direction")
    try:
        read_id = UUID(client_id)
    except (ValueError, TypeError, AttributeError):
        return _refused(client_id, "client_id_invalid", "El campo client_id debe ser un UUID.")
    try:
        camera_id = _camera_id(item["camera_id"])
    except (ValueError, TypeError, AttributeError, KeyError):
        return _refused(client_id, "camera_not_found", "El campo camera_id debe ser el UUID de una cámara.")
    if not isinstance(plate, str):
        return _refused(client_id, "plate_invalid", "El campo plate debe ser un texto.")
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float)) or not 0 <= confidence <= 1:
        return _refused(client_id, "confidence_invalid", "El campo confidence debe ser un número de 0 a 1.")
    if direction is not None and not (isinstance(direction, str) and len(direction) <= 32):
        return _refused(client_id, "direction_invalid", "El campo direction debe ser un texto corto.")
    seen_at = _instant(item.get("seen_at"))
    if seen_at is None:
        return _refused(client_id, "seen_at_invalid", "El campo seen_at debe ser una fecha ISO 8601 con zona horaria.")
    return Read(read_id, camera_id, seen_at, plate, float(confidence), direction=direction)


def outcome_json(outcome: ReadOutcome) -> ReadOutcomeJson:
    """One outcome as the API answers it."""
    return {
        "client_id": str(outcome.id),
        "status": outcome.status,
        "code": outcome.code,
        "title": outcome.title,
        "hit": outcome.is_hit,
    }


def _refused(client_id: Any, code: str, title: str) -> ReadOutcomeJson:
    shown = client_id[:64] if isinstance(client_id, str) else None
    return {"client_id": shown, "status": "rejected", "code": code, "title": title, "hit": False}


def _instant(value: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None
