"""People and their postings: who works where, as the identity server last said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002_identity"
down_revision = "0001_platform"


def upgrade() -> None:
    op.linked_table(
        "people",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("preferences", JSONB, nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("subject", name="uq_people_subject"),
    )
    op.tenant_table(
        "postings",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("roles", JSONB, nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_postings"),
        sa.UniqueConstraint("tenant_id", "person_id", name="uq_postings_tenant_id_person_id"),
        # A new person is written after the posting that shows it, so the reference is looked at when the unit ends.
        sa.ForeignKeyConstraint(
            ["person_id"], ["app.people.id"], name="fk_postings_person_id_people", deferrable=True, initially="DEFERRED"
        ),
    )
    op.link_through("people", "postings", "person_id")


def downgrade() -> None:
    # The policy of people names postings, and postings references people: the reference goes first.
    op.drop_constraint("fk_postings_person_id_people", "postings", schema="app")
    op.drop_table("people", schema="app")
    op.drop_table("postings", schema="app")
