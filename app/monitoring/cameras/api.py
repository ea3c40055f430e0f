"""Cameras in the API: the inventory, and permission to watch."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify
from flask.views import MethodView
from flask_smorest import Blueprint

from app.http.context import current_actor
from app.http.etag import expected_version, tagged
from app.http.guards import requires
from app.http.paging import envelope
from app.kernel.permissions import Permission
from app.monitoring.cameras import service
from app.monitoring.cameras.schemas import (
    CameraArgs,
    CameraChangeSchema,
    CameraPageSchema,
    InventoryCameraSchema,
    MaintenanceSchema,
    NewCameraSchema,
    OfferSchema,
    ViewSchema,
    camera_document,
)
from app.monitoring.cameras.types import CameraData, CameraFilter, CameraView

bp = Blueprint("cameras_api", __name__, url_prefix="/api/v1/cameras", description="Inventario de cámaras")


@bp.route("")
class Cameras(MethodView):
    @requires(Permission.CAMERA_READ)
    @bp.arguments(CameraArgs, location="query")
    @bp.response(200, CameraPageSchema)
    @bp.doc(summary="Listar cámaras")
    def get(self, args: dict[str, Any]) -> Any:
        """Cameras of the municipality by code."""
        wanted = CameraFilter(text=args["q"], place=args["place"], kind=args["kind"], state=args["state"])
        page = service.list_cameras(current_actor(), wanted=wanted, cursor=args["cursor"], limit=args["limit"])
        return envelope(page, lambda camera: camera)

    @requires(Permission.CAMERA_EDIT)
    @bp.arguments(NewCameraSchema)
    @bp.response(201, InventoryCameraSchema)
    @bp.doc(summary="Agregar una cámara")
    def post(self, body: dict[str, Any]) -> Any:
        """Add a camera with the default profile of its place."""
        camera = service.create_camera(current_actor(), data=CameraData(**body))
        response = _answer(camera, 201)
        response.headers["Location"] = f"{bp.url_prefix}/{camera.id}"
        return response


@bp.route("/<uuid:camera_id>")
class Camera(MethodView):
    @requires(Permission.CAMERA_READ)
    @bp.response(200, InventoryCameraSchema)
    @bp.doc(summary="Ver una cámara")
    def get(self, camera_id: UUID) -> Any:
        """One camera, with its version as ETag."""
        return _answer(service.get_camera(current_actor(), camera_id=camera_id), 200)

    @requires(Permission.CAMERA_EDIT)
    @bp.arguments(CameraChangeSchema(partial=True))
    @bp.response(200, InventoryCameraSchema)
    @bp.doc(summary="Modificar una cámara")
    def patch(self, body: dict[str, Any], camera_id: UUID) -> Any:
        """Change the given fields; `If-Match` names the version that was read."""
        version = expected_version()
        return _answer(service.update_camera(current_actor(), camera_id=camera_id, version=version, changes=body), 200)


@bp.route("/<uuid:camera_id>/maintenance")
class Maintenance(MethodView):
    @requires(Permission.CAMERA_EDIT)
    @bp.arguments(MaintenanceSchema)
    @bp.response(200, InventoryCameraSchema)
    @bp.doc(summary="Poner una cámara en mantenimiento")
    def put(self, body: dict[str, Any], camera_id: UUID) -> Any:
        """Nothing it sees is alarmed until then; it is recorded and analysed on. `If-Match` names the version read."""
        return self._set(camera_id, **body)

    @requires(Permission.CAMERA_EDIT)
    @bp.response(200, InventoryCameraSchema)
    @bp.doc(summary="Terminar el mantenimiento de una cámara")
    def delete(self, camera_id: UUID) -> Any:
        """The camera alarms again from now on. `If-Match` names the version read."""
        return self._set(camera_id, until=None, reason="")

    def _set(self, camera_id: UUID, *, until: datetime | None, reason: str) -> Response:
        camera = service.set_maintenance(
            current_actor(), camera_id=camera_id, version=expected_version(), until=until, reason=reason
        )
        return _answer(camera, 200)


@bp.post("/<uuid:camera_id>/views")
@requires(Permission.CAMERA_VIEW)
@bp.arguments(ViewSchema)
@bp.response(200, OfferSchema)
@bp.doc(summary="Pedir permiso para ver una cámara en vivo")
def views(body: dict[str, Any], camera_id: UUID) -> Any:
    """A ticket of two minutes to watch this camera, recorded; asked again with `view_id` it is renewed."""
    return service.open_view(
        current_actor(), camera_id=camera_id, stream=body["stream"], reason=body["reason"], view_id=body["view_id"]
    )


def _answer(camera: CameraView, status: int) -> Response:
    response = jsonify(camera_document(camera))
    response.status_code = status
    return tagged(response, camera.version)
