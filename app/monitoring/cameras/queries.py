"""Reads of the camera inventory: one camera, pages of a list, counts, and what a node must know."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select

from app.kernel.db import session
from app.kernel.pagination import Page, decode_cursor, encode_cursor
from app.monitoring.cameras.models import Camera, CameraStateChange, CameraStateRow, CameraViewing
from app.monitoring.cameras.source import redact
from app.monitoring.cameras.types import CameraFilter, CameraName, CameraState, CameraView, DesiredCamera, StateChange

HISTORY = 50
_SAME = and_(CameraStateRow.tenant_id == Camera.tenant_id, CameraStateRow.camera_id == Camera.id)


def fold(text: str) -> str:
    """Lower case without accents: how names are stored to be searched."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).casefold().split())


def effective_state(now: datetime, silent: Collection[UUID]) -> ColumnElement[str]:
    """The state a person should read: the inventory's word first, then the silence of the node, then what the node said."""
    return case(
        (Camera.decommissioned_at.is_not(None), "decommissioned"),
        (Camera.source_kind == "none", "no_signal"),
        (Camera.maintenance_until > now, "maintenance"),
        (Camera.node_id.in_(silent), "no_link"),
        else_=func.coalesce(CameraStateRow.state, "unknown"),
    )


def _with_state(now: datetime, silent: Collection[UUID]) -> Select[Camera, CameraStateRow, str]:
    state = effective_state(now, silent).label("effective")
    return select(Camera, CameraStateRow, state).outerjoin(CameraStateRow, _SAME)


def camera_row(camera_id: UUID, *, lock: bool = False) -> Camera | None:
    """The row of a camera of the acting municipality."""
    statement = select(Camera).where(Camera.id == camera_id)
    return session().scalars(statement.with_for_update() if lock else statement).one_or_none()


def view(camera_id: UUID, *, now: datetime, silent: Collection[UUID]) -> CameraView | None:
    """One camera as screens show it."""
    row = session().execute(_with_state(now, silent).where(Camera.id == camera_id)).one_or_none()
    return None if row is None else _view(row, now)


def page(
    wanted: CameraFilter, *, now: datetime, silent: Collection[UUID], cursor: str | None, limit: int
) -> Page[CameraView]:
    """Cameras by code, after `cursor`."""
    statement = _with_state(now, silent).where(*_conditions(wanted, now, silent)).order_by(Camera.code, Camera.id)
    if cursor is not None:
        (code,) = decode_cursor(cursor, 1)
        statement = statement.where(Camera.code > code)
    rows = [_view(row, now) for row in session().execute(statement.limit(limit + 1))]
    return Page(rows[:limit], encode_cursor(rows[limit - 1].code) if len(rows) > limit else None)


def _conditions(wanted: CameraFilter, now: datetime, silent: Collection[UUID]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for word in fold(wanted.text).split()[:8]:
        found.append(Camera.search.contains(word, autoescape=True))
    if wanted.place:
        found.append(Camera.place == wanted.place)
    if wanted.kind:
        found.append(Camera.kind == wanted.kind)
    if wanted.state:
        found.append(effective_state(now, silent) == wanted.state)
    elif not wanted.with_decommissioned:
        found.append(Camera.decommissioned_at.is_(None))
    return found


def counts(*, now: datetime, silent: Collection[UUID]) -> dict[str, int]:
    """How many cameras are in each state a person reads."""
    state = effective_state(now, silent).label("effective")
    statement = select(state, func.count()).select_from(Camera).outerjoin(CameraStateRow, _SAME).group_by("effective")
    return {row[0]: row[1] for row in session().execute(statement)}


def live(*, now: datetime, silent: Collection[UUID]) -> list[CameraView]:
    """Cameras in service, by code: the tiles and the map of the console."""
    statement = _with_state(now, silent).where(Camera.decommissioned_at.is_(None)).order_by(Camera.code)
    return [_view(row, now) for row in session().execute(statement)]


def names(ids: Collection[UUID]) -> dict[UUID, CameraName]:
    """Names of those cameras that exist in the acting municipality."""
    columns = (Camera.id, Camera.name, Camera.code, Camera.place, Camera.lat, Camera.lon, Camera.is_demo,
               Camera.maintenance_from, Camera.maintenance_until)  # fmt: skip
    return {row.id: CameraName(*row) for row in session().execute(select(*columns).where(Camera.id.in_(set(ids))))}


def codes_like(prefix: str) -> list[str]:
    """Codes that start with `prefix`, decommissioned cameras included."""
    return list(session().scalars(select(Camera.code).where(Camera.code.startswith(prefix, autoescape=True))))


def history(camera_id: UUID) -> list[StateChange]:
    """The newest changes of state of a camera."""
    statement = select(CameraStateChange).where(CameraStateChange.camera_id == camera_id)
    newest = statement.order_by(CameraStateChange.since.desc(), CameraStateChange.id.desc()).limit(HISTORY)
    return [StateChange(row.state, row.since, row.error_code) for row in session().scalars(newest)]


def state_rows(ids: Collection[UUID]) -> dict[UUID, CameraStateRow]:
    """Stored states of those cameras, locked in one order so that two reports never wait for each other."""
    statement = select(CameraStateRow).where(CameraStateRow.camera_id.in_(set(ids))).order_by(CameraStateRow.camera_id)
    return {row.camera_id: row for row in session().scalars(statement.with_for_update())}


def of_node(node_id: UUID) -> set[UUID]:
    """Cameras that this node may speak of."""
    return set(session().scalars(select(Camera.id).where(Camera.node_id == node_id)))


def without_node() -> list[Camera]:
    """Cameras that wait for a node."""
    return list(session().scalars(select(Camera).where(Camera.node_id.is_(None), Camera.decommissioned_at.is_(None))))


def source_of(camera_id: UUID) -> DesiredCamera | None:
    """One camera as its node sees it; None when there is nothing to see."""
    row = camera_row(camera_id)
    if row is None or row.node_id is None or row.source_kind == "none" or row.decommissioned_at is not None:
        return None
    return _desired(row, row.node_id)


def desired(node_id: UUID) -> list[DesiredCamera]:
    """The cameras this node records and analyses, in a stable order."""
    statement = select(Camera).where(
        Camera.node_id == node_id, Camera.decommissioned_at.is_(None), Camera.source_kind != "none"
    )
    return [_desired(row, node_id) for row in session().scalars(statement.order_by(Camera.code))]


def viewing(view_id: UUID) -> CameraViewing | None:
    """A live view, open or ended."""
    return session().scalars(select(CameraViewing).where(CameraViewing.id == view_id).with_for_update()).one_or_none()


def open_views(*, session_key: str | None = None, ids: Collection[UUID] = ()) -> list[CameraViewing]:
    """Live views that have not ended, of one session or by id."""
    mine = CameraViewing.session_key == session_key if session_key is not None else CameraViewing.id.in_(set(ids))
    statement = select(CameraViewing).where(CameraViewing.ended_at.is_(None), mine).order_by(CameraViewing.id)
    return list(session().scalars(statement.with_for_update()))


def abandoned_views(before: datetime, limit: int = 500) -> list[CameraViewing]:
    """Open views nobody renewed since `before`."""
    statement = select(CameraViewing).where(CameraViewing.ended_at.is_(None), CameraViewing.renewed_at < before)
    return list(session().scalars(statement.order_by(CameraViewing.id).limit(limit).with_for_update(skip_locked=True)))


def last_frame(camera_id: UUID) -> str | None:
    """The digest of the newest snapshot of a camera of the acting municipality."""
    return session().scalar(select(CameraStateRow.last_frame_sha).where(CameraStateRow.camera_id == camera_id))


def _desired(row: Camera, node_id: UUID) -> DesiredCamera:
    return DesiredCamera(
        id=row.id, node_id=node_id, name=row.name, place=row.place, source_kind=row.source_kind, source_url=row.source_url,
        source_sealed=row.source_sealed, sub_url=row.sub_url, record=row.record, lanes=row.lanes, zones=row.zones,
        profile=row.profile,
    )  # fmt: skip


def _view(row: Row[Camera, CameraStateRow, str], now: datetime) -> CameraView:
    camera, stored, state = row
    until = camera.maintenance_until
    goes_on = until is not None and until > now
    return CameraView(
        id=camera.id, node_id=camera.node_id, code=camera.code, name=camera.name, place=camera.place, kind=camera.kind,
        ownership=camera.ownership, visibility=camera.visibility, street=camera.address_street,
        street_number=camera.address_number, between=camera.address_between, lat=camera.lat, lon=camera.lon,
        azimuth=camera.azimuth, fov_deg=camera.fov_deg, range_m=camera.range_m, source_kind=camera.source_kind,
        source=redact(camera.source_kind, camera.source_url), sub_source=redact(camera.source_kind, camera.sub_url),
        has_credentials=camera.source_sealed is not None, record=camera.record, is_demo=camera.is_demo,
        lanes=camera.lanes, zones=camera.zones, profile=camera.profile, config_version=camera.config_version,
        version=camera.version, maintenance_from=camera.maintenance_from if goes_on else None,
        maintenance_until=until if goes_on else None, maintenance_reason=camera.maintenance_reason if goes_on else "",
        maintenance_by=camera.maintenance_by if goes_on else "", created_at=camera.created_at,
        decommissioned_at=camera.decommissioned_at, state=_state(stored, state),
    )  # fmt: skip


def _state(stored: CameraStateRow | None, state: str) -> CameraState:
    if stored is None:
        return CameraState(state)
    return CameraState(
        state=state, since=stored.since, recording=stored.recording and state in {"online", "frozen", "dark"},
        analytics_state=stored.analytics_state, codec=stored.codec, width=stored.width, height=stored.height,
        fps=stored.fps, error_code=stored.error_code if state == stored.state else None,
        last_frame_sha=stored.last_frame_sha, last_frame_at=stored.last_frame_at,
    )  # fmt: skip
