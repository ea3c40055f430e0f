"""Tombstones: what nodes deleted, so that absent footage is explained and never inferred."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_tombstones"
down_revision = "0008_holds"


def _column(name: str, kind: type) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def _at(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.tenant_table(
        "tombstones",
        _column("tenant_id", sa.Integer),
        _column("id", sa.Uuid),
        _column("camera_id", sa.Uuid),
        _at("from_at"),
        _at("to_at"),
        _column("segments", sa.Integer),
        _column("bytes", sa.BigInteger),
        _column("cause", sa.Text),
        _at("ordered_at"),
        _at("deleted_at"),
        _at("received_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.ForeignKeyConstraint(["tenant_id", "camera_id"], ["app.cameras.tenant_id", "app.cameras.id"]),
        sa.CheckConstraint("from_at < to_at", name="interval"),
        sa.CheckConstraint("cause in ('vencimiento', 'presion', 'manual', 'externa', 'vacio')", name="cause"),
        privileges=("select", "insert"),
    )
    op.create_index("ix_tombstones_camera", "tombstones", ["tenant_id", "camera_id", "deleted_at"], schema="app")


def downgrade() -> None:
    op.drop_table("tombstones", schema="app")
