"""Plate readings with the dictionary that makes them searchable, searches with their reason, and hot lists with their hits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, REAL

revision = "0004_plates"
down_revision = "0003_cameras_nodes"


def _tenant() -> sa.Column:
    return sa.Column("tenant_id", sa.Integer, nullable=False)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _code(name: str) -> sa.Column:
    """Compared byte by byte, so that an index serves prefixes below a row policy."""
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def _of(column: str, table: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"], **options)


def _index(name: str, table: str, *columns: str, unique: bool = False) -> None:
    op.create_index(name, table, ["tenant_id", *columns], unique=unique, schema="app")


def upgrade() -> None:
    _reads()
    _dictionary()
    _searches()
    _lists()
    _entries()
    _drafts()
    _hot_plates()
    _hits()


def _reads() -> None:
    op.tenant_table(
        "plate_reads",
        _tenant(),
        _at("seen_at"),
        _id(),
        _id("camera_id"),
        _code("plate"),
        _text("raw", nullable=True),
        _text("format"),
        _text("country", nullable=True),
        sa.Column("confidence", REAL, nullable=False),
        _text("consensus"),
        sa.Column("char_conf", JSONB),
        _text("crop_sha", nullable=True),
        _text("image_sha", nullable=True),
        _text("direction", nullable=True),
        _text("source"),
        _at("received_at"),
        sa.PrimaryKeyConstraint("tenant_id", "seen_at", "id"),
        _of("camera_id", "cameras"),
        sa.CheckConstraint("consensus in ('strong', 'weak', 'single')", name="consensus"),
        sa.CheckConstraint("source in ('node', 'api')", name="source"),
        partition_by="seen_at",
    )
    _index("ix_plate_reads_plate", "plate_reads", "plate", "seen_at")
    _index("ix_plate_reads_camera", "plate_reads", "camera_id", "seen_at")


def _dictionary() -> None:
    op.tenant_table(
        "plate_numbers",
        _tenant(),
        _code("plate"),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "plate"),
    )
    op.tenant_table(
        "plate_grams",
        _tenant(),
        _code("g"),
        sa.Column("pos", sa.SmallInteger, nullable=False),
        _code("plate"),
        sa.PrimaryKeyConstraint("tenant_id", "g", "pos", "plate"),
    )
    op.tenant_table(
        "plate_gram_counts",
        _tenant(),
        _code("g"),
        sa.Column("n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "g"),
    )


def _searches() -> None:
    op.tenant_table(
        "plate_searches",
        _tenant(),
        _id(),
        _at("opened_at"),
        _text("user_id"),
        _text("reason"),
        sa.Column("query", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )


def _lists() -> None:
    op.tenant_table(
        "hotlists",
        _tenant(),
        _id(),
        _text("name"),
        _text("origin"),
        _text("kind"),
        sa.Column("severity", sa.SmallInteger),
        sa.Column("tolerant", sa.Boolean, nullable=False),
        sa.Column("refresh_hours", sa.Integer),
        _text("source_version"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_demo", sa.Boolean, nullable=False),
        _at("created_at"),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.CheckConstraint("origin in ('local', 'provincial', 'national')", name="origin"),
        sa.CheckConstraint("kind in ('LPR_SECUESTRO', 'LPR_PROHIB_CIRC', 'LPR_LOCAL', 'LPR_MELLIZA')", name="kind"),
        sa.CheckConstraint("severity between 1 and 4", name="severity"),
        sa.CheckConstraint("refresh_hours > 0", name="refresh_hours"),
    )
    _index("uq_hotlists_name", "hotlists", "name", unique=True)


def _entries() -> None:
    op.tenant_table(
        "hotlist_entries",
        _tenant(),
        _id(),
        _id("hotlist_id"),
        _code("plate"),
        *(
            _text(name)
            for name in (
                "make", "model", "colour", "vehicle_type", "reason", "authority", "legal_basis", "case_no", "instructions",
                "origin", "source_version",
            )
        ),
        sa.Column("severity", sa.SmallInteger),
        _at("valid_from", nullable=True),
        _at("expires_at", nullable=True),
        _at("revoked_at", nullable=True),
        _at("created_at"),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        _of("hotlist_id", "hotlists"),
        sa.CheckConstraint("severity between 1 and 4", name="severity"),
    )  # fmt: skip
    _index("uq_hotlist_entries_plate", "hotlist_entries", "hotlist_id", "plate", "case_no", unique=True)


def _drafts() -> None:
    op.tenant_table(
        "hotlist_drafts",
        _tenant(),
        _id(),
        _id("hotlist_id"),
        _text("user_id"),
        _text("filename"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        _at("uploaded_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        _of("hotlist_id", "hotlists"),
    )


def _hot_plates() -> None:
    op.tenant_table(
        "hot_plates",
        _tenant(),
        _code("plate"),
        _id("entry_id"),
        _id("hotlist_id"),
        sa.PrimaryKeyConstraint("tenant_id", "plate", "entry_id"),
        _of("entry_id", "hotlist_entries", ondelete="CASCADE"),
    )
    _index("ix_hot_plates_entry", "hot_plates", "entry_id")
    _index("ix_hot_plates_hotlist", "hot_plates", "hotlist_id")


def _hits() -> None:
    op.tenant_table(
        "plate_hits",
        _tenant(),
        _id(),
        _text("key"),
        _at("seen_at"),
        _id("read_id"),
        sa.Column("is_final", sa.Boolean, nullable=False),
        _code("plate"),
        _id("camera_id"),
        _id("entry_id"),
        _id("hotlist_id"),
        _text("match"),
        _text("state"),
        sa.Column("reading", JSONB, nullable=False),
        _id("alarm_id", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.CheckConstraint("match in ('exact', 'possible')", name="match"),
        sa.CheckConstraint("state in ('pending', 'raised', 'counted')", name="state"),
    )
    _index("uq_plate_hits_key", "plate_hits", "key", unique=True)
    _index("ix_plate_hits_seen_at", "plate_hits", "seen_at")


def downgrade() -> None:
    for table in (
        "plate_hits", "hot_plates", "hotlist_drafts", "hotlist_entries", "hotlists", "plate_searches", "plate_gram_counts",
        "plate_grams", "plate_numbers", "plate_reads",
    ):  # fmt: skip
        op.drop_table(table, schema="app")
