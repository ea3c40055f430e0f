"""`pipc` as a person runs it, without the whole product."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from app.cli.local.engines import database_up
from app.cli.local.installation import Installation
from app.cli.local.postgres import THROWAWAY

ROOT = Path(__file__).resolve().parents[3]
Pipc = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def pipc(home) -> Pipc:
    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        given = {
            name: value for name, value in os.environ.items() if not name.startswith("PIPC_") or name == "PIPC_CACHE"
        }
        command = [sys.executable, "-m", "app.cli.main", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env={**given, "PIPC_HOME": str(home), **env}, capture_output=True, text=True, timeout=120
        )

    return run


def test_status_of_a_stopped_product_has_every_name_that_others_read(pipc, home) -> None:
    answer = json.loads(pipc("status", "--json").stdout)

    assert set(answer) == {"state", "url", "home", "processes", "urls"}
    assert answer["state"] == "stopped"
    assert answer["url"] == "http://127.0.0.1:8000"
    assert answer["home"] == str(home)
    assert answer["processes"] == []
    assert set(answer["urls"]) == {"database", "redis", "keycloak"}


def test_status_for_a_person_says_so_and_exits_with_a_finding(pipc) -> None:
    said = pipc("status")

    assert said.returncode == 1
    assert "detenido" in said.stdout


def test_down_with_nothing_running_is_harmless(pipc) -> None:
    assert pipc("down").returncode == 0


def test_init_twice_keeps_every_secret_and_the_databases(pipc, home) -> None:
    first = pipc("init")
    kept = {path.name: path.read_text() for path in (home / "secrets").iterdir()}
    second = pipc("init")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert {path.name: path.read_text() for path in (home / "secrets").iterdir()} == kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in (home / "secrets").iterdir())
    here = Installation.of({"PIPC_HOME": str(home), "HOME": str(home)})
    with database_up(here), psycopg.connect(here.admin_url) as conn:
        assert {"pipc", "keycloak"} <= {name for (name,) in conn.execute("select datname from pg_database")}
    assert here.postgres is not None
    assert not here.postgres.ready()


def test_busy_web_port_is_one_sentence_with_a_free_one_to_type(pipc) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]

        said = pipc("run", PIPC_PORT=str(port))

    assert said.returncode == 2
    assert f"El puerto {port} está ocupado por otro programa." in said.stderr
    assert "PIPC_PORT=" in said.stderr
    assert "make run" in said.stderr
    assert "Traceback" not in said.stderr


def test_folder_that_cannot_be_written_is_one_sentence(pipc) -> None:
    said = pipc("init", PIPC_HOME="/proc/pipc")

    assert said.returncode == 2
    assert "/proc" in said.stderr
    assert "Traceback" not in said.stderr


def test_database_given_that_does_not_answer_is_one_sentence(pipc) -> None:
    said = pipc("init", DATABASE_URL="postgresql://admin:secreto@127.0.0.1:9/pipc", REDIS_URL="redis://127.0.0.1:9/0")

    assert said.returncode == 2
    assert "No se puede entrar a PostgreSQL" in said.stderr
    assert "secreto" not in said.stderr + said.stdout


@pytest.mark.slow("starts a PostgreSQL of its own, as somebody else's server")
def test_database_given_is_initialised_by_a_login_that_is_no_superuser(pipc, tmp_path) -> None:
    server = Installation.of({"PIPC_HOME": str(tmp_path / "server"), "HOME": str(tmp_path)}, settings=THROWAWAY)
    assert server.postgres is not None
    with database_up(server):
        with psycopg.connect(server.postgres.url(), autocommit=True) as conn:
            conn.execute("create role bootstrap login createdb createrole bypassrls password 'x'")
        given = server.postgres.url("ajena", user="bootstrap", password="x")

        first = pipc("init", DATABASE_URL=given)
        second = pipc("init", DATABASE_URL=given)

        assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
        with psycopg.connect(server.postgres.url("ajena")) as conn:
            owner = conn.execute("select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'app'").fetchone()
        assert owner == ("app_owner",)


@pytest.mark.parametrize("verb", [["worker"], ["worker", "alarms", "media"]])
def test_worker_takes_one_queue_and_no_more(pipc, verb: list[str]) -> None:
    assert pipc(*verb).returncode == 2


def test_doctor_finds_the_packaged_engines(pipc) -> None:
    findings = {row["name"]: row for row in json.loads(pipc("doctor", "--json").stdout)}

    assert findings["PostgreSQL"]["advice"] == ""
    assert findings["Valkey"]["advice"] == ""
    assert findings["Puerto postgres"]["advice"] == ""


def test_logs_of_a_process_that_does_not_exist_names_the_ones_that_do(pipc, home) -> None:
    pipc("status")
    (home / "logs" / "web.log").write_text("una línea\n")

    assert pipc("logs", "web").stdout == "una línea\n"
    assert "Hay: web" in pipc("logs", "correo").stderr
