"""Database roles: who may do what in the cluster, made once and put right again at every `pipc init`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]

GROUPS = ("app_owner", "app_bypass", "app_tenant", "app_audit")
LOGINS = ("app_migrate", "app_rw", "app_worker", "app_dir", "app_clock", "app_rt", "app_auth")
KEYCLOAK = "keycloak"
SCHEMA = "app"
# The short name of a login role in URLs and settings.
SHORT = {role.removeprefix("app_"): role for role in LOGINS}


def create_roles(conn: Connection, passwords: Mapping[str, str]) -> None:
    """Make every role of the platform and put its attributes, memberships and password right.

    `conn` is in autocommit mode, as a superuser or a role with CREATEROLE, CREATEDB and BYPASSRLS.
    `passwords` holds one password for each of `LOGINS` and for `keycloak`.
    """
    existing = {name for (name,) in conn.execute("select rolname from pg_roles")}
    for role in (*GROUPS, *LOGINS, KEYCLOAK):
        if role not in existing:
            conn.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    for role in GROUPS:
        bypass = sql.SQL("bypassrls" if role == "app_bypass" else "nobypassrls")
        conn.execute(sql.SQL("alter role {} nologin noinherit {}").format(sql.Identifier(role), bypass))
    for role in (*LOGINS, KEYCLOAK):
        conn.execute(
            sql.SQL("alter role {} login nobypassrls nocreatedb nocreaterole password {}").format(
                sql.Identifier(role), sql.Literal(passwords[role])
            )
        )
    for role in LOGINS:
        # A generic plan would hide the tenant constant from the planner.
        conn.execute(sql.SQL("alter role {} set plan_cache_mode = force_custom_plan").format(sql.Identifier(role)))
    conn.execute("grant app_owner, app_bypass, app_audit to app_migrate with inherit false, set true")
    conn.execute("grant app_tenant to app_rw, app_worker with inherit true, set false")


def create_database(conn: Connection, name: str, *, template: str | None = None, owner: str | None = None) -> bool:
    """Make a database that only the product's roles may enter; False when it was there already."""
    identifier = sql.Identifier(name)
    found = conn.execute("select pg_get_userbyid(datdba) from pg_database where datname = %s", [name]).fetchone()
    if found is None:
        source = sql.SQL("template {}").format(sql.Identifier(template or "template0"))
        conn.execute(sql.SQL("create database {} {} encoding 'UTF8'").format(identifier, source))
    elif owner is not None and found == (owner,):
        return False  # handed over on an earlier time: it is no longer ours to change
    conn.execute(sql.SQL("revoke all on database {} from public").format(identifier))
    if owner is None:
        entrants = sql.SQL(", ").join(map(sql.Identifier, LOGINS))
        conn.execute(sql.SQL("grant connect on database {} to {}").format(identifier, entrants))
    else:
        _may_become(conn, owner)
        conn.execute(sql.SQL("alter database {} owner to {}").format(identifier, sql.Identifier(owner)))
    return found is None


def create_schema(conn: Connection) -> None:
    """Inside the product's database: schema `app` of `app_owner`, and nothing for the public.

    `conn` is connected to that database, in autocommit mode.
    """
    if not conn.execute("select 1 from pg_namespace where nspname = %s", [SCHEMA]).fetchone():
        _may_become(conn, "app_owner")
        conn.execute("create schema app authorization app_owner")
    conn.execute("revoke all on schema public from public")
    with conn.transaction():
        conn.execute("set local role app_owner")
        conn.execute(
            "grant usage on schema app to app_tenant, app_bypass, app_audit, app_dir, app_clock, app_rt, app_auth"
        )
        conn.execute(
            "alter default privileges for role app_owner in schema app"
            " grant select, insert, update, delete on tables to app_bypass"
        )
        conn.execute(
            "alter default privileges for role app_owner in schema app grant usage, select on sequences to app_bypass"
        )


def _may_become(conn: Connection, role: str) -> None:
    """On a server of somebody else the bootstrap login is no superuser: it must be able to hand things to `role`."""
    if conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (False,):
        conn.execute(sql.SQL("grant {} to current_user with inherit false, set true").format(sql.Identifier(role)))
