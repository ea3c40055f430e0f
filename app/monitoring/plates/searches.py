"""Searching readings: always with a reason, recorded before any result leaves, once per search and not once per page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.audit import service as audit
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.kernel.pagination import decode_cursor, encode_cursor
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import autonomous_unit
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import CameraName
from app.monitoring.plates import pattern, queries, search
from app.monitoring.plates.errors import SearchNotFound
from app.monitoring.plates.models import PlateRead, PlateSearch
from app.monitoring.plates.types import DEFAULT_WINDOW, FoundRead, SearchQuery

LIFETIME = timedelta(hours=1)
SIGHTINGS = timedelta(hours=24)
EXPORT_LIMIT = 5_000
ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "Instante (UTC-3)",
    "Patente",
    "Formato",
    "Cámara",
    "Código",
    "Confianza",
    "Consenso",
    "Sentido",
    "En lista",
)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Results of an open search; `is_broad` warns that the wildcard matched more plates than were looked at."""

    search_id: UUID
    query: SearchQuery
    reason: str
    items: list[FoundRead]
    cursor: str | None
    is_broad: bool


def make_query(
    plate: str, seen_from: datetime | None, seen_until: datetime | None, camera_id: UUID | None
) -> SearchQuery:
    """A checked query; without an interval, the last 30 days. Raises `Invalid`."""
    text = pattern.parse(plate).text
    until = (seen_until or clock.now() + timedelta(minutes=2)).astimezone(UTC)
    since = (seen_from or until - DEFAULT_WINDOW).astimezone(UTC)
    if since > until:
        raise Invalid(errors={"from": ["El comienzo del intervalo es posterior al final."]})
    return SearchQuery(text, since, until, camera_id)


def open_search(actor: Actor, *, query: SearchQuery, reason: str, limit: int) -> SearchPage:
    """Make a search and its first page. Search and audit entry commit by themselves, before the caller can show anything."""
    actor.require(Permission.PLATE_READ_SEARCH)
    found = search.find(query, None, limit)
    opened = PlateSearch(
        id=new_id(), opened_at=clock.now(), user_id=actor.user_id, reason=reason, query=query.as_json()
    )
    with autonomous_unit(actor):
        session().add(opened)
        audit.record(
            "plates:read:search",
            f"busqueda:{opened.id}",
            motivo=reason,
            consulta=query.as_json(),
            resultados=len(found.rows),
            hay_mas=found.cursor is not None,
        )
    return _page(actor, opened, query, found)


def continue_search(actor: Actor, *, cursor: str, query: SearchQuery | None, limit: int) -> SearchPage:
    """The page after `cursor`, which names its search. Raises `SearchNotFound` for another's or one over an hour old."""
    search_id, seen_at, read_id = decode_cursor(cursor, 3)
    return results(
        actor, search_id=_search_id(search_id), after=encode_cursor(seen_at, read_id), limit=limit, asked=query
    )


def results(
    actor: Actor, *, search_id: UUID, after: str | None, limit: int, asked: SearchQuery | None = None
) -> SearchPage:
    """A page of an open search. `asked` guards against a cursor used with another plate or camera."""
    actor.require(Permission.PLATE_READ_SEARCH)
    opened = _get(actor, search_id)
    query = SearchQuery.from_json(opened.query)
    if asked is not None and (asked.plate, asked.camera_id) != (query.plate, query.camera_id):
        raise SearchNotFound("El cursor pertenece a otra búsqueda: volver a pedir la primera página.")
    return _page(actor, opened, query, search.find(query, after, limit))


def export(actor: Actor, *, search_id: UUID) -> Iterator[str]:
    """The results as CSV for spreadsheets (`;`, BOM), newest first. The export is recorded apart from the search."""
    actor.require(Permission.PLATE_READ_SEARCH)
    opened = _get(actor, search_id)
    query = SearchQuery.from_json(opened.query)
    found = search.find(query, None, EXPORT_LIMIT)
    page = _page(actor, opened, query, found)
    audit.record(
        "plates:read:export",
        f"busqueda:{search_id}",
        motivo=opened.reason,
        filas=len(page.items),
        cortado=bool(found.cursor),
    )
    return _as_csv(page.items)


def earlier_sightings(actor: Actor, *, plate: str, before: datetime, limit: int = 3) -> list[tuple[datetime, str]]:
    """Where a plate that raised an alarm was read in the 24 hours before it: part of its verification, not a search."""
    actor.require(Permission.ALARM_VERIFY)
    found = queries.sightings(plate, before - SIGHTINGS, before, limit)
    names = cameras.names_by_id(actor, {camera_id for _, camera_id in found})
    return [(seen_at, names[camera_id].name) for seen_at, camera_id in found if camera_id in names]


def _get(actor: Actor, search_id: UUID) -> PlateSearch:
    opened = session().get(PlateSearch, (actor.tenant_id, search_id))
    if opened is None or opened.user_id != actor.user_id or clock.now() - opened.opened_at > LIFETIME:
        raise SearchNotFound("Volver a buscar, con su motivo.")
    return opened


def _search_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise SearchNotFound("Volver a buscar, con su motivo.") from None


def _page(actor: Actor, opened: PlateSearch, query: SearchQuery, found: search.Found) -> SearchPage:
    names = cameras.names_by_id(actor, {read.camera_id for read, _ in found.rows})
    items = [_found(read, names.get(read.camera_id), is_hit) for read, is_hit in found.rows]
    cursor = encode_cursor(opened.id, *decode_cursor(found.cursor, 2)) if found.cursor else None
    return SearchPage(opened.id, query, opened.reason, items, cursor, found.is_broad)


def _found(read: PlateRead, camera: CameraName | None, is_hit: bool) -> FoundRead:
    return FoundRead(
        client_id=read.id,
        seen_at=read.seen_at,
        camera_id=read.camera_id,
        camera_name=camera.name if camera else "",
        camera_code=camera.code if camera else "",
        plate=read.plate,
        raw=read.raw,
        format=read.format,
        country=read.country,
        confidence=round(read.confidence, 4),
        consensus=read.consensus,
        char_conf=read.char_conf,
        crop_sha=read.crop_sha,
        image_sha=read.image_sha,
        direction=read.direction,
        source=read.source,
        is_hit=is_hit,
    )


def _as_csv(items: list[FoundRead]) -> Iterator[str]:
    yield "\ufeff"
    for row in (_COLUMNS, *map(_row, items)):
        line = io.StringIO()
        csv.writer(line, delimiter=";", lineterminator="\r\n").writerow(map(_inert, row))
        yield line.getvalue()


def _row(read: FoundRead) -> tuple[str, ...]:
    return (
        f"{read.seen_at.astimezone(ZONE):%d/%m/%Y %H:%M:%S}",
        read.plate,
        read.format,
        read.camera_name,
        read.camera_code,
        f"{read.confidence:.2f}".replace(".", ","),
        {"strong": "fuerte", "weak": "débil", "single": "única"}[read.consensus],
        read.direction or "",
        "sí" if read.is_hit else "no",
    )


def _inert(cell: str) -> str:
    """A cell that a spreadsheet will not run as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
