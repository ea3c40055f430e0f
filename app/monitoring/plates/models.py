"""Tables of plate readings, of the dictionary that makes them searchable, and of the hot lists they are matched against."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, TenantScoped

# Plates are compared byte by byte: only then may an index serve prefixes below a row policy.
PLATE = Text(collation="C")


class PlateRead(TenantScoped, Base):
    """One vehicle seen once by one camera. `id` is the pass of a node or the client's own id, so a repeated batch changes nothing."""

    __tablename__ = "plate_reads"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "camera_id"], ["app.cameras.tenant_id", "app.cameras.id"]),
        CheckConstraint("consensus in ('strong', 'weak', 'single')", name="consensus"),
        CheckConstraint("source in ('node', 'api')", name="source"),
        Index("ix_plate_reads_plate", "tenant_id", "plate", "seen_at"),
        Index("ix_plate_reads_camera", "tenant_id", "camera_id", "seen_at"),
        {"postgresql_partition_by": "RANGE (seen_at)", "comment": "partition=month"},
    )

    seen_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera_id: Mapped[UUID]
    plate: Mapped[str] = mapped_column(PLATE)
    raw: Mapped[str | None] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(REAL)
    consensus: Mapped[str] = mapped_column(Text)
    char_conf: Mapped[list[Any] | None] = mapped_column(JSONB)
    crop_sha: Mapped[str | None] = mapped_column(Text)
    image_sha: Mapped[str | None] = mapped_column(Text)
    direction: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]


class PlateNumber(TenantScoped, Base):
    """Each plate a municipality has seen and the last day it was."""

    __tablename__ = "plate_numbers"

    plate: Mapped[str] = mapped_column(PLATE, primary_key=True)
    last_day: Mapped[date]


class PlateGram(TenantScoped, Base):
    """Each pair of neighbouring characters of each seen plate, with its position."""

    __tablename__ = "plate_grams"

    g: Mapped[str] = mapped_column(PLATE, primary_key=True)
    pos: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    plate: Mapped[str] = mapped_column(PLATE, primary_key=True)


class PlateGramCount(TenantScoped, Base):
    """How common each pair is, so that a search starts from its rarest one. Refreshed at night; an absent pair counts as rare."""

    __tablename__ = "plate_gram_counts"

    g: Mapped[str] = mapped_column(PLATE, primary_key=True)
    n: Mapped[int]


class PlateSearch(TenantScoped, Base):
    """A search somebody opened with a reason; its pages and its export belong to it."""

    __tablename__ = "plate_searches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]
    user_id: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    query: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Hotlist(TenantScoped, Base):
    """A search list: what it is about, who issues it, how old it may get."""

    __tablename__ = "hotlists"
    __table_args__ = (
        CheckConstraint("origin in ('local', 'provincial', 'national')", name="origin"),
        CheckConstraint("kind in ('LPR_SECUESTRO', 'LPR_PROHIB_CIRC', 'LPR_LOCAL', 'LPR_MELLIZA')", name="kind"),
        CheckConstraint("severity between 1 and 4", name="severity"),
        CheckConstraint("refresh_hours > 0", name="refresh_hours"),
        Index("uq_hotlists_name", "tenant_id", "name", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    severity: Mapped[int | None] = mapped_column(SmallInteger)
    tolerant: Mapped[bool]
    refresh_hours: Mapped[int | None]
    source_version: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    is_demo: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class HotlistEntry(TenantScoped, Base):
    """One listed plate with the order behind it. A revoked entry stays for history and no longer matches."""

    __tablename__ = "hotlist_entries"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "hotlist_id"], ["app.hotlists.tenant_id", "app.hotlists.id"]),
        CheckConstraint("severity between 1 and 4", name="severity"),
        Index("uq_hotlist_entries_plate", "tenant_id", "hotlist_id", "plate", "case_no", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hotlist_id: Mapped[UUID]
    plate: Mapped[str] = mapped_column(PLATE)
    make: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    colour: Mapped[str] = mapped_column(Text)
    vehicle_type: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    authority: Mapped[str] = mapped_column(Text)
    legal_basis: Mapped[str] = mapped_column(Text)
    case_no: Mapped[str] = mapped_column(Text)
    instructions: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    source_version: Mapped[str] = mapped_column(Text)
    severity: Mapped[int | None] = mapped_column(SmallInteger)
    valid_from: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class HotlistDraft(TenantScoped, Base):
    """A file somebody uploaded and has not confirmed yet."""

    __tablename__ = "hotlist_drafts"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "hotlist_id"], ["app.hotlists.tenant_id", "app.hotlists.id"]),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hotlist_id: Mapped[UUID]
    user_id: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_at: Mapped[datetime]


class HotPlate(TenantScoped, Base):
    """The plates of the entries in force: what the intake joins, and nothing else."""

    __tablename__ = "hot_plates"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "entry_id"], ["app.hotlist_entries.tenant_id", "app.hotlist_entries.id"], ondelete="CASCADE"
        ),
        Index("ix_hot_plates_entry", "tenant_id", "entry_id"),
        Index("ix_hot_plates_hotlist", "tenant_id", "hotlist_id"),
    )

    plate: Mapped[str] = mapped_column(PLATE, primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    hotlist_id: Mapped[UUID]


class PlateHit(TenantScoped, Base):
    """A reading that met an entry. `key` joins a provisional reading with its final one; `pending` hits become alarms."""

    __tablename__ = "plate_hits"
    __table_args__ = (
        CheckConstraint("match in ('exact', 'possible')", name="match"),
        CheckConstraint("state in ('pending', 'raised', 'counted')", name="state"),
        Index("uq_plate_hits_key", "tenant_id", "key", unique=True),
        Index("ix_plate_hits_seen_at", "tenant_id", "seen_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime]
    read_id: Mapped[UUID]
    is_final: Mapped[bool]
    plate: Mapped[str] = mapped_column(PLATE)
    camera_id: Mapped[UUID]
    entry_id: Mapped[UUID]
    hotlist_id: Mapped[UUID]
    match: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    reading: Mapped[dict[str, Any]] = mapped_column(JSONB)
    alarm_id: Mapped[UUID | None]
