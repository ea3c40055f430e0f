"""Pages of the camera inventory: the list, one camera, adding, changing, drawing, maintenance and retirement."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.http.context import current_actor
from app.http.forms import sent_version
from app.http.guards import requires
from app.http.paging import next_path
from app.kernel.errors import Invalid
from app.kernel.permissions import Permission
from app.monitoring.cameras import listing, service
from app.monitoring.cameras.forms import CameraForm, FilterForm, MaintenanceForm, region_rows, regions_of
from app.monitoring.cameras.profiles import in_words, waits_for
from app.monitoring.cameras.types import STATE_LABELS, CameraData, CameraView
from app.ui.maps import MapCamera, town

bp = Blueprint("cameras", __name__, url_prefix="/sala/camaras")

PAGE = 50


@bp.get("/")
@requires(Permission.CAMERA_READ)
def list_cameras() -> ResponseReturnValue:
    """Every camera with its state and its last picture."""
    actor = current_actor()
    form = FilterForm(request.args)
    wanted = form.wanted()
    page = service.list_cameras(actor, wanted=wanted, cursor=request.args.get("cursor"), limit=PAGE)
    counts = service.count_by_state(actor)
    return render_template(
        "monitoring/cameras/list.html",
        title="Cámaras",
        form=form,
        cameras=page.items,
        next=next_path(page.cursor),
        counts=[(state, STATE_LABELS[state], counts[state]) for state in STATE_LABELS if counts.get(state)],
        is_filtered=bool(wanted.text or wanted.place or wanted.state),
    )


@bp.get("/exportar.csv")
@requires(Permission.CAMERA_READ)
def export() -> ResponseReturnValue:
    """The list on screen as a spreadsheet."""
    wanted = FilterForm(request.args).wanted()
    headers = {"Content-Disposition": 'attachment; filename="camaras.csv"', "Cache-Control": "no-store"}
    return Response(listing.as_csv(listing.everything(current_actor(), wanted)), mimetype="text/csv", headers=headers)


@bp.get("/<uuid:camera_id>")
@requires(Permission.CAMERA_READ)
def show(camera_id: UUID) -> ResponseReturnValue:
    """One camera: live, its health and what it watches for."""
    actor = current_actor()
    camera = service.get_camera(actor, camera_id=camera_id)
    return render_template(
        "monitoring/cameras/show.html",
        title=camera.name,
        camera=camera,
        tile=_tile(camera),
        history=service.history(actor, camera_id=camera_id),
        rules=_rules(camera),
        town=_map(camera),
        maintenance=MaintenanceForm(),
        may_edit=actor.can(Permission.CAMERA_EDIT),
        may_watch=actor.can(Permission.CAMERA_VIEW),
    )


@bp.get("/alta")
@requires(Permission.CAMERA_EDIT)
def new() -> ResponseReturnValue:
    """The empty form."""
    return _form_page(CameraForm(), None)


@bp.post("/alta")
@requires(Permission.CAMERA_EDIT)
def create() -> ResponseReturnValue:
    """Add a camera."""
    form = CameraForm.from_request()
    if not form.validate():
        return _form_page(form, None, form.errors), 422
    try:
        camera = service.create_camera(current_actor(), data=CameraData(**form.changes(new=True)))
    except Invalid as refusal:
        return _form_page(form, None, refusal.errors), 422
    return redirect(url_for("cameras.show", camera_id=camera.id), 303)


@bp.get("/<uuid:camera_id>/modificar")
@requires(Permission.CAMERA_EDIT)
def edit(camera_id: UUID) -> ResponseReturnValue:
    """The form of a camera."""
    camera = service.get_camera(current_actor(), camera_id=camera_id)
    return _form_page(CameraForm.of(camera), camera)


@bp.post("/<uuid:camera_id>/modificar")
@requires(Permission.CAMERA_EDIT)
def change(camera_id: UUID) -> ResponseReturnValue:
    """Change a camera."""
    actor = current_actor()
    form = CameraForm.from_request()
    camera = service.get_camera(actor, camera_id=camera_id)
    if not form.validate():
        return _form_page(form, camera, form.errors), 422
    try:
        service.update_camera(actor, camera_id=camera_id, version=sent_version(), changes=form.changes(new=False))
    except Invalid as refusal:
        return _form_page(form, camera, refusal.errors), 422
    return redirect(url_for("cameras.show", camera_id=camera_id), 303)


@bp.get("/<uuid:camera_id>/dibujos")
@requires(Permission.CAMERA_EDIT)
def drawings(camera_id: UUID) -> ResponseReturnValue:
    """Lanes and zones of a camera."""
    return _drawing_page(service.get_camera(current_actor(), camera_id=camera_id))


@bp.post("/<uuid:camera_id>/dibujos")
@requires(Permission.CAMERA_EDIT)
def draw(camera_id: UUID) -> ResponseReturnValue:
    """Keep lanes and zones."""
    actor = current_actor()
    lanes, lane_errors = regions_of(request.form, "lane")
    zones, zone_errors = regions_of(request.form, "zone")
    errors = lane_errors | zone_errors
    if not errors:
        try:
            changes = {"lanes": lanes, "zones": zones}
            service.update_camera(actor, camera_id=camera_id, version=sent_version(), changes=changes)
            return redirect(url_for("cameras.show", camera_id=camera_id), 303)
        except Invalid as refusal:
            errors = refusal.errors
    return _drawing_page(service.get_camera(actor, camera_id=camera_id), errors), 422


@bp.post("/<uuid:camera_id>/reglas")
@requires(Permission.CAMERA_EDIT)
def switch_rules(camera_id: UUID) -> ResponseReturnValue:
    """Turn rules of the profile on and off."""
    actor = current_actor()
    camera = service.get_camera(actor, camera_id=camera_id)
    wanted = set(request.form.getlist("rule"))
    profile = [rule | {"enabled": rule["id"] in wanted} for rule in camera.profile]
    service.update_camera(actor, camera_id=camera_id, version=sent_version(), changes={"profile": profile})
    return redirect(url_for("cameras.show", camera_id=camera_id), 303)


@bp.post("/<uuid:camera_id>/mantenimiento")
@requires(Permission.CAMERA_EDIT)
def maintain(camera_id: UUID) -> ResponseReturnValue:
    """Put a camera out of service for a while, or back."""
    actor = current_actor()
    if request.form.get("finish"):
        service.set_maintenance(actor, camera_id=camera_id, version=sent_version(), until=None, reason="")
    else:
        form = MaintenanceForm.from_request()
        if not form.validate():
            raise Invalid("No se puso en mantenimiento.", errors=form.errors)
        service.set_maintenance(
            actor, camera_id=camera_id, version=sent_version(), until=form.until_at, reason=form.reason.data or ""
        )
    return redirect(url_for("cameras.show", camera_id=camera_id), 303)


@bp.post("/<uuid:camera_id>/baja")
@requires(Permission.CAMERA_EDIT)
def retire(camera_id: UUID) -> ResponseReturnValue:
    """Retire a camera."""
    service.decommission_camera(current_actor(), camera_id=camera_id, version=sent_version())
    return redirect(url_for("cameras.list_cameras"), 303)


def _form_page(form: CameraForm, camera: CameraView | None, errors: Any = None) -> str:
    title = f"Modificar {camera.name}" if camera else "Agregar una cámara"
    form.password.data = ""  # what was typed stays, except the secret
    return render_template(
        "monitoring/cameras/form.html", title=title, form=form, camera=camera, errors=errors or {}
    )


def _drawing_page(camera: CameraView, errors: Any = None) -> str:
    return render_template(
        "monitoring/cameras/drawings.html",
        title=f"Carriles y zonas de {camera.name}",
        camera=camera,
        lanes=region_rows(camera.lanes),
        zones=region_rows(camera.zones),
        errors=errors or {},
    )


def _rules(camera: CameraView) -> list[dict[str, Any]]:
    """The profile in words, with what each rule still waits for."""
    return [
        {
            "id": rule["id"], "text": in_words(rule), "enabled": rule.get("enabled", True),
            "waits_for": waits_for(rule, camera.lanes),
        }
        for rule in camera.profile
    ]  # fmt: skip


def _tile(camera: CameraView) -> dict[str, Any]:
    still = url_for("evidence_recordings.last_frame", camera_id=camera.id) if camera.state.last_frame_sha else ""
    return {
        "camera_id": camera.id, "name": camera.name, "key": "", "state": camera.state.state, "still_url": still,
        "since": None if camera.state.state == "maintenance" else camera.state.since,
    }  # fmt: skip


def _map(camera: CameraView) -> Any:
    """Where the camera stands; None without a position."""
    if camera.lat is None or camera.lon is None:
        return None
    point = MapCamera(
        str(camera.id), camera.name, camera.lat, camera.lon, camera.state.state, camera.state.label, camera.azimuth
    )
    return town(current_actor().tenant_slug, [point], centre=(camera.lat, camera.lon))
