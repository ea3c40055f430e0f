"""One valid row of any municipal table, so that a table added later is tested without anybody remembering to."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[Any]

TWIN = UUID("01900000-0000-7000-8000-000000000001")
_BY_TYPE: dict[str, Any] = {
    "uuid": TWIN, "text": "x", "integer": 1, "smallint": 1, "bigint": 1, "boolean": False, "double precision": 0.0, "real": 0.0,
    "bytea": bytes(32), "date": "2026-01-02", "timestamp with time zone": "now", "jsonb": Jsonb({}), "inet": "127.0.0.1",
    "numeric": 1,
}  # fmt: skip
# Values that a CHECK over several columns asks for.
_SPECIAL: dict[str, dict[str, Any]] = {
    "clips": {"from_at": "yesterday", "to_at": "now"},
    "recording_gaps": {"from_at": "yesterday", "to_at": "now"},
    "hold_cameras": {"from_at": "yesterday", "to_at": "now"},
    "tombstones": {"from_at": "yesterday", "to_at": "now"},
}
_COLUMNS = """
    select attname, format_type(atttypid, null) from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped and attnotnull and attgenerated = ''
    union select column_name, data_type from information_schema.columns
    where table_schema = 'app' and table_name = %s and column_name = any(%s)"""
_CHECKS = "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'c'"


def row(connection: Connection, table: str, tenant_id: int) -> dict[str, Any]:
    """Values for the columns that must have one; the same for every municipality."""
    special = _SPECIAL.get(table, {})
    columns = connection.execute(_COLUMNS, [f"app.{table}", table, list(special)]).fetchall()
    checks = " ".join(check for (check,) in connection.execute(_CHECKS, [f"app.{table}"]))
    found: dict[str, Any] = {}
    for name, kind in columns:
        listed = re.search(rf"\(?{name}\)? = ANY \(ARRAY\['([^']*)'", checks)
        found[name] = listed.group(1) if listed else _BY_TYPE[kind]
    return {**found, **special, "tenant_id": tenant_id}


def insert(connection: Connection, table: str, values: dict[str, Any]) -> None:
    """Insert it as whoever the connection is."""
    statement = sql.SQL("insert into app.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join([sql.Placeholder()] * len(values)),
    )
    connection.execute(statement, list(values.values()))


def place_twins(connection: Connection, table: str, tenants: tuple[int, ...]) -> None:
    """As administrator, the same row for each municipality and no other. Foreign keys stay off until the transaction ends."""
    connection.execute("set local session_replication_role = replica")
    connection.execute(sql.SQL("delete from app.{}").format(sql.Identifier(table)))
    for tenant_id in tenants:
        insert(connection, table, row(connection, table, tenant_id))
