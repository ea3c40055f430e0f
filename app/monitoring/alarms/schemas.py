"""Shapes of the alarms API."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import marshmallow as ma

from app.http.paging import PageArgs
from app.monitoring.alarms.types import CLOSE_OUTCOMES, READING_OUTCOMES, RULE_TITLES, SOURCE_OUTCOMES, STATE_LABELS

_NOTE = ma.validate.Length(max=2_000)


class AlarmArgs(PageArgs):
    """Which alarms; `state` may be repeated, and `open` stands for every alarm not finished."""

    state = ma.fields.List(ma.fields.String(validate=ma.validate.OneOf([*STATE_LABELS, "open"])), load_default=list)
    priority = ma.fields.Integer(load_default=None, validate=ma.validate.Range(1, 4))
    camera_id = ma.fields.UUID(load_default=None)
    rule = ma.fields.String(load_default="", validate=ma.validate.OneOf(["", *RULE_TITLES]))
    plate = ma.fields.String(load_default="", validate=ma.validate.Length(max=16))
    since = ma.fields.AwareDateTime(data_key="from", load_default=None, default_timezone=UTC)
    until = ma.fields.AwareDateTime(data_key="to", load_default=None, default_timezone=UTC)


class AlarmCameraSchema(ma.Schema):
    """Where it happened."""

    id = ma.fields.UUID()
    name = ma.fields.String()
    code = ma.fields.String()
    place = ma.fields.String()


class AlarmStepSchema(ma.Schema):
    """A step of the procedure."""

    code = ma.fields.String()
    text = ma.fields.String()
    done_by = ma.fields.String(allow_none=True)


class AlarmSchema(ma.Schema):
    """An alarm. `entry` is null while the plate of a possible match has not been typed."""

    id = ma.fields.UUID()
    version = ma.fields.Integer()
    rule = ma.fields.String()
    title_code = ma.fields.String()
    title = ma.fields.String()
    priority = ma.fields.Integer()
    state = ma.fields.String()
    active = ma.fields.Boolean()
    camera_id = ma.fields.UUID()
    camera = ma.fields.Nested(AlarmCameraSchema, allow_none=True)
    count = ma.fields.Integer()
    detected_at = ma.fields.AwareDateTime()
    last_at = ma.fields.AwareDateTime()
    raised_at = ma.fields.AwareDateTime()
    in_flood = ma.fields.Boolean()
    supervisor_at = ma.fields.AwareDateTime(allow_none=True)
    escalated_at = ma.fields.AwareDateTime(allow_none=True)
    plate = ma.fields.String(allow_none=True)
    match = ma.fields.String(allow_none=True)
    characters = ma.fields.List(ma.fields.Raw(metadata={"type": "array", "items": {}}))
    entry = ma.fields.Raw(allow_none=True, metadata={"type": ["object", "null"]})
    entry_revoked_at = ma.fields.AwareDateTime(allow_none=True)
    reading_outcome = ma.fields.String(allow_none=True)
    source_outcome = ma.fields.String(allow_none=True)
    discard_code = ma.fields.String(allow_none=True)
    close_outcome = ma.fields.String(allow_none=True)
    note = ma.fields.String()
    taken_by_name = ma.fields.String(allow_none=True)
    taken_at = ma.fields.AwareDateTime(allow_none=True)
    verified_by_name = ma.fields.String(allow_none=True)
    verified_at = ma.fields.AwareDateTime(allow_none=True)
    closed_by_name = ma.fields.String(allow_none=True)
    closed_at = ma.fields.AwareDateTime(allow_none=True)
    crop_sha = ma.fields.String(allow_none=True)
    snapshot_sha = ma.fields.String(allow_none=True)
    clip_id = ma.fields.UUID(allow_none=True)
    confirmed = ma.fields.Boolean(attribute="is_confirmed", metadata={"description": "Puede pasar a incidente"})
    steps = ma.fields.List(ma.fields.Nested(AlarmStepSchema))
    detail = ma.fields.Raw(metadata={"type": "object"})
    is_demo = ma.fields.Boolean()


class AlarmPageSchema(ma.Schema):
    """A page of alarms."""

    items = ma.fields.List(ma.fields.Nested(AlarmSchema))
    next = ma.fields.String(allow_none=True)


class VerifySchema(ma.Schema):
    """One step of the verification: the reading's outcome, or later the answer of the source."""

    outcome = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(list(READING_OUTCOMES)))
    source = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(list(SOURCE_OUTCOMES)))
    typed_plate = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=16),
        metadata={"description": "Obligatorio para confirmar una posible coincidencia"},
    )
    note = ma.fields.String(load_default="", validate=_NOTE)


class DiscardSchema(ma.Schema):
    """Why the alarm was not what it said."""

    code = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=40))
    note = ma.fields.String(load_default="", validate=_NOTE)


class CloseSchema(ma.Schema):
    """How the alarm ended."""

    outcome = ma.fields.String(required=True, validate=ma.validate.OneOf(list(CLOSE_OUTCOMES)))
    note = ma.fields.String(load_default="", validate=_NOTE, metadata={"description": "Obligatoria en las críticas"})


def dump(alarm: Any) -> Any:
    """An alarm as JSON."""
    return AlarmSchema().dump(alarm)
