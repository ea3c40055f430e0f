"""${message}.

Before you commit (docs/conventions.md, Migrations):
- it works with the previous release running: add nullable, backfill by script, then enforce, in three releases;
- a municipal table is made by op.tenant_table(...): row security, floor, partner and grants come with it; never by hand;
- indexes start with tenant_id; on a table with rows they are CONCURRENTLY inside op.get_context().autocommit_block();
- foreign keys between municipal tables are composite: (tenant_id, x_id) -> (tenant_id, id);
- no import from app, schema and data never together, data steps inside `set local role app_bypass` assert their row count;
- it goes up, down and up again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
