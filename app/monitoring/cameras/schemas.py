"""Shapes of cameras in the API. Flat: what is written and what is read carry the same names."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import validate

from app.http.paging import PageArgs
from app.kernel.ports import LiveOffer
from app.monitoring.cameras.types import KINDS, OWNERSHIPS, PLACES, STATE_LABELS, VISIBILITIES, CameraView


class CameraArgs(PageArgs):
    """How a list of cameras is narrowed."""

    q = ma.fields.String(
        load_default="", validate=validate.Length(max=200),
        metadata={"description": "Palabras del nombre, el código o la dirección"},
    )  # fmt: skip
    place = ma.fields.String(load_default="", validate=validate.OneOf(["", *PLACES]))
    kind = ma.fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    state = ma.fields.String(load_default="", validate=validate.OneOf(["", *STATE_LABELS]))


def _coordinate(limit: int) -> ma.fields.Float:
    return ma.fields.Float(allow_none=True, validate=validate.Range(-limit, limit))


def _whole(low: int, high: int) -> ma.fields.Integer:
    return ma.fields.Integer(allow_none=True, validate=validate.Range(low, high), strict=True)


class CameraChangeSchema(ma.Schema):
    """The fields of a camera that may be written; those left out stay as they are."""

    name = ma.fields.String(validate=validate.Length(1, 120))
    place = ma.fields.String(validate=validate.OneOf(list(PLACES)))
    kind = ma.fields.String(validate=validate.OneOf(list(KINDS)))
    code = ma.fields.String(validate=validate.Length(max=40))
    ownership = ma.fields.String(validate=validate.OneOf(list(OWNERSHIPS)))
    visibility = ma.fields.String(validate=validate.OneOf(list(VISIBILITIES)))
    street = ma.fields.String(validate=validate.Length(max=120))
    street_number = ma.fields.String(validate=validate.Length(max=20))
    between = ma.fields.String(validate=validate.Length(max=160))
    lat = _coordinate(90)
    lon = _coordinate(180)
    azimuth = _whole(0, 359)
    fov_deg = _whole(1, 360)
    range_m = _whole(1, 5000)
    url = ma.fields.String(
        attribute="source_url", validate=validate.Length(max=1000), load_only=True,
        metadata={"description": "rtsp://, http:// o archivo; las claves se cifran para el nodo y no se vuelven a mostrar"},
    )  # fmt: skip
    sub_url = ma.fields.String(allow_none=True, validate=validate.Length(max=1000), load_only=True)
    username = ma.fields.String(validate=validate.Length(max=120), load_only=True)
    password = ma.fields.String(validate=validate.Length(max=200), load_only=True)
    record = ma.fields.Boolean()
    lanes = ma.fields.List(ma.fields.Dict(keys=ma.fields.String()), validate=validate.Length(max=16))
    zones = ma.fields.List(ma.fields.Dict(keys=ma.fields.String()), validate=validate.Length(max=16))
    profile = ma.fields.List(ma.fields.Dict(keys=ma.fields.String()), validate=validate.Length(max=16))


class NewCameraSchema(CameraChangeSchema):
    name = ma.fields.String(required=True, validate=validate.Length(1, 120))
    place = ma.fields.String(load_default="other", validate=validate.OneOf(list(PLACES)))


class CameraStateSchema(ma.Schema):
    state = ma.fields.String()
    label = ma.fields.String()
    since = ma.fields.AwareDateTime(format="iso", allow_none=True)
    recording = ma.fields.Boolean()
    codec = ma.fields.String(allow_none=True)
    width = ma.fields.Integer(allow_none=True)
    height = ma.fields.Integer(allow_none=True)
    fps = ma.fields.Float(allow_none=True)
    error_code = ma.fields.String(allow_none=True)
    last_frame_at = ma.fields.AwareDateTime(format="iso", allow_none=True)


class InventoryCameraSchema(ma.Schema):
    """A camera. `url` is redacted: no credentials and no path."""

    id = ma.fields.UUID()
    node_id = ma.fields.UUID(allow_none=True)
    code = ma.fields.String()
    name = ma.fields.String()
    place = ma.fields.String()
    kind = ma.fields.String()
    ownership = ma.fields.String()
    visibility = ma.fields.String()
    street = ma.fields.String()
    street_number = ma.fields.String()
    between = ma.fields.String()
    lat = ma.fields.Float(allow_none=True)
    lon = ma.fields.Float(allow_none=True)
    azimuth = ma.fields.Integer(allow_none=True)
    fov_deg = ma.fields.Integer(allow_none=True)
    range_m = ma.fields.Integer(allow_none=True)
    source_kind = ma.fields.String()
    url = ma.fields.String(attribute="source")
    sub_url = ma.fields.String(attribute="sub_source")
    has_credentials = ma.fields.Boolean()
    record = ma.fields.Boolean()
    is_demo = ma.fields.Boolean()
    lanes = ma.fields.List(ma.fields.Dict())
    zones = ma.fields.List(ma.fields.Dict())
    profile = ma.fields.List(ma.fields.Dict())
    state = ma.fields.String(attribute="state.state")
    health = ma.fields.Nested(CameraStateSchema, attribute="state")
    maintenance_from = ma.fields.AwareDateTime(format="iso", allow_none=True)
    maintenance_until = ma.fields.AwareDateTime(format="iso", allow_none=True)
    maintenance_reason = ma.fields.String()
    maintenance_by = ma.fields.String()
    config_version = ma.fields.Integer()
    version = ma.fields.Integer()
    created_at = ma.fields.AwareDateTime(format="iso")
    decommissioned_at = ma.fields.AwareDateTime(format="iso", allow_none=True)


class CameraPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(InventoryCameraSchema))
    next = ma.fields.String(allow_none=True)


class MaintenanceSchema(ma.Schema):
    """Until when somebody works on a camera, and why."""

    until = ma.fields.AwareDateTime(
        format="iso", required=True, metadata={"description": "Dentro de los próximos 90 días"}
    )
    reason = ma.fields.String(required=True, validate=validate.Length(5, 300))


class ViewSchema(ma.Schema):
    stream = ma.fields.String(load_default="main", validate=validate.OneOf(["main", "sub"]))
    reason = ma.fields.String(load_default="", validate=validate.Length(max=500))
    view_id = ma.fields.UUID(load_default=None, allow_none=True, metadata={"description": "Renueva esa visualización"})


class OfferSchema(ma.Schema):
    view_id = ma.fields.UUID()
    camera_id = ma.fields.UUID()
    ticket = ma.fields.String()
    transports = ma.fields.List(ma.fields.String())
    expires_at = ma.fields.AwareDateTime(format="iso")


_camera = InventoryCameraSchema()
_offer = OfferSchema()


def camera_document(camera: CameraView) -> dict[str, Any]:
    """A camera as the API tells it."""
    document: dict[str, Any] = _camera.dump(camera)
    return document


def offer_document(offer: LiveOffer) -> dict[str, Any]:
    """A ticket as pages and programs receive it."""
    document: dict[str, Any] = _offer.dump(offer)
    return document
