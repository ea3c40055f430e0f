"""Reads of the chains: pages for people, the whole in order for verification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry, AuditHead
from app.audit.types import Entry, Filter, Head, Line, label_of
from app.kernel.errors import Invalid
from app.kernel.pagination import Page, decode_cursor, encode_cursor

_BATCH = 2_000


def page(session: Session, wanted: Filter, *, cursor: str | None, limit: int) -> Page[Line]:
    """The newest first. `cursor` continues a previous page."""
    query = _filtered(wanted).order_by(AuditEntry.occurred_at.desc(), AuditEntry.seq.desc()).limit(limit + 1)
    if cursor:
        query = query.where(tuple_(AuditEntry.occurred_at, AuditEntry.seq) < _after(cursor))
    rows = list(session.scalars(query))
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        [_line(row) for row in rows[:limit]],
        encode_cursor(last.occurred_at.isoformat(), last.seq) if last else None,
    )


def _after(cursor: str) -> tuple[datetime, int]:
    at, seq = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(at), int(seq)
    except ValueError:
        raise Invalid(errors={"cursor": ["El cursor no es válido: volver a pedir la primera página."]}) from None


def _filtered(wanted: Filter) -> Select[AuditEntry]:
    query = select(AuditEntry)
    if wanted.since:
        query = query.where(AuditEntry.occurred_at >= wanted.since)
    if wanted.until:
        query = query.where(AuditEntry.occurred_at < wanted.until)
    if wanted.actor:
        query = query.where(AuditEntry.actor == wanted.actor)
    if wanted.action:
        query = query.where(AuditEntry.action.startswith(wanted.action, autoescape=True))
    if wanted.target:
        query = query.where(AuditEntry.target == wanted.target)
    return query


def _line(row: AuditEntry) -> Line:
    detail = json.loads(row.canon)["detalle"]
    return Line(
        seq=row.seq,
        occurred_at=row.occurred_at,
        actor=row.actor,
        actor_name=str(detail.pop("por", "")) or row.actor,
        action=row.action,
        label=label_of(row.action),
        target=row.target,
        detail=detail,
    )


def head(session: Session) -> Head:
    """The last link of the acting municipality's chain."""
    row = session.scalars(select(AuditHead)).one()
    return Head(row.tenant_id, row.seq, row.occurred_at, row.hash)


def entries(session: Session, last: Head) -> Iterator[Entry]:
    """The acting municipality's entries by number up to `last`, then any that no head accounts for."""
    after: tuple[int, datetime] | None = None
    while batch := session.execute(_batch(after, last.seq)).all():
        for row in batch:
            yield Entry(**row._mapping)
        after = (batch[-1].seq, batch[-1].occurred_at)
    # One statement, one moment: what was added meanwhile has its head, what was smuggled in has not.
    stray = select(*_COLUMNS).join(AuditHead, AuditEntry.seq > AuditHead.seq).order_by(AuditEntry.seq)
    for row in session.execute(stray):
        yield Entry(**row._mapping)


_COLUMNS = tuple(getattr(AuditEntry, name) for name in Entry.__dataclass_fields__)


def _batch(after: tuple[int, datetime] | None, up_to: int) -> Select[Any]:
    query = select(*_COLUMNS).where(AuditEntry.seq <= up_to)
    if after is not None:
        query = query.where(tuple_(AuditEntry.seq, AuditEntry.occurred_at) > after)
    return query.order_by(AuditEntry.seq, AuditEntry.occurred_at).limit(_BATCH)


def chain_heads(session: Session) -> list[Head]:
    """The last link of every chain, by the function that shows nothing else of them."""
    rows = session.execute(text("select tenant_id, seq, occurred_at, hash from app.audit_chain_heads()"))
    return [Head(row.tenant_id, row.seq, row.occurred_at, bytes(row.hash)) for row in rows]
