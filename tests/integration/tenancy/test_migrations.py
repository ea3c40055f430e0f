"""Migrations: one chain with its head on file, up and down and up again, equal to the models, with the ground in it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from app.cli.local import roles
from tenants.core import migrations, seed
from tests.support.engines import TestEngines

ROOT = Path(__file__).parents[3]
NAME = "pipc_migrations"
OURS = {"app", "tenants", "lms", "workers"}


@pytest.fixture
def empty(engines: TestEngines) -> Iterator[dict[str, str]]:
    """URLs of a database with its roles and its schema and nothing else."""
    server = engines.postgres
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {NAME} with (force)")
        roles.create_database(admin, NAME)
    with psycopg.connect(server.url(NAME), autocommit=True) as inside:
        roles.create_schema(inside)
    yield engines.urls_of(NAME)
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"drop database {NAME} with (force)")


def left(url: str) -> int:
    query = """select (select count(*) from pg_class where relnamespace = 'app'::regnamespace and relname not like 'alembic_version%')
        + (select count(*) from pg_proc where pronamespace = 'app'::regnamespace)"""
    with psycopg.connect(url) as admin:
        [(count,)] = admin.execute(query).fetchall()
    return int(count)


def alembic(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PIPC_DB_MIGRATE_URL": url},
    )  # fmt: skip


@pytest.mark.slow("runs every migration three times")
def test_every_revision_goes_up_and_down_and_up_again(empty: dict[str, str]) -> None:
    migrations.upgrade(empty["migrate"])
    made = left(empty["admin"])
    migrations.downgrade(empty["migrate"], "base")
    nothing = left(empty["admin"])
    migrations.upgrade(empty["migrate"])

    assert nothing == 0
    assert left(empty["admin"]) == made > 0


@pytest.mark.slow("starts alembic")
def test_models_and_migrations_say_the_same(worker_database_urls: dict[str, str]) -> None:
    head = migrations.head()

    done = alembic(worker_database_urls["migrate"], "check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert migrations.head() == head, "asking what would change keeps nothing"


def test_there_is_one_head_and_it_is_on_file() -> None:
    script = ScriptDirectory.from_config(migrations.config(""))
    revisions = [revision.revision for revision in script.walk_revisions()]

    assert script.get_heads() == [migrations.head()]
    assert [revision for revision in revisions if not re.fullmatch(r"\d{4}_[a-z0-9_]{1,27}", revision)] == []
    assert {path.stem for path in (ROOT / "alembic/versions").glob("*.py")} == set(revisions)


def test_migrations_import_nothing_of_the_application() -> None:
    guilty = []
    for path in (ROOT / "alembic/versions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in getattr(node, "names", [])]
            )
            if isinstance(node, ast.Import | ast.ImportFrom) and {name.split(".")[0] for name in names} & OURS:
                guilty.append(path.name)

    assert guilty == []


def test_a_start_without_a_database_says_so() -> None:
    assert migrations.main({}) == 1


def test_a_start_brings_everything_up_to_date_once(worker_database_urls: dict[str, str], tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(worker_database_urls["migrate"])

    assert migrations.main({"PIPC_DB_MIGRATE_URL_FILE": str(secret)}) == 0
    assert seed.seed_directory(worker_database_urls["migrate"]) == 0
    assert seed.seed_schedules(worker_database_urls["migrate"]) == 0


def test_a_data_step_as_the_owner_changes_nothing(worker_database_urls: dict[str, str]) -> None:
    """Row security is forced on the owner too: whoever forgets `app_bypass` must notice by the number of rows."""
    with psycopg.connect(worker_database_urls["migrate"]) as migrating:
        migrating.execute("set local role app_owner")
        as_owner = migrating.execute("update app.tenants set accent = '#123456'").rowcount
        migrating.execute("set local role app_bypass")
        as_bypass = migrating.execute("update app.tenants set accent = '#123456'").rowcount
        migrating.rollback()

    assert (as_owner, as_bypass) == (0, 136)
