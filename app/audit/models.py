"""The chains. No foreign keys: nothing an entry mentions is kept from being deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, TenantScoped


class AuditEntry(TenantScoped, Base):
    """One entry; written by the database's own function only."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_time", "tenant_id", "occurred_at", "seq"),
        {"postgresql_partition_by": "RANGE (occurred_at)", "comment": "partition=month"},
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True)
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    canon: Mapped[str]
    prev: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(TenantScoped, Base):
    """The last link of each chain, locked while an entry is added."""

    __tablename__ = "audit_heads"

    seq: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
