"""Compares the catalogue of a migrated database with the class each table declares; every difference is one sentence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import psycopg

from tenants.core import classes

Connection = psycopg.Connection[Any]

_OWN = "tenant_id = (select app.tenant())"
_SELF = "id = (select app.tenant())"
_ACTING = "(select app.actor()) is not null"
_INSIDE = "(select app.tenant()) is not null"
_PURPOSE = "(select app.purpose()) is not null"
_UNPROTECTED = {"alembic_version", "schedules", "web_sessions"}
# Indexes for who looks across municipalities on purpose.
_CLOCK_INDEXES = {"ix_outbox_pending", "ix_outbox_sent", "ix_outbox_done"}
_TENANT_GRANTS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
_SUFFIX = {"ALL": "rw", "SELECT": "read", "INSERT": "add", "UPDATE": "write"}
_LOGINS = ("app_rw", "app_worker", "app_dir", "app_clock", "app_rt", "app_auth")

Policy = tuple[bool, str, str, str, str]
"""Permissive, role, command, USING, WITH CHECK."""


def problems(connection: Connection) -> list[str]:
    """Everything that is not as declared; empty when isolation stands on what it should."""
    checks = (tables, _keys, _indexes, _foreign_keys, _partitions, _grants, _views, _functions, _roles)
    return [problem for check in checks for problem in check(connection)]


def municipal_tables(connection: Connection) -> list[str]:
    """The tables of class `tenant`, sorted."""
    return sorted(name for name in _names(connection) if _class(name) == "tenant")


def _names(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute(
        "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') and not relispartition"
    )]  # fmt: skip


def _class(table: str) -> str:
    if table in classes.PLATFORM:
        return "platform"
    if table in classes.LINKED:
        return "linked"
    return "provincial" if table in classes.PROVINCIAL else "tenant"


def _expected(table: str) -> dict[str, Policy]:
    """The policies a table must have, and no other."""
    read = (True, "app_dir", "SELECT", _PURPOSE, "")
    match _class(table):
        case "tenant":
            found = {
                "tenant_floor": (False, "app_tenant", "ALL", _OWN, _OWN),
                "tenant_rw": (True, "app_tenant", "ALL", _OWN, _OWN),
                "dir_read": read,
            }
        case "linked":
            link = classes.LINKED[table]
            seen = (
                f"exists (select 1 from app.{link.through} l"
                f" where l.{link.key} = {table}.id and l.tenant_id = (select app.tenant()))"
            )
            found = {"linked_rw": (True, "app_tenant", "ALL", seen, seen), "dir_read": read}
        case "provincial":
            found = {
                "provincial_read": (True, "app_tenant", "SELECT", _INSIDE, ""),
                "dir_rw": (True, "app_dir", "ALL", _ACTING, _ACTING),
            }
        case _ if table == "tenants":
            found = {
                "tenant_self": (True, "app_tenant", "SELECT", _SELF, ""),
                "tenant_self_write": (True, "app_tenant", "UPDATE", _SELF, _SELF),
                "auth_read": (True, "app_auth", "SELECT", _ACTING, ""),
                "dir_rw": (True, "app_dir", "ALL", _ACTING, _ACTING),
            }
        case _:
            found = {}
    for role, commands in classes.SYSTEM.get(table, {}).items():
        for command in commands:
            using, check = ("" if command == "INSERT" else _ACTING), ("" if command == "SELECT" else _ACTING)
            found[f"{role.removeprefix('app_')}_{_SUFFIX[command]}"] = (True, role, command, using, check)
    return found


def tables(connection: Connection) -> Iterator[str]:
    """Owners, row security and policies."""
    query = "select relname, relrowsecurity, relforcerowsecurity, relowner::regrole::text from pg_class where oid = %s::regclass"
    policies = _policies(connection)
    for table in _names(connection):
        [(_, enabled, forced, owner)] = connection.execute(query, [f"app.{table}"]).fetchall()
        if owner != "app_owner":
            yield f"{table}: its owner is {owner}"
        if table not in _UNPROTECTED and not (enabled and forced):
            yield f"{table}: row security is not enabled and forced"
        found, expected = policies[table], _expected(table)
        for name, policy in expected.items():
            if found.pop(name, None) != policy:
                yield f"{table}: policy {name} is missing or different"
        for name in found:
            yield f"{table}: policy {name} was not expected"


def _policies(connection: Connection) -> dict[str, dict[str, Policy]]:
    found: dict[str, dict[str, Policy]] = defaultdict(dict)
    query = "select tablename, policyname, permissive, roles, cmd, qual, with_check from pg_policies where schemaname = 'app'"
    for table, name, permissive, roles, command, using, check in connection.execute(query):
        found[table][name] = (permissive == "PERMISSIVE", ",".join(roles), command, _plain(using), _plain(check))
    return found


def _plain(expression: str | None) -> str:
    """PostgreSQL's rendering of a predicate, written the way it was declared."""
    text = " ".join((expression or "").lower().split())
    text = re.sub(r"app\.(\w+)\(\) as \1", r"app.\1()", text)
    text = text.replace("( ", "(").replace(" )", ")")
    text = re.sub(r"\((l\.\w+ = \w+(?:\.id)?)\)", r"\1", text)
    text = re.sub(r"\((l\.tenant_id = \(select app\.tenant\(\)\))\)", r"\1", text)
    text = re.sub(r"where \((.*)\)\)\)$", r"where \1))", text)
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _columns(connection: Connection, table: str) -> dict[str, tuple[str, bool]]:
    query = """select attname, format_type(atttypid, null), attnotnull from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped"""
    return {name: (kind, required) for name, kind, required in connection.execute(query, [f"app.{table}"])}


def _keys(connection: Connection) -> Iterator[str]:
    for table in municipal_tables(connection):
        if _columns(connection, table).get("tenant_id") != ("integer", True):
            yield f"{table}: tenant_id is not an integer that is always there"


_INDEX_COLUMNS = """
    select t.relname, i.relname, x.indisunique,
      array(select a.attname::text from unnest(x.indkey::int[]) with ordinality k(n, o)
            left join pg_attribute a on a.attrelid = t.oid and a.attnum = k.n order by k.o)
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
    where t.relnamespace = 'app'::regnamespace and not t.relispartition"""


def _indexes(connection: Connection) -> Iterator[str]:
    with_key = set()
    for table, index, unique, columns in connection.execute(_INDEX_COLUMNS).fetchall():
        if _class(table) != "tenant":
            continue
        if columns[0] == "tenant_id":
            with_key.add(table)
        elif unique or index not in _CLOCK_INDEXES:
            yield f"{table}: index {index} does not start with tenant_id"
    for table in set(municipal_tables(connection)) - with_key:
        yield f"{table}: no key starts with tenant_id"


_FOREIGN_KEYS = """
    select c.conrelid::regclass::text, c.conname, c.confrelid::regclass::text,
      array(select a.attname::text from unnest(c.conkey) with ordinality k(n, o)
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.n order by k.o),
      array(select a.attname::text from unnest(c.confkey) with ordinality k(n, o)
            join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.n order by k.o)
    from pg_constraint c join pg_class t on t.oid = c.conrelid
    where c.contype = 'f' and c.connamespace = 'app'::regnamespace and c.conparentid = 0"""


def _foreign_keys(connection: Connection) -> Iterator[str]:
    for child, name, parent, local, remote in connection.execute(_FOREIGN_KEYS).fetchall():
        child, parent = child.removeprefix("app."), parent.removeprefix("app.")
        if _class(parent) != "tenant":
            continue
        if _class(child) != "tenant":
            yield f"{child}: foreign key {name} points from outside into a municipality"
        elif (local[0], remote[0]) != ("tenant_id", "tenant_id"):
            yield f"{child}: foreign key {name} accepts rows of another municipality"


_PARTITIONS = """
    select p.relname, c.relname, c.relrowsecurity and c.relforcerowsecurity, c.relowner::regrole::text,
      array(select g.grantee::regrole::text from aclexplode(c.relacl) g where g.grantee <> c.relowner),
      exists (select 1 from pg_policy where polrelid = c.oid)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')"""


def _partitions(connection: Connection) -> Iterator[str]:
    parents: dict[str, set[str]] = defaultdict(set)
    for parent, name, closed, owner, grantees, has_policy in connection.execute(_PARTITIONS).fetchall():
        parents[parent].add(name)
        if not closed or has_policy:
            yield f"{name}: a partition is closed by itself: forced row security and no policy"
        if owner != "app_owner" or grantees:
            yield f"{name}: granted to {', '.join(grantees) or owner}: policies act through the parent only"
    partitioned = connection.execute(
        "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind = 'p' and not relispartition"
    ).fetchall()
    for (parent,) in partitioned:
        if f"{parent}_default" not in parents[parent] or len(parents[parent]) < 4:
            yield f"{parent}: no default partition, or none ahead"


_GRANTS = """
    select c.relname, case when g.grantee = 0 then 'public' else g.grantee::regrole::text end, g.privilege_type
    from pg_class c cross join aclexplode(c.relacl) g
    where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and g.grantee <> c.relowner"""


def _grants(connection: Connection) -> Iterator[str]:
    for table, role, privilege in connection.execute(_GRANTS).fetchall():
        kind = _class(table)
        allowed = {
            "app_bypass": _TENANT_GRANTS,
            "app_tenant": {
                "tenant": _TENANT_GRANTS,
                "linked": _TENANT_GRANTS - {"DELETE"},
                "provincial": {"SELECT"},
            }.get(kind, set()),
            "app_dir": {"platform": set(), "provincial": _TENANT_GRANTS}.get(kind, {"SELECT"}),
        }.get(role, set())
        system = classes.SYSTEM.get(table, {}).get(role, frozenset())
        if system:
            allowed = _TENANT_GRANTS if "ALL" in system else set(system)
        if kind == "platform":
            allowed = allowed | _platform_grants(table, role)
        if privilege not in allowed:
            yield f"{table}: {role} was granted {privilege}"


def _platform_grants(table: str, role: str) -> set[str]:
    return {
        ("schedules", "app_clock"): {"SELECT", "UPDATE"},
        ("tenants", "app_tenant"): {"SELECT"},
        ("tenants", "app_auth"): {"SELECT"},
        ("tenants", "app_dir"): {"SELECT", "INSERT", "UPDATE"},
        ("web_sessions", "app_auth"): _TENANT_GRANTS,
    }.get((table, role), set())


def _views(connection: Connection) -> Iterator[str]:
    query = """select relname, relkind, coalesce(reloptions::text, '') from pg_class
        where relnamespace = 'app'::regnamespace and relkind in ('v', 'm')"""
    for name, kind, options in connection.execute(query).fetchall():
        if kind == "m" or "security_invoker=true" not in options:
            yield f"{name}: a view reads with its owner's rights"


def _functions(connection: Connection) -> Iterator[str]:
    query = """select proname, prosecdef, coalesce(array_to_string(proconfig, ';'), ''),
        exists (select 1 from aclexplode(coalesce(proacl, acldefault('f', proowner))) g where g.grantee = 0)
        from pg_proc where pronamespace = 'app'::regnamespace"""
    for name, definer, config, public in connection.execute(query).fetchall():
        if definer and name not in classes.DEFINERS:
            yield f"{name}: runs with its owner's rights and is not on the list"
        if definer and "search_path=pg_catalog, pg_temp" not in config:
            yield f"{name}: runs with its owner's rights and a search path of the caller's"
        if public:
            yield f"{name}: everybody may call it"


def _roles(connection: Connection) -> Iterator[str]:
    query = (
        "select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = any(%s)"
    )
    for role, powerful in connection.execute(query, [[*_LOGINS, "app_tenant", "app_owner", "app_audit"]]).fetchall():
        if powerful:
            yield f"{role}: may go around row security"
    for role in _LOGINS:
        for group in ("app_owner", "app_bypass", "app_audit", "app_migrate"):
            [(member,)] = connection.execute("select pg_has_role(%s, %s, 'member')", [role, group]).fetchall()
            if member:
                yield f"{role}: is a member of {group}"
        [(creates,)] = connection.execute("select has_schema_privilege(%s, 'app', 'create')", [role]).fetchall()
        if creates:
            yield f"{role}: may create objects"
    for role in ("app_dir", "app_clock", "app_rt", "app_auth"):
        [(member,)] = connection.execute("select pg_has_role(%s, 'app_tenant', 'member')", [role]).fetchall()
        if member:
            yield f"{role}: is a member of app_tenant"
