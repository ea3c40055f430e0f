"""`pipc tenant` on a real directory, without an identity service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import tenants
from tests.support.client import make_settings
from tests.support.world import World, configured


@pytest.fixture
def world(database_urls: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = make_settings(tmp_path, database_urls, redis_url="redis://127.0.0.1:1/0", keycloak_url="http://127.0.0.1:1")
    monkeypatch.setattr(tenants, "settings", lambda: made)
    with configured(database_urls) as ready:
        yield ready


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tenants.tenant, arguments)


def states(world: World, *slugs: str) -> list[str]:
    with world.admin() as conn:
        rows = conn.execute(
            "select state from app.tenants where slug = any(%s) order by slug", (list(slugs),)
        ).fetchall()
    return [state for (state,) in rows]


def test_list_names_the_135_and_as_json_their_facts(world: World) -> None:
    assert len(run("list").output.splitlines()) == 135
    active = json.loads(run("list", "--active", "--json").output)
    assert [one["slug"] for one in active] == ["azul", "general-pueyrredon", "laprida", "tres-arroyos"]


def test_add_opens_the_door_and_leaves_the_organization_as_a_job(world: World) -> None:
    first = run("add", "Partido de Chascomús", "06441")
    again = run("add", "chascomus")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "Chascomús: incorporado. Ingreso: /m/chascomus/entrar" in first.output
    assert "queda encargada como tarea" in first.output
    assert "ya está activo" in again.output
    assert states(world, "chascomus", "la-plata") == ["active", "active"]
    with world.admin() as conn:
        assert conn.execute("select count(*) from app.outbox where kind = 'identity.reconcile'").fetchone() == (2,)


def test_add_from_a_file_in_latin_1(world: World, tmp_path: Path) -> None:
    path = tmp_path / "altas.csv"
    path.write_bytes("Municipio;Expediente\nChascomús;1\nBolívar;2\n".encode("latin-1"))

    assert run("add", "--csv", str(path)).exit_code == 0
    assert states(world, "chascomus", "bolivar") == ["active", "active"]


def test_add_with_an_unknown_name_changes_nothing(world: World) -> None:
    result = run("add", "chascomus", "Atlántida")

    assert result.exit_code == 1
    assert "Atlántida" in str(result.exception)
    assert states(world, "chascomus") == ["inactive"]


def test_add_without_names_says_so(world: World) -> None:
    assert "Falta decir qué municipio" in str(run("add").exception)
