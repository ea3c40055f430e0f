"""Tables of identity: people, their postings, and the sessions of their browsers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, TenantScoped


class Person(Base):
    """Somebody who signed in. Known to a municipality only while it has a posting of theirs."""

    __tablename__ = "people"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(unique=True)
    username: Mapped[str]
    display_name: Mapped[str]
    preferences: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class Posting(TenantScoped, Base):
    """A person's place in one municipality (or in the Province), with the roles of their last sign-in."""

    __tablename__ = "postings"
    __table_args__ = (UniqueConstraint("tenant_id", "person_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("app.people.id", deferrable=True, initially="DEFERRED"))
    roles: Mapped[list[Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class WebSession(Base):
    """A browser: one that is signing in (`prelogin`) or one that is signed in. Its key is a digest of the cookie."""

    __tablename__ = "web_sessions"
    __table_args__ = (CheckConstraint("kind in ('prelogin', 'municipal', 'provincial')", name="kind"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str]
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("app.tenants.id"))
    sub: Mapped[str | None] = mapped_column(index=True)
    kc_sid: Mapped[str | None] = mapped_column(index=True)
    username: Mapped[str | None]
    display_name: Mapped[str | None]
    acr: Mapped[str | None]
    person_id: Mapped[UUID | None]
    roles: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    auth_time: Mapped[datetime | None]
    elevated_until: Mapped[datetime | None]
    idle_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    csrf: Mapped[str]
    refresh_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    access_expires_at: Mapped[datetime | None]
    refreshing_until: Mapped[datetime | None]
    refreshed_at: Mapped[datetime | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
