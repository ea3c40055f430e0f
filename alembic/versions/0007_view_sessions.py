"""Which session opened each live view, so that the view ends with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_view_sessions"
down_revision = "0006_evidence"


def upgrade() -> None:
    op.add_column("camera_views", sa.Column("session_key", sa.Text, nullable=False, server_default=""), schema="app")
    op.create_index(
        "ix_camera_views_session", "camera_views", ["tenant_id", "session_key"], schema="app",
        postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_camera_views_session", table_name="camera_views", schema="app")
    op.drop_column("camera_views", "session_key", schema="app")
