"""Proves with pgrls that no municipality can see or touch another's rows: `make proof` prints the two verdicts.

Lint looks at the whole schema. The proof runs on a copy without the policies of tenantless roles, whose reach across municipalities
is wanted and would make the question undecidable; every municipal table must come out PROVEN in the three modes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tenants.core import classes, migrations
from tools.engines import throwaway

ROOT = Path(__file__).parents[1]
MODES = ("anon", "cross-tenant", "write")
PROVEN, LEAK = "isolated", "leak"

_MUNICIPAL = """
    select c.relname from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"""
_TENANTLESS = """
    select schemaname, tablename, policyname from pg_policies where schemaname = 'app' and not 'app_tenant' = any(roles)"""


@dataclass(frozen=True)
class Verdicts:
    """What pgrls said: findings of lint that matter, and by mode the tables that are not proven."""

    findings: list[str]
    tables: int
    unproven: dict[str, list[str]]
    leaks: list[str]

    @property
    def is_sound(self) -> bool:
        return self.tables > 0 and not (self.findings or self.leaks or any(self.unproven.values()))


def prove(url: str) -> Verdicts:
    """Lint the database of `url` (an administrator's) and prove a copy of it. Nobody else may be connected to it."""
    with psycopg.connect(url, autocommit=True) as admin:
        municipal = {name for (name,) in admin.execute(_MUNICIPAL)} - {
            *classes.PLATFORM,
            *classes.LINKED,
            *classes.PROVINCIAL,
        }
    findings = lint(url)
    with _tenant_half(url) as copy:
        found = {mode: verify(copy, mode) for mode in MODES}
    unproven = {
        mode: sorted(table for table in municipal if by_table.get(table) != PROVEN) for mode, by_table in found.items()
    }
    leaks = sorted(
        {f"{mode} {table}" for mode, by_table in found.items() for table, word in by_table.items() if word == LEAK}
    )
    return Verdicts(findings, len(municipal), unproven, leaks)


def lint(url: str) -> list[str]:
    """Errors and warnings of `pgrls lint`, one line each."""
    report = _pgrls("lint", url)
    return [
        f"{found['severity']} {found['rule_id']} {found.get('location', '')}"
        for found in report["violations"]
        if found["severity"] in {"error", "warning"}
    ]


def verify(url: str, mode: str) -> dict[str, str]:
    """The verdict of each table in that mode."""
    report = _pgrls("verify", url, "--mode", mode, "--auth-function", "app.tenant", "--auth-function", "app.actor")
    return {table["table"].rpartition(".")[2]: table["verdict"] for table in report["tables"]}


def _pgrls(command: str, url: str, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("pgrls")), command, "--config", str(ROOT / "pgrls.toml"), "--schemas", "app",
         "--format", "json", *options],
        env={**os.environ, "DATABASE_URL": url, "XDG_RUNTIME_DIR": tempfile.gettempdir()}, capture_output=True, text=True,
    )  # fmt: skip
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"pgrls {command}: {done.stderr or done.stdout}") from None
    return report


@contextmanager
def _tenant_half(url: str) -> Iterator[str]:
    """A copy of the database that keeps only what municipalities' own roles may do."""
    name = urlsplit(url).path.lstrip("/")
    parts = urlsplit(url)
    copy, server = (urlunsplit(parts._replace(path=f"/{database}")) for database in (f"{name}_proof", "postgres"))
    drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(f"{name}_proof"))
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(drop)
        admin.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(f"{name}_proof"), sql.Identifier(name))
        )
        try:
            with psycopg.connect(copy, autocommit=True) as inside:
                for schema, table, policy in inside.execute(_TENANTLESS).fetchall():
                    inside.execute(
                        sql.SQL("drop policy {} on {}.{}").format(*map(sql.Identifier, (policy, schema, table)))
                    )
            yield copy
        finally:
            admin.execute(drop)


def main() -> int:
    """Prove a freshly migrated database on throwaway engines."""
    with throwaway() as urls:
        migrations.upgrade(urls["migrate"])
        verdicts = prove(urls["admin"])
    print(f"pgrls lint: {len(verdicts.findings)} errores y advertencias")
    for finding in verdicts.findings:
        print(f"  {finding}")
    for mode, tables in verdicts.unproven.items():
        print(
            f"pgrls verify {mode}: {verdicts.tables - len(tables)} de {verdicts.tables} tablas municipales demostradas"
        )
        for table in tables:
            print(f"  sin demostrar: {table}")
    for leak in verdicts.leaks:
        print(f"  FUGA: {leak}")
    print("Aislamiento demostrado." if verdicts.is_sound else "AISLAMIENTO NO DEMOSTRADO.")
    return 0 if verdicts.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
