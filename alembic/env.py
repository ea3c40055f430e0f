"""Runs migrations as the owner of the schema: one at a time and with short locks. A new revision is numbered here."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from alembic import context
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool, text
from sqlalchemy.engine import Connection

from app.kernel import jobs, stream  # noqa: F401 - they hold the tables of the outbox and of the events
from app.kernel.db import Base
from tenants.core import discovery, rls

_HEAD = Path(__file__).with_name(".current-head")
_PARTITION = re.compile(r"_(p\d{6}|p\d{8}|default)$")
# Any constant will do, as long as every migration of this product waits for the same one.
_ONE_AT_A_TIME = 6049


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return name == rls.SCHEMA if kind == "schema" else True


def _is_declared(_item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    return not (kind == "table" and name is not None and _PARTITION.search(name))


def _number(migration: Any, revision: Any, directives: list[Any]) -> None:
    """Name the new revision `NNNN_slug` (the version column holds 32 characters) and keep it on file as the one head."""
    rls.writer(migration, revision, directives)
    if not directives or not directives[0].message:
        return  # `alembic check` asks what would change and keeps nothing
    script = directives[0]
    heads = ScriptDirectory.from_config(context.config).get_heads()
    number = 1 + max((int(head[:4]) for head in heads), default=0)
    slug = re.sub(r"[^a-z0-9]+", "_", script.message.lower()).strip("_")
    script.rev_id = f"{number:04d}_{slug}"[:32].rstrip("_")
    _HEAD.write_text(f"{script.rev_id}\n", encoding="ascii")


def _run(**options: Any) -> None:
    discovery.load("models")
    context.configure(
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=_is_ours,
        include_object=_is_declared,
        version_table_schema=rls.SCHEMA,
        process_revision_directives=_number,
        transaction_per_migration=True,
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()


def _online(connection: Connection) -> None:
    connection.execute(text("set lock_timeout = '60s'"))
    connection.execute(text("select pg_advisory_lock(:n)"), {"n": _ONE_AT_A_TIME})
    connection.execute(text("set role app_owner"))
    connection.execute(text("set lock_timeout = '2s'"))
    connection.execute(text("set statement_timeout = '30s'"))
    connection.commit()
    _run(connection=connection)


def _url() -> str:
    path = os.environ.get("PIPC_DB_MIGRATE_URL_FILE")
    given = Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get("PIPC_DB_MIGRATE_URL", "")
    if not given:
        raise SystemExit("Falta PIPC_DB_MIGRATE_URL: usar `pipc migrate`.")
    return given


if context.is_offline_mode():
    _run(dialect_name="postgresql", literal_binds=True)
else:
    engine = create_engine(context.config.attributes.get("url") or _url(), poolclass=pool.NullPool)
    with engine.connect() as opened:
        _online(opened)
