"""The only way a migration makes a table that municipalities share: row security, its policies and its grants in one operation.

Importing this module registers the operations with Alembic; `alembic/env.py` does it, migrations only call `op.tenant_table`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alembic.autogenerate import render, renderers, rewriter
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import CreateTableOp, DropTableOp

SCHEMA = "app"
WRITE = ("select", "insert", "update", "delete")

_OWN = "tenant_id = (select app.tenant())"
_ACTING = "(select app.actor()) is not null"
_INSIDE = "(select app.tenant()) is not null"
_PURPOSE = "(select app.purpose()) is not null"
# What each command of a policy may carry: USING, WITH CHECK.
_CLAUSES = {
    "all": (True, True), "select": (True, False), "insert": (False, True), "update": (True, True), "delete": (True, False),
}  # fmt: skip


def policy(table: str, name: str, role: str, command: str, predicate: str, *, restrictive: bool = False) -> str:
    """The statement that creates one policy whose reading and writing predicates are the same."""
    using, check = _CLAUSES[command]
    return (
        f"create policy {name} on {SCHEMA}.{table} as {'restrictive' if restrictive else 'permissive'}"
        f" for {command} to {role}"
        + (f" using ({predicate})" if using else "")
        + (f" with check ({predicate})" if check else "")
    )


def _forced(table: str) -> Iterator[str]:
    yield f"alter table {SCHEMA}.{table} enable row level security"
    yield f"alter table {SCHEMA}.{table} force row level security"


def tenant_sql(table: str, privileges: Sequence[str] = WRITE) -> Iterator[str]:
    """Class `tenant`: the restrictive floor, its permissive partner, the Dirección's reading with a purpose."""
    yield from _forced(table)
    yield policy(table, "tenant_floor", "app_tenant", "all", _OWN, restrictive=True)
    yield policy(table, "tenant_rw", "app_tenant", "all", _OWN)
    yield policy(table, "dir_read", "app_dir", "select", _PURPOSE)
    yield f"grant {', '.join(privileges)} on {SCHEMA}.{table} to app_tenant"
    yield f"grant select on {SCHEMA}.{table} to app_dir"


def linked_sql(table: str, through: str, key: str) -> Iterator[str]:
    """Class `linked`: a provincial entity that a municipality sees and writes through a row of its own in `through`.

    A new entity is inserted after the row that links to it, whose foreign key is checked at the commit.
    """
    mine = f"l.{key} = {table}.id and l.tenant_id = (select app.tenant())"
    seen = f"exists (select 1 from {SCHEMA}.{through} l where {mine})"  # noqa: S608 - names come from migrations
    yield policy(table, "linked_rw", "app_tenant", "all", seen)
    yield policy(table, "dir_read", "app_dir", "select", _PURPOSE)
    yield f"grant select, insert, update on {SCHEMA}.{table} to app_tenant"
    yield f"grant select on {SCHEMA}.{table} to app_dir"


def provincial_sql(table: str) -> Iterator[str]:
    """Class `provincial`: catalogues every municipality reads and only the Dirección writes."""
    yield from _forced(table)
    yield policy(table, "provincial_read", "app_tenant", "select", _INSIDE)
    yield policy(table, "dir_rw", "app_dir", "all", _ACTING)
    yield f"grant select on {SCHEMA}.{table} to app_tenant"
    yield f"grant select, insert, update, delete on {SCHEMA}.{table} to app_dir"


def system_sql(table: str, role: str, command: str, privileges: Sequence[str]) -> Iterator[str]:
    """What a tenantless part of the product (clock, push, sign-in, audit writer) may do, as long as it says who it is."""
    suffix = {"all": "rw", "select": "read", "insert": "add", "update": "write"}[command]
    yield policy(table, f"{role.removeprefix('app_')}_{suffix}", role, command, _ACTING)
    yield f"grant {', '.join(privileges)} on {SCHEMA}.{table} to {role}"


class _TableOp(MigrateOperation):
    """A table with what its class adds. `partition_by` names the time column; partitions are made by `app.ensure_partitions`."""

    operation = ""

    def __init__(self, name: str, columns: Sequence[Any], **options: Any) -> None:
        self.name = name
        self.columns = columns
        self.options = options

    def reverse(self) -> DropTableOp:
        return DropTableOp(self.name, schema=SCHEMA)


@Operations.register_operation("tenant_table")
class TenantTableOp(_TableOp):
    operation = "tenant_table"

    @classmethod
    def tenant_table(cls, operations, name, *columns, partition_by=None, period="month", privileges=WRITE):
        """Make a table whose key starts with `tenant_id`; with `partition_by`, partitioned by that time per month or day."""
        return operations.invoke(cls(name, columns, partition_by=partition_by, period=period, privileges=privileges))


@Operations.register_operation("linked_table")
class LinkedTableOp(_TableOp):
    operation = "linked_table"

    @classmethod
    def linked_table(cls, operations, name, *columns):
        """Make a table whose policies `op.link_through` adds once the linking table exists."""
        return operations.invoke(cls(name, columns))


@Operations.register_operation("provincial_table")
class ProvincialTableOp(_TableOp):
    operation = "provincial_table"

    @classmethod
    def provincial_table(cls, operations, name, *columns):
        """Make a catalogue that every municipality reads and the Dirección writes."""
        return operations.invoke(cls(name, columns))


@Operations.register_operation("link_through")
@Operations.register_operation("system_access")
class PoliciesOp(MigrateOperation):
    """Policies and grants added to an existing table."""

    def __init__(self, statements: Iterable[str]) -> None:
        self.statements = tuple(statements)

    @classmethod
    def link_through(cls, operations, name, through, key):
        """Show rows of linked table `name` to a municipality that has a row of `through` whose `key` is their id."""
        return operations.invoke(cls(linked_sql(name, through, key)))

    @classmethod
    def system_access(cls, operations, name, role, command, privileges):
        """Open table `name` across municipalities to one tenantless role for one command."""
        return operations.invoke(cls(system_sql(name, role, command, privileges)))


@Operations.implementation_for(TenantTableOp)
def _tenant_table(operations: Operations, op: TenantTableOp) -> Any:
    by = op.options.get("partition_by")
    extra: dict[str, Any] = (
        {"postgresql_partition_by": f"RANGE ({by})", "comment": f"partition={op.options['period']}"} if by else {}
    )
    table = operations.invoke(CreateTableOp(op.name, op.columns, schema=SCHEMA, **extra))
    key = list(table.primary_key.columns.keys())
    if key[:1] != ["tenant_id"]:
        raise ValueError(f"{op.name}: la clave primaria debe empezar con tenant_id")
    if by and by not in key:
        raise ValueError(f"{op.name}: la clave primaria debe contener {by}, por el que se divide")
    for statement in tenant_sql(op.name, op.options.get("privileges", WRITE)):
        operations.execute(statement)
    if by:
        operations.execute(f"select app.ensure_partitions('{op.name}')")
    return table


@Operations.implementation_for(LinkedTableOp)
def _linked_table(operations: Operations, op: LinkedTableOp) -> Any:
    table = operations.invoke(CreateTableOp(op.name, op.columns, schema=SCHEMA))
    for statement in _forced(op.name):
        operations.execute(statement)
    return table


@Operations.implementation_for(ProvincialTableOp)
def _provincial_table(operations: Operations, op: ProvincialTableOp) -> Any:
    table = operations.invoke(CreateTableOp(op.name, op.columns, schema=SCHEMA))
    for statement in provincial_sql(op.name):
        operations.execute(statement)
    return table


@Operations.implementation_for(PoliciesOp)
def _policies(operations: Operations, op: PoliciesOp) -> None:
    for statement in op.statements:
        operations.execute(statement)


writer = rewriter.Rewriter()


@writer.rewrites(CreateTableOp)
def _as_tenant_table(_context: Any, _revision: Any, op: CreateTableOp) -> Any:
    if any(getattr(column, "name", None) == "tenant_id" for column in op.columns):
        return TenantTableOp(op.table_name, op.columns)
    return op


@renderers.dispatch_for(TenantTableOp)
def _render(context: Any, op: TenantTableOp) -> str:
    parts = (
        render._render_column(column, context)  # the public renderer draws whole operations only
        if hasattr(column, "type")
        else render._render_constraint(column, context, None)
        for column in op.columns
    )
    body = ",\n".join(f"    {part}" for part in parts if part)
    return f"op.tenant_table(\n    {op.name!r},\n{body},\n)"
