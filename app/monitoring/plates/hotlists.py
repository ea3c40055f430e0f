"""Search lists: made and changed by supervisors, filled by file or one by one, revocations first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.audit import service as audit
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import Invalid, StaleVersion
from app.kernel.ids import new_id
from app.kernel.pagination import Page
from app.kernel.permissions import Permission
from app.monitoring.alarms import service as alarms
from app.monitoring.plates import hotlist_import, plate_text, queries
from app.monitoring.plates.errors import HotlistNameTaken, HotlistNotFound, HotlistTooLargeForTolerance
from app.monitoring.plates.models import Hotlist, HotlistEntry, HotPlate
from app.monitoring.plates.types import LIST_KINDS, LIST_ORIGINS, NEAR_LIMIT, EntryData, ImportPlan

_DATA = tuple(field.name for field in fields(EntryData))
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class HotlistView:
    """A list as screens and the API show it."""

    id: UUID
    name: str
    origin: str
    kind: str
    severity: int | None
    tolerant: bool
    refresh_hours: int | None
    source_version: str
    version: int
    is_demo: bool
    updated_at: datetime
    plates: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class HotlistData:
    """What a person decides about a list."""

    name: str
    kind: str
    origin: str = "local"
    severity: int | None = None
    tolerant: bool = False
    refresh_hours: int | None = None
    source_version: str = ""


def list_hotlists(actor: Actor, *, cursor: str | None, limit: int) -> Page[HotlistView]:
    actor.require(Permission.HOTLIST_READ)
    page = queries.hotlist_page(cursor, limit)
    return Page([_view(hotlist, count) for hotlist, count in page.items], page.cursor)


def get_hotlist(actor: Actor, *, hotlist_id: UUID) -> HotlistView:
    actor.require(Permission.HOTLIST_READ)
    hotlist = _get(hotlist_id)
    return _view(hotlist, queries.plates_in_force(hotlist_id))


def list_entries(
    actor: Actor, *, hotlist_id: UUID, prefix: str = "", cursor: str | None = None, limit: int = 50
) -> Page[HotlistEntry]:
    """Entries by plate, revoked ones included. Raises `HotlistNotFound`."""
    actor.require(Permission.HOTLIST_READ)
    _get(hotlist_id)
    return queries.entry_page(hotlist_id, prefix=plate_text.normalise(prefix), cursor=cursor, limit=limit)


def create_hotlist(actor: Actor, *, data: HotlistData, is_demo: bool = False) -> HotlistView:
    """Make an empty list. Raises `Invalid` or `HotlistNameTaken`."""
    actor.require(Permission.HOTLIST_EDIT)
    _check(data)
    now = clock.now()
    hotlist = Hotlist(
        id=new_id(),
        version=1,
        is_demo=is_demo,
        created_at=now,
        updated_at=now,
        **{f: getattr(data, f) for f in _DECIDED},
    )
    _refuse_taken_name(data.name, None)
    session().add(hotlist)
    audit.record("plates:hotlist:create", f"lista:{hotlist.id}", nombre=data.name, tipo=data.kind)
    return _view(hotlist, 0)


def update_hotlist(actor: Actor, *, hotlist_id: UUID, version: int, data: HotlistData) -> HotlistView:
    """Change what the list is. Raises `StaleVersion` when somebody else did since `version`."""
    actor.require(Permission.HOTLIST_EDIT)
    _check(data)
    hotlist = _lock(hotlist_id, version)
    count = queries.plates_in_force(hotlist_id)
    _refuse_large_tolerance(tolerant=data.tolerant, count=count)
    _refuse_taken_name(data.name, hotlist_id)
    before = {name: getattr(hotlist, name) for name in _DECIDED}
    for name in _DECIDED:
        setattr(hotlist, name, getattr(data, name))
    hotlist.version += 1
    changed = {name: [before[name], getattr(data, name)] for name in _DECIDED if before[name] != getattr(data, name)}
    audit.record("plates:hotlist:update", f"lista:{hotlist_id}", cambios=changed)
    return _view(hotlist, count)


def preview_csv(actor: Actor, *, hotlist_id: UUID, data: bytes) -> ImportPlan:
    """What importing this file would do; nothing is changed."""
    actor.require(Permission.HOTLIST_EDIT)
    _get(hotlist_id)
    return _plan(hotlist_id, *hotlist_import.read_csv(data, clock.now()))


def import_csv(actor: Actor, *, hotlist_id: UUID, data: bytes, version: int | None = None) -> ImportPlan:
    """Apply a file: its good rows are stored, its bad ones reported. Raises `StaleVersion` against a previewed `version`."""
    actor.require(Permission.HOTLIST_EDIT)
    hotlist = _lock(hotlist_id, version)
    return _apply(actor, hotlist, _plan(hotlist_id, *hotlist_import.read_csv(data, clock.now())), "csv")


def put_entries(actor: Actor, *, hotlist_id: UUID, items: Sequence[Any], dry_run: bool = False) -> ImportPlan:
    """Add or change entries given as objects with the column names; bad ones are reported and the rest stored."""
    actor.require(Permission.HOTLIST_EDIT)
    hotlist = _lock(hotlist_id, None)
    plan = _plan(hotlist_id, *hotlist_import.read_json(items, clock.now()))
    return plan if dry_run else _apply(actor, hotlist, plan, "json")


_DECIDED = tuple(field.name for field in fields(HotlistData))


def _check(data: HotlistData) -> None:
    errors: dict[str, list[str]] = {}
    if not 3 <= len(data.name) <= 120:
        errors["name"] = ["El nombre debe tener entre 3 y 120 caracteres."]
    if data.kind not in LIST_KINDS:
        errors["kind"] = ["El tipo de lista no existe."]
    if data.origin not in LIST_ORIGINS:
        errors["origin"] = ["El origen debe ser local, provincial o nacional."]
    if data.severity is not None and not 1 <= data.severity <= 4:
        errors["severity"] = ["La prioridad va de 1 a 4."]
    if data.refresh_hours is not None and not 1 <= data.refresh_hours <= 8_760:
        errors["refresh_hours"] = ["La actualización va de 1 a 8760 horas."]
    if errors:
        raise Invalid(errors=errors)


def _get(hotlist_id: UUID) -> Hotlist:
    hotlist = queries.hotlist(hotlist_id)
    if hotlist is None:
        raise HotlistNotFound
    return hotlist


def _lock(hotlist_id: UUID, version: int | None) -> Hotlist:
    hotlist = queries.hotlist(hotlist_id, lock=True)
    if hotlist is None:
        raise HotlistNotFound
    if version is not None and hotlist.version != version:
        raise StaleVersion("La lista cambió desde que la abriste.", version=hotlist.version, yours=version)
    return hotlist


def _refuse_taken_name(name: str, own_id: UUID | None) -> None:
    taken = session().scalar(select(Hotlist.id).where(Hotlist.name == name))
    if taken is not None and taken != own_id:
        raise HotlistNameTaken(f"Ya existe «{name}».")


def _refuse_large_tolerance(*, tolerant: bool, count: int) -> None:
    if tolerant and count > NEAR_LIMIT:
        raise HotlistTooLargeForTolerance(f"La lista tiene {count} patentes.")


def _view(hotlist: Hotlist, plates: int) -> HotlistView:
    age = clock.now() - hotlist.updated_at
    return HotlistView(
        id=hotlist.id,
        name=hotlist.name,
        origin=hotlist.origin,
        kind=hotlist.kind,
        severity=hotlist.severity,
        tolerant=hotlist.tolerant,
        refresh_hours=hotlist.refresh_hours,
        source_version=hotlist.source_version,
        version=hotlist.version,
        is_demo=hotlist.is_demo,
        updated_at=hotlist.updated_at,
        plates=plates,
        is_stale=hotlist.refresh_hours is not None and age.total_seconds() > hotlist.refresh_hours * 3_600,
    )


def _plan(hotlist_id: UUID, incoming: list[EntryData], errors: list[Any]) -> ImportPlan:
    stored = {
        (row.plate, row.case_no): EntryData(**{name: getattr(row, name) for name in _DATA})
        for plates in _chunks(sorted({entry.plate for entry in incoming}))
        for row in queries.entries_of(hotlist_id, plates)
    }
    return hotlist_import.plan(incoming, stored, errors)


def _apply(actor: Actor, hotlist: Hotlist, plan: ImportPlan, source: str) -> ImportPlan:
    """Store a plan, revocations first, and say on open alarms which entries stopped being in force."""
    now = clock.now()
    written = [entry for part in (plan.revoked, plan.changed, plan.added) for entry in part]
    if written:
        _write(hotlist.id, plan.revoked, now)
        alarms.mark_entries_revoked(actor, entry_ids=_ids(hotlist.id, plan.revoked), at=now)
        _write(hotlist.id, [*plan.changed, *plan.added], now)
    _refuse_large_tolerance(tolerant=hotlist.tolerant, count=queries.plates_in_force(hotlist.id))
    hotlist.updated_at = now
    hotlist.version += 1
    audit.record(
        "plates:hotlist:import",
        f"lista:{hotlist.id}",
        origen=source,
        revocadas=len(plan.revoked),
        altas=len(plan.added),
        cambios=len(plan.changed),
        sin_cambios=plan.unchanged,
        rechazadas=len(plan.errors),
    )
    return plan


def _write(hotlist_id: UUID, entries: Sequence[EntryData], now: datetime) -> None:
    """Insert or replace entries and put the plates in force right, in chunks the server parses fast."""
    for chunk in _chunks(sorted(entries, key=lambda entry: entry.key)):
        rows = [
            {"id": new_id(), "hotlist_id": hotlist_id, "created_at": now, "updated_at": now}
            | {name: getattr(entry, name) for name in _DATA}
            for entry in chunk
        ]
        new = insert(HotlistEntry).values(rows)
        replaced = {name: new.excluded[name] for name in (*_DATA, "updated_at")}
        written = (
            session()
            .execute(
                new.on_conflict_do_update(
                    index_elements=["tenant_id", "hotlist_id", "plate", "case_no"], set_=replaced
                ).returning(HotlistEntry.id, HotlistEntry.plate, HotlistEntry.revoked_at)
            )
            .all()
        )
        session().execute(delete(HotPlate).where(HotPlate.entry_id.in_([row.id for row in written])))
        live = [
            {"plate": row.plate, "entry_id": row.id, "hotlist_id": hotlist_id}
            for row in written
            if row.revoked_at is None
        ]
        if live:
            session().execute(insert(HotPlate).values(live))


def _ids(hotlist_id: UUID, entries: Iterable[EntryData]) -> list[UUID]:
    keys = {entry.key for entry in entries}
    plates = {plate for plate, _ in keys}
    return [
        row.id
        for chunk in _chunks(sorted(plates))
        for row in queries.entries_of(hotlist_id, chunk)
        if (row.plate, row.case_no) in keys
    ]


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
