"""The alarm desk: cards, the events they are made of, and floods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005_alarms"
down_revision = "0004_plates"

_OPEN = sa.text("state in ('new', 'taken', 'verified')")


def _tenant() -> sa.Column:
    return sa.Column("tenant_id", sa.Integer, nullable=False)


def _id(name: str = "id", *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _int(name: str, *, small: bool = False) -> sa.Column:
    return sa.Column(name, sa.SmallInteger if small else sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean, nullable=False)


def _of(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"app.{table}.tenant_id", f"app.{table}.id"])


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} in ({listed})", name=column)


def upgrade() -> None:
    _alarms()
    _occurrences()
    _floods()


def _alarms() -> None:
    op.tenant_table("alarms", *_what(), *_handling(), *_rules())
    op.create_index("ix_alarms_raised_at", "alarms", ["tenant_id", "raised_at", "id"], schema="app")
    for name, columns in (
        ("ix_alarms_open", ("priority", "raised_at")),
        ("ix_alarms_group", ("group_key", "last_at")),
        ("ix_alarms_entry", ("hotlist_entry_id",)),
    ):
        op.create_index(name, "alarms", ["tenant_id", *columns], schema="app", postgresql_where=_OPEN)


def _what() -> list[sa.Column]:
    """What happened, where, and what shows it."""
    return [
        _tenant(),
        _id(),
        _text("rule"),
        _text("rule_id", nullable=True),
        _text("title_code"),
        _int("priority", small=True),
        _text("state"),
        _flag("active"),
        _id("camera_id"),
        _text("group_key"),
        _int("count"),
        _at("first_at"),
        _at("last_at"),
        _at("detected_at"),
        _at("raised_at"),
        _flag("in_flood"),
        sa.Column("plate", sa.Text(collation="C")),
        _id("plate_read_id", nullable=True),
        _id("hotlist_entry_id", nullable=True),
        _text("match", nullable=True),
        _text("crop_sha", nullable=True),
        _text("snapshot_sha", nullable=True),
        _id("clip_id", nullable=True),
        sa.Column("detail", JSONB, nullable=False),
        _int("version"),
        _flag("is_demo"),
    ]


def _handling() -> list[sa.Column]:
    """What people did with it."""
    return [
        _text("typed_plate", nullable=True),
        _text("reading_outcome", nullable=True),
        _text("source_outcome", nullable=True),
        _at("entry_revoked_at", nullable=True),
        _text("discard_code", nullable=True),
        _text("close_outcome", nullable=True),
        _text("note"),
        *(
            column
            for verb in ("taken", "verified", "closed")
            for column in (
                _text(f"{verb}_by", nullable=True), _text(f"{verb}_by_name", nullable=True), _at(f"{verb}_at", nullable=True)
            )
        ),
        _at("escalated_at", nullable=True),
        sa.Column("steps_done", JSONB, nullable=False),
    ]  # fmt: skip


def _rules() -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        _of("camera_id", "cameras"),
        sa.CheckConstraint("priority between 1 and 4", name="priority"),
        _one_of("state", "new", "taken", "verified", "discarded", "closed"),
        _one_of("match", "exact", "possible"),
        _one_of("reading_outcome", "confirmed", "no_match", "doubtful"),
        _one_of("source_outcome", "valid", "void", "false_positive", "negative"),
        _one_of("close_outcome", "real", "false", "unverified"),
        sa.CheckConstraint("(state = 'discarded') = (discard_code is not null)", name="discarded_with_code"),
        sa.CheckConstraint("(state = 'closed') = (close_outcome is not null)", name="closed_with_outcome"),
    ]


def _occurrences() -> None:
    op.tenant_table(
        "alarm_occurrences",
        _tenant(),
        _id(),
        _id("alarm_id"),
        _text("event_key"),
        _at("occurred_at"),
        _at("ended_at", nullable=True),
        sa.Column("payload", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        _of("alarm_id", "alarms"),
    )
    op.create_index(
        "uq_alarm_occurrences_event_key", "alarm_occurrences", ["tenant_id", "event_key"], unique=True, schema="app"
    )
    op.create_index("ix_alarm_occurrences_alarm", "alarm_occurrences", ["tenant_id", "alarm_id"], schema="app")


def _floods() -> None:
    op.tenant_table(
        "alarm_floods",
        _tenant(),
        _id(),
        _at("started_at"),
        _at("ended_at", nullable=True),
        _int("peak"),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "uq_alarm_floods_open", "alarm_floods", ["tenant_id"], unique=True, schema="app",
        postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("alarm_floods", "alarm_occurrences", "alarms"):
        op.drop_table(table, schema="app")
