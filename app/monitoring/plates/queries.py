"""Reads of the plates area: what lists, cards and matching ask of the tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_

from app.kernel.db import session
from app.kernel.pagination import Page, decode_cursor, encode_cursor
from app.monitoring.plates.intake import Key
from app.monitoring.plates.models import Hotlist, HotlistEntry, HotPlate, PlateHit, PlateRead
from app.monitoring.plates.types import EntrySnapshot, Read


def in_force(at: datetime) -> ColumnElement[bool]:
    """Entries that neither wait for their first day, nor expired, nor were revoked."""
    return and_(
        HotlistEntry.revoked_at.is_(None),
        or_(HotlistEntry.valid_from.is_(None), HotlistEntry.valid_from <= at),
        or_(HotlistEntry.expires_at.is_(None), HotlistEntry.expires_at > at),
    )


def entries_in_force(entry_ids: Collection[UUID], at: datetime) -> dict[UUID, UUID]:
    """List of each of these entries that is in force."""
    rows = session().execute(
        select(HotlistEntry.id, HotlistEntry.hotlist_id).where(HotlistEntry.id.in_(entry_ids), in_force(at))
    )
    return dict(rows.all())


def entry_snapshot(entry_id: UUID) -> EntrySnapshot:
    """The entry with its list, as the room will see it."""
    entry, hotlist = (
        session()
        .execute(
            select(HotlistEntry, Hotlist)
            .join(Hotlist, and_(Hotlist.tenant_id == HotlistEntry.tenant_id, Hotlist.id == HotlistEntry.hotlist_id))
            .where(HotlistEntry.id == entry_id)
        )
        .one()
    )
    words = (entry.make, entry.model, entry.colour, entry.vehicle_type)
    return EntrySnapshot(
        plate=entry.plate,
        kind=hotlist.kind,
        severity=entry.severity or hotlist.severity,
        list_id=hotlist.id,
        list_name=hotlist.name,
        list_origin=hotlist.origin,
        list_version=entry.source_version or hotlist.source_version,
        list_updated_at=hotlist.updated_at,
        refresh_hours=hotlist.refresh_hours,
        vehicle=" ".join(word for word in words if word),
        reason=entry.reason,
        authority=entry.authority,
        legal_basis=entry.legal_basis,
        case_no=entry.case_no,
        instructions=entry.instructions,
        valid_from=entry.valid_from,
        expires_at=entry.expires_at,
        revoked_at=entry.revoked_at,
    )


def lock_pending_hit(hit_id: UUID) -> PlateHit | None:
    """The hit, locked, when it still waits for its alarm and nobody else is raising it."""
    return session().scalar(
        select(PlateHit).where(PlateHit.id == hit_id, PlateHit.state == "pending").with_for_update(skip_locked=True)
    )


def tolerant_version() -> str:
    """What changes whenever the tolerant lists or their entries do; empty without one."""
    rows = session().execute(select(Hotlist.id, Hotlist.version).where(Hotlist.tolerant).order_by(Hotlist.id))
    return " ".join(f"{hotlist_id}:{version}" for hotlist_id, version in rows)


def tolerant_entries() -> dict[str, tuple[UUID, ...]]:
    """Entry ids by plate of all tolerant lists."""
    rows = session().execute(
        select(HotPlate.plate, func.array_agg(HotPlate.entry_id))
        .join(Hotlist, and_(Hotlist.tenant_id == HotPlate.tenant_id, Hotlist.id == HotPlate.hotlist_id))
        .where(Hotlist.tolerant)
        .group_by(HotPlate.plate)
    )
    return {plate: tuple(entry_ids) for plate, entry_ids in rows}


def reads_by_key(keys: Sequence[Key]) -> list[Read]:
    """The stored readings of these keys."""
    rows = session().scalars(
        select(PlateRead).where(
            PlateRead.seen_at.in_({seen_at for _, seen_at in keys}),
            tuple_(PlateRead.id, PlateRead.seen_at).in_(keys),
        )
    )
    return [_as_read(row) for row in rows]


def _as_read(row: PlateRead) -> Read:
    return Read(
        id=row.id,
        camera_id=row.camera_id,
        seen_at=row.seen_at,
        plate=row.plate,
        confidence=row.confidence,
        consensus=row.consensus,  # type: ignore[arg-type]  # the table's CHECK holds it to the three values
        source=row.source,  # type: ignore[arg-type]  # same
        raw=row.raw or row.plate,
        format=row.format,
        country=row.country,
        char_conf=[(char, p) for char, p in row.char_conf or ()],
        crop_sha=row.crop_sha,
        image_sha=row.image_sha,
        direction=row.direction,
    )


def hotlist_page(cursor: str | None, limit: int) -> Page[tuple[Hotlist, int]]:
    """Lists by name with how many plates they have in force."""
    counts = select(HotPlate.hotlist_id, func.count().label("n")).group_by(HotPlate.hotlist_id).subquery()
    query = (
        select(Hotlist, func.coalesce(counts.c.n, 0))
        .outerjoin(counts, counts.c.hotlist_id == Hotlist.id)
        .order_by(Hotlist.name)
        .limit(limit + 1)
    )
    if cursor:
        query = query.where(Hotlist.name > decode_cursor(cursor, 1)[0])
    rows = [(hotlist, count) for hotlist, count in session().execute(query)]
    return Page(rows[:limit], encode_cursor(rows[limit - 1][0].name) if len(rows) > limit else None)


def hotlist(hotlist_id: UUID, *, lock: bool = False) -> Hotlist | None:
    query = select(Hotlist).where(Hotlist.id == hotlist_id)
    return session().scalar(query.with_for_update() if lock else query)


def plates_in_force(hotlist_id: UUID) -> int:
    """How many plates of the list the intake matches."""
    return session().scalar(select(func.count()).select_from(HotPlate).where(HotPlate.hotlist_id == hotlist_id)) or 0


def entry_page(hotlist_id: UUID, *, prefix: str, cursor: str | None, limit: int) -> Page[HotlistEntry]:
    """Entries of a list by plate, perhaps only those that begin with `prefix`."""
    query = (
        select(HotlistEntry)
        .where(HotlistEntry.hotlist_id == hotlist_id)
        .order_by(HotlistEntry.plate, HotlistEntry.case_no)
        .limit(limit + 1)
    )
    if prefix:
        query = query.where(HotlistEntry.plate.op("^@")(prefix))
    if cursor:
        query = query.where(tuple_(HotlistEntry.plate, HotlistEntry.case_no) > decode_cursor(cursor, 2))
    rows = list(session().scalars(query))
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], encode_cursor(last.plate, last.case_no) if last else None)


def entries_of(hotlist_id: UUID, plates: Collection[str]) -> list[HotlistEntry]:
    """The list's entries of these plates."""
    return list(
        session().scalars(
            select(HotlistEntry)
            .where(HotlistEntry.hotlist_id == hotlist_id, HotlistEntry.plate.in_(sorted(plates)))
            .order_by(HotlistEntry.plate, HotlistEntry.case_no)
        )
    )


def recent_hits(limit: int) -> list[tuple[PlateHit, str]]:
    """The newest hits with the name of their list."""
    rows = session().execute(
        select(PlateHit, Hotlist.name)
        .join(Hotlist, and_(Hotlist.tenant_id == PlateHit.tenant_id, Hotlist.id == PlateHit.hotlist_id))
        .order_by(PlateHit.seen_at.desc())
        .limit(limit)
    )
    return [(hit, name) for hit, name in rows]


def sightings(plate: str, since: datetime, until: datetime, limit: int) -> list[tuple[datetime, UUID]]:
    """When and by which camera a plate was read, newest first."""
    rows = session().execute(
        select(PlateRead.seen_at, PlateRead.camera_id)
        .where(PlateRead.plate == plate, PlateRead.seen_at >= since, PlateRead.seen_at < until)
        .order_by(PlateRead.seen_at.desc())
        .limit(limit)
    )
    return [(seen_at, camera_id) for seen_at, camera_id in rows]
