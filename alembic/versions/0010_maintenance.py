"""Since when and by whom a camera is in maintenance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_maintenance"
down_revision = "0009_tombstones"


def upgrade() -> None:
    op.add_column("cameras", sa.Column("maintenance_from", sa.DateTime(timezone=True)), schema="app")
    op.add_column("cameras", sa.Column("maintenance_by", sa.Text, nullable=False, server_default=""), schema="app")


def downgrade() -> None:
    for column in ("maintenance_by", "maintenance_from"):
        op.drop_column("cameras", column, schema="app")
