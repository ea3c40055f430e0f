"""The catalogue of the real schema: every table is what its class says, and any one change is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import pytest

from tests.support import catalogue

Connection = psycopg.Connection[Any]


def test_every_table_is_what_its_class_says(connection: Connection) -> None:
    assert catalogue.problems(connection) == []
    assert len(catalogue.municipal_tables(connection)) >= 6


def _all(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def _after(connection: Connection, statement: str, check: Callable[[Connection], Iterable[str]]) -> list[str]:
    connection.execute("savepoint mutation")
    connection.execute(statement)
    found = list(check(connection))
    connection.execute("rollback to mutation")
    return found


def test_dropping_any_one_policy_is_noticed(connection: Connection) -> None:
    policies = _all(connection, "select tablename, policyname from pg_policies where schemaname = 'app'")
    unseen = [
        f"{table}.{policy}"
        for table, policy in policies
        if not _after(connection, f"drop policy {policy} on app.{table}", catalogue.tables)
    ]

    assert len(policies) >= 20
    assert unseen == []


@pytest.mark.parametrize("statement", ["disable row level security", "no force row level security", "owner to app_rw"])
def test_opening_any_one_table_is_noticed(connection: Connection, statement: str) -> None:
    connection.execute("grant create on schema app to app_rw")
    unseen = [
        table
        for table in catalogue.municipal_tables(connection)
        if not _after(connection, f"alter table app.{table} {statement}", catalogue.tables)
    ]

    assert unseen == []


_OWN = "tenant_id = (select app.tenant())"

MUTATIONS = {
    "an OR in the partner": f"alter policy tenant_rw on app.outbox using ({_OWN} or (select app.purpose()) is not null)",
    "an OR in the floor": f"alter policy tenant_floor on app.outbox using ({_OWN} or (select app.purpose()) is not null)",
    "an open check": f"alter policy tenant_floor on app.outbox using ({_OWN}) with check (true)",
    "a literal true": "alter policy dir_read on app.outbox using (true)",
    "a policy for another role": "alter policy tenant_floor on app.outbox to app_rw",
    "one more policy": "create policy more on app.outbox for select to app_tenant using (true)",
    "one more policy for the clock": "create policy more on app.audit_entries for select to app_clock using (true)",
    "the owner's rights": "grant app_owner to app_rw",
    "the bypass role": "grant app_bypass to app_worker",
    "a tenantless role inside": "grant app_tenant to app_dir",
    "bypassing": "alter role app_rw bypassrls",
    "creating": "grant create on schema app to app_worker",
    "a grant on a partition": "grant select on app.tenant_events_default to app_tenant",
    "an open partition": "alter table app.tenant_events_default disable row level security",
    "no default partition": "drop table app.tenant_events_default",
    "a grant to everybody": "grant select on app.outbox to public",
    "writing the audit": "grant insert on app.audit_entries to app_auth",
    "truncating": "grant truncate on app.outbox to app_tenant",
    "deleting people": "grant delete on app.people to app_tenant",
    "another's sessions": "grant select on app.web_sessions to app_rw",
    "a view": "create view app.peek as select * from app.outbox",
    "a materialized view": "create materialized view app.peek as select * from app.outbox",
    "a function of its owner": "create function app.peek() returns int language sql security definer return 1",
    "a public function": "create function app.peek() returns int language sql return 1",
    "an unsafe path": "alter function app.ensure_partitions(text, int) reset search_path",
    "a foreign key without the municipality":
        "create table app.peek (tenant_id int not null, id uuid not null, head int references app.tenant_event_heads (tenant_id),"
        " primary key (tenant_id, id))",
    "an index without the municipality": "create index ix_peek on app.outbox (kind)",
    "a table without key": "create table app.peek (tenant_id int not null)",
    "a nullable municipality": "create table app.peek (tenant_id int, id uuid, unique (tenant_id, id))",
    "a table from outside": "create table app.people_heads (id uuid primary key, t int references app.tenant_event_heads (tenant_id))",
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_that_opens_a_door_is_noticed(connection: Connection, name: str) -> None:
    assert _after(connection, MUTATIONS[name], catalogue.problems)
