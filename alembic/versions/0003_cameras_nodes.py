"""Cameras and their states, nodes and what is wanted of them, analysis sessions and leases, node events and orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003_cameras_nodes"
down_revision = "0002_identity"


def _tenant() -> sa.Column:
    return sa.Column("tenant_id", sa.Integer, nullable=False)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, default: str | None = "", nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable, server_default=None if nullable else default)


def _key() -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id")


def _of(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"])


def upgrade() -> None:
    _nodes()
    _cameras()
    _camera_health()
    _camera_views()
    _sessions()
    _node_traffic()


def _nodes() -> None:
    op.tenant_table(
        "nodes",
        _tenant(),
        _id(),
        _text("name"),
        _text("client_id", default=None),
        sa.Column("seal_public_key", sa.LargeBinary, nullable=False),
        _text("jwk_thumb", default=None),
        _text("state", default="active"),
        _text("version"),
        sa.Column("desired_version", sa.Integer, nullable=False, server_default="1"),
        _text("policy_digest"),
        _at("last_seen_at", nullable=True),
        _at("recorded_until", nullable=True),
        _at("created_at"),
        _key(),
        sa.CheckConstraint("state in ('active', 'retired')", name="state"),
        sa.CheckConstraint("octet_length(seal_public_key) = 32", name="seal_public_key"),
        sa.UniqueConstraint("tenant_id", "client_id"),
    )


def _cameras() -> None:
    op.tenant_table(
        "cameras",
        _tenant(),
        _id(),
        _id("node_id", nullable=True),
        _text("name", default=None),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        _text("place", default=None),
        _text("kind", default="fixed"),
        _text("ownership", default="municipal"),
        _text("visibility", default="normal"),
        _text("address_street"),
        _text("address_number"),
        _text("address_between"),
        sa.Column("lat", sa.Float),
        sa.Column("lon", sa.Float),
        sa.Column("azimuth", sa.SmallInteger),
        sa.Column("fov_deg", sa.SmallInteger),
        sa.Column("range_m", sa.SmallInteger),
        _text("source_kind", default="none"),
        _text("source_url"),
        sa.Column("source_sealed", sa.LargeBinary),
        _text("sub_url", nullable=True),
        sa.Column("record", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("is_demo", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("lanes", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("zones", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("profile", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("config_version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        _text("search"),
        _at("maintenance_until", nullable=True),
        _text("maintenance_reason"),
        _at("created_at"),
        _at("decommissioned_at", nullable=True),
        _key(),
        _of("node_id", "nodes"),
        sa.UniqueConstraint("tenant_id", "code"),
        sa.CheckConstraint(
            "place in ('entrance', 'traffic_light', 'bank', 'square', 'commercial_centre', 'other')", name="place"
        ),
        sa.CheckConstraint("kind in ('fixed', 'ptz', 'lpr', 'dome', 'private')", name="kind"),
        sa.CheckConstraint("ownership in ('municipal', 'private')", name="ownership"),
        sa.CheckConstraint("visibility in ('normal', 'protected')", name="visibility"),
        sa.CheckConstraint("source_kind in ('rtsp', 'http', 'file', 'demo', 'none')", name="source_kind"),
        sa.CheckConstraint("(lat is null) = (lon is null)", name="position"),
    )
    op.create_index("ix_cameras_node", "cameras", ["tenant_id", "node_id"], schema="app")


def _camera_health() -> None:
    op.tenant_table(
        "camera_states",
        _tenant(),
        _id("camera_id"),
        _text("state", default="unknown"),
        _at("since"),
        sa.Column("recording", sa.Boolean, nullable=False, server_default=sa.false()),
        _text("analytics_state", nullable=True),
        _text("codec", nullable=True),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("fps", sa.Float),
        _text("error_code", nullable=True),
        _text("last_frame_sha", nullable=True),
        _at("last_frame_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "camera_id"),
        _of("camera_id", "cameras"),
        sa.CheckConstraint(
            "state in ('online', 'offline', 'frozen', 'dark', 'connecting', 'unknown')", name="state"
        ),
    )
    op.tenant_table(
        "camera_state_changes",
        _tenant(),
        _id(),
        _id("camera_id"),
        _text("state", default=None),
        _at("since"),
        _text("error_code", nullable=True),
        _key(),
        _of("camera_id", "cameras"),
    )
    op.create_index(
        "ix_camera_state_changes_camera", "camera_state_changes", ["tenant_id", "camera_id", "since", "id"], schema="app"
    )


def _camera_views() -> None:
    op.tenant_table(
        "camera_views",
        _tenant(),
        _id(),
        _id("camera_id"),
        _text("user_id", default=None),
        _text("display_name"),
        _text("stream", default="main"),
        _text("reason"),
        _at("started_at"),
        _at("renewed_at"),
        _at("ended_at", nullable=True),
        _key(),
        _of("camera_id", "cameras"),
        sa.CheckConstraint("stream in ('main', 'sub')", name="stream"),
    )
    op.create_index(
        "ix_camera_views_open", "camera_views", ["tenant_id", "user_id"], schema="app",
        postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip


def _sessions() -> None:
    op.tenant_table(
        "analysis_sessions",
        _tenant(),
        _id(),
        _id("node_id"),
        _text("name", default="main"),
        _text("producer", default="cpu"),
        _text("state", default="idle"),
        _text("detail"),
        sa.Column("config_version", sa.Integer, nullable=False, server_default="0"),
        _at("reported_at", nullable=True),
        _key(),
        _of("node_id", "nodes"),
        sa.UniqueConstraint("tenant_id", "node_id", "name"),
        sa.CheckConstraint(
            "state in ('idle', 'warming', 'starting', 'running', 'degraded', 'failed')", name="state"
        ),
    )
    op.tenant_table(
        "session_leases",
        _tenant(),
        _id("session_id"),
        _id("node_id"),
        _text("holder", nullable=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        _at("expires_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "session_id"),
        _of("session_id", "analysis_sessions"),
        _of("node_id", "nodes"),
    )


def _node_traffic() -> None:
    op.tenant_table(
        "node_events",
        _tenant(),
        _at("seen_at"),
        _id(),
        _text("key", default=None),
        _id("node_id"),
        _id("camera_id"),
        _id("session_id", nullable=True),
        sa.Column("epoch", sa.BigInteger),
        _text("kind", default=None),
        sa.Column("payload", JSONB, nullable=False),
        _text("state", default="pending"),
        _at("received_at"),
        sa.PrimaryKeyConstraint("tenant_id", "seen_at", "id"),
        sa.UniqueConstraint("tenant_id", "seen_at", "key"),
        sa.CheckConstraint("state in ('pending', 'raised', 'counted')", name="state"),
        partition_by="seen_at",
    )
    op.create_index(
        "ix_node_events_pending", "node_events", ["tenant_id", "id"], schema="app",
        postgresql_where=sa.text("state = 'pending'"),
    )  # fmt: skip
    op.tenant_table(
        "node_orders",
        _tenant(),
        _id(),
        _id("node_id"),
        _text("kind", default=None),
        _id("camera_id", nullable=True),
        _id("alarm_id", nullable=True),
        _at("from_at", nullable=True),
        _at("to_at", nullable=True),
        sa.Column("params", JSONB, nullable=False, server_default=sa.text("'{}'")),
        _text("state", default="pending"),
        sa.Column("result", JSONB),
        _at("created_at"),
        _at("finished_at", nullable=True),
        _key(),
        _of("node_id", "nodes"),
        _of("camera_id", "cameras"),
        sa.CheckConstraint("kind in ('cut_clip', 'check_source')", name="kind"),
        sa.CheckConstraint("state in ('pending', 'done', 'failed')", name="state"),
    )
    op.create_index(
        "ix_node_orders_pending", "node_orders", ["tenant_id", "node_id", "id"], schema="app",
        postgresql_where=sa.text("state = 'pending'"),
    )  # fmt: skip


def downgrade() -> None:
    for table in (
        "node_orders", "node_events", "session_leases", "analysis_sessions", "camera_views", "camera_state_changes",
        "camera_states", "cameras", "nodes",
    ):  # fmt: skip
        op.drop_table(table, schema="app")
