"""Recorded camera-hours, gaps and the clips cut for alarms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_evidence"
down_revision = "0005_alarms"


def _tenant() -> sa.Column:
    return sa.Column("tenant_id", sa.Integer, nullable=False)


def _id(name: str = "id") -> sa.Column:
    return sa.Column(name, sa.Uuid, nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"])


def upgrade() -> None:
    op.tenant_table(
        "clips",
        _tenant(),
        _id(),
        _id("alarm_id"),
        _id("camera_id"),
        _id("order_id"),
        _at("from_at"),
        _at("to_at"),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("sha256", sa.Text),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("codec", sa.Text),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("is_demo", sa.Boolean, nullable=False, server_default=sa.false()),
        _at("created_at"),
        _at("ready_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "alarm_id"),
        _of("alarm_id", "alarms"),
        _of("camera_id", "cameras"),
        _of("order_id", "node_orders"),
        sa.CheckConstraint("state in ('waiting', 'ready', 'failed')", name="state"),
        sa.CheckConstraint("from_at < to_at", name="interval"),
    )
    op.create_index("ix_clips_order", "clips", ["tenant_id", "order_id"], schema="app")
    op.tenant_table(
        "recording_hours",
        _tenant(),
        _id("camera_id"),
        _at("hour_at"),
        sa.Column("part", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("recorded_ms", sa.Integer, nullable=False),
        sa.Column("chain_hash", sa.LargeBinary, nullable=False),
        _at("received_at"),
        sa.PrimaryKeyConstraint("tenant_id", "camera_id", "hour_at", "part"),
        _of("camera_id", "cameras"),
        partition_by="hour_at",
        privileges=("select", "insert"),
    )
    op.tenant_table(
        "recording_gaps",
        _tenant(),
        _id(),
        _id("camera_id"),
        _at("from_at"),
        _at("to_at", nullable=True),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        _at("reported_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        _of("camera_id", "cameras"),
        sa.CheckConstraint("to_at is null or from_at <= to_at", name="interval"),
    )
    op.create_index(
        "ix_recording_gaps_camera", "recording_gaps", ["tenant_id", "camera_id", "from_at", "id"], schema="app"
    )


def downgrade() -> None:
    for table in ("recording_gaps", "recording_hours", "clips"):
        op.drop_table(table, schema="app")
