"""The «Probar» of the camera pages: the node tries an address and the page waits for its report."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.guards import requires
from app.kernel.permissions import Permission
from app.monitoring.cameras.types import ERROR_LABELS, CameraData
from app.monitoring.nodes import service

bp = Blueprint("nodes", __name__, url_prefix="/sala/camaras")

WARNINGS = {
    "long_gop": "Pasan más de 4 s entre cuadros completos: el video en vivo tarda en aparecer.",
    "low_fps": "Llegan menos de 8 cuadros por segundo: alcanza para ver y no para patentes ni contramano.",
    "h265_main": "Es H.265: se graba, pero hay navegadores que no lo muestran. Conviene un video secundario en H.264.",
    "derived": "El archivo se convierte a H.264 para poder mostrarlo.",
}


@bp.post("/probar")
@requires(Permission.CAMERA_EDIT)
def try_address() -> ResponseReturnValue:
    """Ask the node to try what the form says, before anything is kept."""
    form = request.form
    data = CameraData(
        name=form.get("name", ""), source_url=form.get("source_url", ""), sub_url=form.get("sub_url") or None,
        username=form.get("username", ""), password=form.get("password", ""),
    )  # fmt: skip
    return _waiting(service.check_source(current_actor(), data=data))


@bp.post("/<uuid:camera_id>/probar")
@requires(Permission.CAMERA_EDIT)
def try_camera(camera_id: UUID) -> ResponseReturnValue:
    """Ask the node to try the source that a camera has."""
    return _waiting(service.check_camera(current_actor(), camera_id=camera_id))


@bp.get("/pruebas/<uuid:order_id>")
@requires(Permission.CAMERA_EDIT)
def trial(order_id: UUID) -> ResponseReturnValue:
    """The report of a trial, or the wait for it."""
    _, state, result = service.order_of(current_actor(), order_id=order_id)
    if state == "pending":
        return _waiting(order_id)
    report = result.get("report") or {"ok": False, "error_code": result.get("error")}
    error = report.get("error_code")
    return render_template(
        "monitoring/nodes/trial.html",
        title="Resultado de la prueba",
        report=report,
        error=ERROR_LABELS.get(str(error), "La fuente no dio video") if error else "",
        warnings=[WARNINGS[code] for code in report.get("warnings", []) if code in WARNINGS],
        alone=request.headers.get("HX-Request") != "true",
    )


def _waiting(order_id: UUID) -> str:
    return render_template(
        "monitoring/nodes/waiting.html",
        title="Prueba de la cámara",
        order_id=order_id,
        alone=request.headers.get("HX-Request") != "true",
    )
