"""The directory of municipalities: one row each, and row 0 for the Province itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base

PROVINCE_ID = 0
PROVINCE_SLUG = "provincia"


class Municipality(Base):
    """A tenant. Its small `id` is the key everywhere in the database; outside it is known by `uuid` or `slug`."""

    __tablename__ = "tenants"
    __table_args__ = (
        UniqueConstraint("uuid"),
        UniqueConstraint("slug"),
        UniqueConstraint("code"),
        UniqueConstraint("kc_alias"),
        CheckConstraint("kind in ('province', 'municipality', 'training')", name="kind"),
        CheckConstraint("state in ('inactive', 'active', 'suspended')", name="state"),
        CheckConstraint("(id = 0) = (kind = 'province')", name="province"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uuid: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    kind: Mapped[str]
    slug: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    kc_alias: Mapped[str | None]
    kc_org_id: Mapped[str | None]
    kc_state_hash: Mapped[str | None]
    state: Mapped[str]
    section: Mapped[int | None] = mapped_column(SmallInteger)
    head_town: Mapped[str | None]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    population: Mapped[int | None]
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    accent: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    version: Mapped[int] = mapped_column(server_default="1")
