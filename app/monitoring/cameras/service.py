"""The camera inventory: adding, changing and retiring cameras, asking for them, and what their nodes say of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit import service as audit
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import Invalid, StaleVersion
from app.kernel.events import publish
from app.kernel.ids import new_id
from app.kernel.pagination import DEFAULT_LIMIT, Page
from app.kernel.permissions import Permission
from app.kernel.ports import node_directory
from app.monitoring.cameras import drafts, queries
from app.monitoring.cameras.errors import CameraNotFound, CodeTaken, Decommissioned, NoNode, NotWatchable
from app.monitoring.cameras.events import CameraChanged
from app.monitoring.cameras.health import record_frame, report_states
from app.monitoring.cameras.models import Camera
from app.monitoring.cameras.profiles import default_profile
from app.monitoring.cameras.source import Source, SourcePolicy, as_text, check_source, redact, seal
from app.monitoring.cameras.types import (
    PLACES,
    CameraData,
    CameraFilter,
    CameraName,
    CameraView,
    DesiredCamera,
    StateChange,
)
from app.monitoring.cameras.viewing import (
    Grant,
    close_views,
    end_abandoned,
    end_views,
    frames_of,
    grant_stream,
    join_stream,
    last_frame,
    leave_stream,
    on_sessions_ended,
    open_view,
)
from app.settings import Settings
from tenants.core import service as municipalities

__all__ = [
    "Grant", "adopt_cameras", "as_text", "cameras_of_node", "checked_source", "close_views", "configure",
    "count_by_state", "create_camera", "decommission_camera", "desired_cameras", "end_abandoned", "end_views",
    "frames_of", "get_camera", "grant_stream", "history", "join_stream", "last_frame", "leave_stream", "list_cameras",
    "live_cameras", "names_by_id", "on_sessions_ended", "open_view", "record_frame", "report_states", "sealed_for_node",
    "set_maintenance", "source_to_check", "update_camera",
]  # fmt: skip

SILENT_AFTER = timedelta(seconds=30)
MAX_MAINTENANCE = timedelta(days=90)


class _Policy:
    sources = SourcePolicy()


def configure(settings: Settings) -> None:
    """Take from the settings which video addresses are admitted; called once by the factory."""
    _Policy.sources = SourcePolicy.from_settings(settings)


def create_camera(actor: Actor, *, data: CameraData) -> CameraView:
    """Add a camera with the default profile of its place. Raises `Invalid`, `CodeTaken` or `NoNode` (credentials need one)."""
    actor.require(Permission.CAMERA_EDIT)
    data = drafts.checked(data)
    source = _source(data)
    receiving = node_directory().receiving()
    camera = Camera(
        id=new_id(), node_id=receiving.node_id if receiving else None, created_at=clock.now(),
        code=data.code or _free_code(actor, data), lanes=data.lanes or [], zones=data.zones or [],
        profile=default_profile(data.place) if data.profile is None else data.profile, config_version=1, version=1,
        is_demo=data.is_demo, maintenance_reason="",
    )  # fmt: skip
    _write(camera, data)
    _set_source(camera, source)
    _insert(camera)
    audit.record("room:camera:create", str(camera.id), **_told(camera))
    publish(CameraChanged(camera.id, camera.node_id))
    return get_camera(actor, camera_id=camera.id)


def update_camera(actor: Actor, *, camera_id: UUID, version: int, changes: Mapping[str, Any]) -> CameraView:
    """Change the given fields of a camera. Raises `CameraNotFound`, `StaleVersion`, `Invalid`, `CodeTaken` or `NoNode`."""
    actor.require(Permission.CAMERA_EDIT)
    camera = _locked(camera_id, version)
    data = drafts.checked(drafts.merged(_data_of(camera), changes))
    before = _told(camera)
    was_default = camera.profile == default_profile(camera.place)
    if data.profile is not None:
        camera.profile = data.profile
    elif was_default and data.place != camera.place:
        camera.profile = default_profile(data.place)
    camera.code = data.code or camera.code
    camera.lanes = camera.lanes if data.lanes is None else data.lanes
    camera.zones = camera.zones if data.zones is None else data.zones
    _write(camera, data)
    if changes.keys() & {"source_url", "sub_url", "username", "password"}:
        _set_source(camera, _source(data))
    _touch(camera, analysed=bool(changes.keys() - {"azimuth", "fov_deg", "range_m", "lat", "lon"}))
    _flush(camera)
    audit.record("room:camera:edit", str(camera.id), antes=before, despues=_told(camera), campos=sorted(changes))
    publish(CameraChanged(camera.id, camera.node_id))
    return get_camera(actor, camera_id=camera_id)


def set_maintenance(actor: Actor, *, camera_id: UUID, version: int, until: datetime | None, reason: str) -> CameraView:
    """Put a camera in maintenance until then, or back in service (`until` None). Raises `Invalid` without a reason.

    Its node records and analyses on, so that nobody has to tell it when the time is over: here nothing is alarmed meanwhile.
    """
    actor.require(Permission.CAMERA_EDIT)
    camera = _locked(camera_id, version)
    reason = " ".join(reason.split())
    if until is not None:
        if not clock.now() < until <= clock.now() + MAX_MAINTENANCE:
            raise Invalid(errors={"until": ["Una fecha futura, dentro de los próximos 90 días."]})
        if not 5 <= len(reason) <= 300:
            raise Invalid(errors={"reason": ["Escribir el motivo, de 5 a 300 caracteres."]})
    camera.maintenance_from = clock.now() if until else None
    camera.maintenance_until = until
    camera.maintenance_reason = reason if until else ""
    camera.maintenance_by = (actor.display_name or actor.user_id) if until else ""
    _touch(camera, analysed=False)
    audit.record("room:camera:maintain", str(camera.id), hasta=until, motivo=reason)
    return get_camera(actor, camera_id=camera_id)


def decommission_camera(actor: Actor, *, camera_id: UUID, version: int) -> CameraView:
    """Retire a camera: it is no longer recorded nor analysed; its row, footage and alarms stay."""
    actor.require(Permission.CAMERA_EDIT)
    camera = _locked(camera_id, version)
    camera.decommissioned_at = clock.now()
    camera.source_sealed = None
    _touch(camera, analysed=True)
    audit.record("room:camera:retire", str(camera.id), codigo=camera.code)
    publish(CameraChanged(camera.id, camera.node_id))
    return get_camera(actor, camera_id=camera_id)


def get_camera(actor: Actor, *, camera_id: UUID) -> CameraView:
    """One camera of the acting municipality. Raises `CameraNotFound`."""
    _may_read(actor)
    found = queries.view(camera_id, now=clock.now(), silent=_silent())
    if found is None:
        raise CameraNotFound("Puede haber sido cargada en otro municipio.")
    return found


def list_cameras(
    actor: Actor, *, wanted: CameraFilter | None = None, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[CameraView]:
    """Cameras by code, a page after `cursor`."""
    actor.require(Permission.CAMERA_READ)
    return queries.page(wanted or CameraFilter(), now=clock.now(), silent=_silent(), cursor=cursor, limit=limit)


def live_cameras(actor: Actor) -> list[CameraView]:
    """Every camera in service, for the tiles and the map of the console."""
    actor.require(Permission.CAMERA_READ)
    return queries.live(now=clock.now(), silent=_silent())


def count_by_state(actor: Actor) -> dict[str, int]:
    """How many cameras are in each state, derived states included."""
    actor.require(Permission.CAMERA_READ)
    return queries.counts(now=clock.now(), silent=_silent())


def names_by_id(actor: Actor, ids: Collection[UUID]) -> dict[UUID, CameraName]:
    """What those cameras are called; unknown and foreign ids are simply absent."""
    return queries.names(ids) if ids else {}


def history(actor: Actor, *, camera_id: UUID) -> list[StateChange]:
    """The newest changes of state of a camera."""
    actor.require(Permission.CAMERA_READ)
    return queries.history(camera_id)


def desired_cameras(actor: Actor, *, node_id: UUID) -> list[DesiredCamera]:
    """What a node must record and analyse, credentials sealed."""
    return queries.desired(node_id)


def source_to_check(actor: Actor, *, camera_id: UUID) -> DesiredCamera:
    """The source of one camera, credentials sealed. Raises `CameraNotFound` or `NotWatchable`."""
    get_camera(actor, camera_id=camera_id)
    found = queries.source_of(camera_id)
    if found is None:
        raise NotWatchable("No tiene una fuente de video en un nodo de este municipio.")
    return found


def cameras_of_node(actor: Actor, *, node_id: UUID) -> set[UUID]:
    """The cameras a node may speak of."""
    return queries.of_node(node_id)


def adopt_cameras(actor: Actor, *, node_id: UUID) -> int:
    """Give the cameras that wait for a node to this one; returns how many."""
    waiting = queries.without_node()
    for camera in waiting:
        camera.node_id = node_id
    return len(waiting)


def checked_source(actor: Actor, *, data: CameraData) -> Source:
    """The source a person wants to try, checked as if it were to be kept. Raises `Invalid`."""
    actor.require(Permission.CAMERA_EDIT)
    return _source(data)


def sealed_for_node(source: Source, *, camera_id: UUID) -> bytes | None:
    """The credentials of `source` for the receiving node, or None when it has none. Raises `NoNode`."""
    if not source.credentials:
        return None
    receiving = node_directory().receiving()
    if receiving is None:
        raise NoNode("Las claves de una cámara se cifran para su nodo: dar de alta el nodo y volver a intentar.")
    tenant = municipalities.own().uuid
    return seal(source.credentials, node_key=receiving.seal_public_key, tenant=tenant, camera_id=camera_id)


def _source(data: CameraData) -> Source:
    return check_source(
        _Policy.sources, data.source_url or "", sub_url=data.sub_url, username=data.username, password=data.password
    )


def _set_source(camera: Camera, source: Source) -> None:
    camera.source_kind, camera.source_url, camera.sub_url = source.kind, source.url, source.sub_url
    camera.source_sealed = sealed_for_node(source, camera_id=camera.id)


def _data_of(camera: Camera) -> CameraData:
    return CameraData(
        name=camera.name, place=camera.place, kind=camera.kind, code=camera.code, ownership=camera.ownership,
        visibility=camera.visibility, street=camera.address_street, street_number=camera.address_number,
        between=camera.address_between, lat=camera.lat, lon=camera.lon, azimuth=camera.azimuth,
        fov_deg=camera.fov_deg, range_m=camera.range_m, source_url=camera.source_url, sub_url=camera.sub_url,
        record=camera.record, is_demo=camera.is_demo,
    )  # fmt: skip


def _write(camera: Camera, data: CameraData) -> None:
    camera.name, camera.place, camera.kind = data.name, data.place, data.kind
    camera.ownership, camera.visibility, camera.record = data.ownership, data.visibility, data.record
    camera.address_street, camera.address_number, camera.address_between = data.street, data.street_number, data.between
    camera.lat, camera.lon = data.lat, data.lon
    camera.azimuth, camera.fov_deg, camera.range_m = data.azimuth, data.fov_deg, data.range_m
    words = (data.name, camera.code, data.street, data.street_number, data.between, PLACES[data.place])
    camera.search = queries.fold(" ".join(words))


def _told(camera: Camera) -> dict[str, Any]:
    """What the record says of a camera: never its credentials nor the path of its video."""
    return {
        "codigo": camera.code, "nombre": camera.name, "lugar": camera.place, "tipo": camera.kind,
        "origen": redact(camera.source_kind, camera.source_url), "graba": camera.record, "protegida": camera.visibility,
    }  # fmt: skip


def _locked(camera_id: UUID, version: int) -> Camera:
    camera = queries.camera_row(camera_id, lock=True)
    if camera is None:
        raise CameraNotFound("Puede haber sido cargada en otro municipio.")
    if camera.version != version:
        raise StaleVersion("Volver a abrir la cámara y repetir el cambio.", version=camera.version)
    if camera.decommissioned_at is not None:
        raise Decommissioned("Sus datos se conservan para las alarmas y las grabaciones, y ya no se modifican.")
    return camera


def _touch(camera: Camera, *, analysed: bool) -> None:
    camera.version += 1
    if analysed:
        camera.config_version += 1


def _free_code(actor: Actor, data: CameraData) -> str:
    prefix = drafts.code_prefix(municipalities.own().slug, data)
    return drafts.next_code(prefix, queries.codes_like(f"{prefix}-"))


def _insert(camera: Camera) -> None:
    session().add(camera)
    _flush(camera)


def _flush(camera: Camera) -> None:
    try:
        session().flush()  # the unique code must be known to be free before the record says it was taken
    except IntegrityError as error:
        if "uq_cameras" in str(error.orig):
            raise CodeTaken(f"El código {camera.code} es de otra cámara: elegir otro.") from None
        raise


def _silent() -> set[UUID]:
    """Nodes that spoke once and are quiet now."""
    before = clock.now() - SILENT_AFTER
    return {node_id for node_id, seen in node_directory().last_seen().items() if seen is not None and seen < before}


def _may_read(actor: Actor) -> None:
    """A node and the parts of the product read cameras without the permission of people."""
    if actor.kind not in {"node", "system", "service"}:
        actor.require(Permission.CAMERA_READ)
