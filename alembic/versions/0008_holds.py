"""Holds: why footage may not be deleted, and over which stretches of which cameras."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_holds"
down_revision = "0007_view_sessions"

KINDS = ("resguardo", "preventivo", "anticipado", "alarma", "caso", "requerimiento", "exportacion", "administrativo")


def _column(name: str, kind: type, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"])


def upgrade() -> None:
    op.tenant_table(
        "holds",
        _column("tenant_id", sa.Integer),
        _column("id", sa.Uuid),
        _column("kind", sa.Text),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        _column("alarm_id", sa.Uuid, nullable=True),
        _column("placed_by", sa.Text),
        _at("placed_at"),
        _at("expires_at", nullable=True),
        _at("released_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "alarm_id"),
        _of("alarm_id", "alarms"),
        sa.CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", name="kind"),
        sa.CheckConstraint("(kind = 'alarma') = (alarm_id is not null)", name="alarm"),
        privileges=("select", "insert", "update"),
    )
    op.create_index(
        "ix_holds_active", "holds", ["tenant_id", "expires_at"], schema="app",
        postgresql_where=sa.text("released_at is null"),
    )  # fmt: skip
    op.tenant_table(
        "hold_cameras",
        _column("tenant_id", sa.Integer),
        _column("hold_id", sa.Uuid),
        _column("camera_id", sa.Uuid),
        _at("from_at"),
        _at("to_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "hold_id", "camera_id", "from_at"),
        _of("hold_id", "holds"),
        _of("camera_id", "cameras"),
        sa.CheckConstraint("to_at is null or from_at < to_at", name="interval"),
        privileges=("select", "insert"),
    )
    op.create_index("ix_hold_cameras_camera", "hold_cameras", ["tenant_id", "camera_id", "to_at"], schema="app")


def downgrade() -> None:
    for table in ("hold_cameras", "holds"):
        op.drop_table(table, schema="app")
