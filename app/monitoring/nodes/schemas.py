"""Shapes of the node protocol."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from app.monitoring.cameras.types import STATES
from app.monitoring.nodes.types import MAX_ITEMS, SESSION_STATES


class _Lenient(ma.Schema):
    """Nodes may be newer than the Province: what it does not know is ignored."""

    class Meta:
        unknown = ma.EXCLUDE


class DesiredArgs(ma.Schema):
    since = ma.fields.Integer(load_default=None, validate=validate.Range(0, 2**31 - 1))


class DesiredSchema(ma.Schema):
    """The desired state of a node: see the contract of nodes."""

    schema = ma.fields.Integer()
    version = ma.fields.Integer()
    tenant = ma.fields.UUID()
    tenant_slug = ma.fields.String()
    node_id = ma.fields.UUID()
    server_time = ma.fields.String()
    demonstration = ma.fields.Boolean()
    cameras = ma.fields.List(ma.fields.Dict())
    sessions = ma.fields.List(ma.fields.Dict())
    orders = ma.fields.List(ma.fields.Dict())
    view_keys = ma.fields.List(ma.fields.Dict())
    holds = ma.fields.List(ma.fields.Dict())
    policy = ma.fields.Dict()
    camera_networks = ma.fields.List(ma.fields.String())


class CameraReportSchema(_Lenient):
    camera_id = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True, validate=validate.OneOf(list(STATES)))
    since = ma.fields.AwareDateTime(format="iso", required=True)
    recording = ma.fields.Boolean(load_default=None, allow_none=True)
    codec = ma.fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))
    width = ma.fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 20_000))
    height = ma.fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 20_000))
    fps = ma.fields.Float(load_default=None, allow_none=True, validate=validate.Range(0, 1000))
    error_code = ma.fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))


class SessionReportSchema(_Lenient):
    session_id = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True, validate=validate.OneOf(list(SESSION_STATES)))
    detail = ma.fields.String(load_default="", allow_none=True, validate=validate.Length(max=2000))
    config_version = ma.fields.Integer(load_default=0, allow_none=True, validate=validate.Range(0, 2**31 - 1))


class HeartbeatSchema(_Lenient):
    version = ma.fields.String(load_default="", allow_none=True, validate=validate.Length(max=60))
    recorded_until = ma.fields.AwareDateTime(format="iso", load_default=None, allow_none=True)
    cameras = ma.fields.List(ma.fields.Nested(CameraReportSchema), load_default=list, validate=validate.Length(max=2000))
    sessions = ma.fields.List(ma.fields.Nested(SessionReportSchema), load_default=list, validate=validate.Length(max=100))


class HeartbeatAnswerSchema(ma.Schema):
    desired_version = ma.fields.Integer()
    orders = ma.fields.List(ma.fields.Dict())
    server_time = ma.fields.String()


class FenceSchema(_Lenient):
    session_id = ma.fields.UUID(required=True)
    epoch = ma.fields.Integer(required=True, validate=validate.Range(0, 2**63 - 1))
    run = ma.fields.Integer(load_default=0, allow_none=True)


def _numbered(items: list[dict[str, object]]) -> None:
    numbers = [item.get("n") for item in items]
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers) or len(set(numbers)) != len(numbers):
        raise ma.ValidationError("Cada ítem lleva su propio número entero «n».")


class BatchSchema(_Lenient):
    schema = ma.fields.Integer(required=True, validate=validate.Equal(1))
    batch_id = ma.fields.UUID(required=True)
    session = ma.fields.Nested(FenceSchema, load_default=None, allow_none=True)
    items = ma.fields.List(
        ma.fields.Dict(keys=ma.fields.String()), required=True, validate=[validate.Length(max=MAX_ITEMS), _numbered]
    )


class RejectionSchema(ma.Schema):
    n = ma.fields.Integer()
    code = ma.fields.String()
    title = ma.fields.String()


class BatchAnswerSchema(ma.Schema):
    accepted = ma.fields.List(ma.fields.Integer())
    rejected = ma.fields.List(ma.fields.Nested(RejectionSchema))
    orders = ma.fields.List(ma.fields.Dict())


class LeaseArgs(_Lenient):
    holder = ma.fields.String(required=True, validate=validate.Length(1, 120))
    epoch = ma.fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 2**63 - 1))


class LeaseSchema(ma.Schema):
    epoch = ma.fields.Integer()
    expires_at = ma.fields.AwareDateTime(format="iso")
