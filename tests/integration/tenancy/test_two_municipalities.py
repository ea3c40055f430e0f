"""Two municipalities with the same rows: whatever one does, the other's stay unseen and untouched, in every table there is.

Each refusal has its twin: the same statement over one's own row works, so that a broken statement does not pass for isolation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from tests.support import catalogue, rows
from tests.support.world import OURS, THEIRS

Connection = psycopg.Connection[Any]


@pytest.fixture
def tables(connection: Connection) -> list[str]:
    return catalogue.municipal_tables(connection)


@contextmanager
def acting(
    connection: Connection, role: str, tenant_id: int | None = None, *, purpose: str = ""
) -> Iterator[Connection]:
    """Act as a login role bound to a municipality; undone at the end."""
    connection.execute("savepoint acting")
    connection.execute(
        "select set_config('app.tenant_id', %s, true), set_config('app.user_id', 'persona', true), set_config('app.purpose', %s, true)",
        ["" if tenant_id is None else str(tenant_id), purpose],
    )
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    yield connection
    connection.execute("rollback to acting")


def seen(connection: Connection, table: str) -> list[int]:
    query = sql.SQL("select tenant_id from app.{} order by 1").format(sql.Identifier(table))
    return [tenant_id for (tenant_id,) in connection.execute(query)]


def touched(connection: Connection, table: str, statement: str, tenant_id: int) -> int:
    """How many rows of that municipality the statement reaches."""
    query = sql.SQL(statement + " where tenant_id = %s").format(sql.Identifier(table))  # type: ignore[arg-type]
    return connection.execute(query, [tenant_id]).rowcount


def may(connection: Connection, table: str, privilege: str) -> bool:
    [(granted,)] = connection.execute(
        "select has_table_privilege('app_rw', %s, %s)", [f"app.{table}", privilege]
    ).fetchall()
    return bool(granted)


def each(connection: Connection, tables: list[str]) -> Iterator[str]:
    """Every table with its twin rows, one at a time."""
    for table in tables:
        connection.execute("savepoint twins")
        rows.place_twins(connection, table, (OURS, THEIRS))
        yield table
        connection.execute("rollback to twins")


def test_each_sees_its_own_rows_only(connection: Connection, tables: list[str]) -> None:
    for table in each(connection, tables):
        for role in ("app_rw", "app_worker"):
            with acting(connection, role, OURS):
                assert seen(connection, table) == [OURS], (role, table)
            with acting(connection, role, THEIRS):
                assert seen(connection, table) == [THEIRS], (role, table)


def test_nobody_bound_sees_nothing(connection: Connection, tables: list[str]) -> None:
    for table in each(connection, tables):
        with acting(connection, "app_rw"):
            assert seen(connection, table) == [], table
        with acting(connection, "app_rw", OURS):
            assert seen(connection, table) == [OURS], table


def test_the_province_sees_all_with_a_purpose_and_nothing_without(connection: Connection, tables: list[str]) -> None:
    for table in each(connection, tables):
        with acting(connection, "app_dir", 0):
            assert seen(connection, table) == [], table
        with acting(connection, "app_dir", 0, purpose="Control de rutina"):
            assert seen(connection, table) == [OURS, THEIRS], table


@pytest.mark.parametrize(("privilege", "statement"), [
    ("update", "update app.{} set tenant_id = tenant_id"), ("delete", "delete from app.{}"),
])  # fmt: skip
def test_only_ones_own_rows_are_changed(
    connection: Connection, tables: list[str], privilege: str, statement: str
) -> None:
    reached = 0
    for table in each(connection, tables):
        if may(connection, table, privilege):
            with acting(connection, "app_rw", OURS):
                assert touched(connection, table, statement, THEIRS) == 0, table
                assert touched(connection, table, statement, OURS) == 1, table
            reached += 1

    assert reached > 0


def test_a_row_cannot_be_given_to_another_municipality(connection: Connection, tables: list[str]) -> None:
    for table in each(connection, tables):
        if may(connection, table, "update"):
            with (
                acting(connection, "app_rw", OURS),
                pytest.raises(errors.InsufficientPrivilege, match="row-level security"),
                connection.transaction(),
            ):
                connection.execute(sql.SQL("update app.{} set tenant_id = 1").format(sql.Identifier(table)))


def test_a_row_of_another_municipality_cannot_be_forged(connection: Connection, tables: list[str]) -> None:
    written = 0
    for table in each(connection, tables):
        if not may(connection, table, "insert"):
            continue
        mine, forged = rows.row(connection, table, OURS), rows.row(connection, table, THEIRS)
        connection.execute(sql.SQL("delete from app.{}").format(sql.Identifier(table)))
        with acting(connection, "app_rw", OURS):
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"), connection.transaction():
                rows.insert(connection, table, forged)
            rows.insert(connection, table, mine)
            assert seen(connection, table) == [OURS], table
        written += 1

    assert written > 0


@pytest.mark.parametrize("role", ["app_clock", "app_rt", "app_auth"])
def test_tenantless_roles_reach_what_they_are_listed_for(connection: Connection, tables: list[str], role: str) -> None:
    from tenants.core.classes import SYSTEM

    for table in each(connection, tables):
        if role in SYSTEM.get(table, {}):
            with acting(connection, role):
                assert seen(connection, table) == [OURS, THEIRS], table
        else:
            with acting(connection, role), pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                seen(connection, table)


def test_a_tenantless_role_that_does_not_say_who_it_is_sees_nothing(connection: Connection) -> None:
    rows.place_twins(connection, "outbox", (OURS, THEIRS))
    connection.execute("set local role app_clock")

    assert seen(connection, "outbox") == []


def test_no_partition_is_reached_directly(connection: Connection) -> None:
    partitions = connection.execute(
        "select relname from pg_class where relnamespace = 'app'::regnamespace and relispartition and relkind = 'r'"
    ).fetchall()
    for (partition,) in partitions:
        with acting(connection, "app_rw", OURS), pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            connection.execute(sql.SQL("select 1 from app.{}").format(sql.Identifier(partition)))

    assert partitions


@pytest.mark.parametrize("statement", [
    "copy app.outbox from stdin", "truncate app.outbox", "alter table app.outbox disable row level security",
    "set local role app_owner", "set local role app_bypass", "create table app.peek (id int)",
    "create function app.peek() returns int language sql return 1",
])  # fmt: skip
def test_what_would_go_around_row_security_is_refused(database_urls: dict[str, str], statement: str) -> None:
    with psycopg.connect(database_urls["rw"]) as mine:
        mine.execute("select set_config('app.tenant_id', '448', true), set_config('app.user_id', 'x', true)")
        with pytest.raises((errors.InsufficientPrivilege, errors.FeatureNotSupported)):
            mine.execute(statement)  # type: ignore[arg-type]


def test_row_security_off_raises_instead_of_showing(connection: Connection) -> None:
    rows.place_twins(connection, "outbox", (OURS, THEIRS))
    with acting(connection, "app_rw", OURS):
        connection.execute("set local row_security = off")

        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            seen(connection, "outbox")


def test_a_foreign_key_does_not_reach_into_another_municipality(connection: Connection) -> None:
    """Foreign keys are checked past row security: the key itself must name the municipality."""
    rows.place_twins(connection, "cameras", (THEIRS,))
    state = rows.row(connection, "camera_states", OURS) | {"camera_id": rows.TWIN}
    connection.execute("set local session_replication_role = origin")
    with acting(connection, "app_rw", OURS), pytest.raises(errors.ForeignKeyViolation), connection.transaction():
        rows.insert(connection, "camera_states", state)
    with acting(connection, "app_rw", THEIRS):
        rows.insert(connection, "camera_states", state | {"tenant_id": THEIRS})

        assert seen(connection, "camera_states") == [THEIRS]


def test_a_person_is_seen_where_they_have_a_posting(connection: Connection) -> None:
    connection.execute("delete from app.people")
    rows.place_twins(connection, "postings", (OURS,))
    person = {name: value for name, value in rows.row(connection, "people", 0).items() if name != "tenant_id"}
    rows.insert(connection, "people", person)
    with acting(connection, "app_rw", OURS):
        ours = connection.execute("update app.people set display_name = 'y'").rowcount
    with acting(connection, "app_rw", THEIRS):
        theirs = connection.execute("update app.people set display_name = 'y'").rowcount

    assert (ours, theirs) == (1, 0)


def test_the_directory_shows_a_municipality_itself_and_sign_in_all(connection: Connection) -> None:
    query = "select slug from app.tenants order by id"
    with acting(connection, "app_rw", OURS):
        assert connection.execute(query).fetchall() == [("laprida",)]
        assert connection.execute("update app.tenants set accent = '#000000'").rowcount == 1
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            connection.execute("update app.tenants set slug = 'z'")
    with acting(connection, "app_auth"):
        assert len(connection.execute(query).fetchall()) == 136
