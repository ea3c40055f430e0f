"""The verbs of the command line on the real identity server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner, Result

from app.adapters.keycloak import oidc
from app.adapters.keycloak.administration import KeycloakAdmin
from app.cli import demo_token, users
from app.cli import identity as verbs
from app.cli.errors import CliError
from app.identity import service
from app.settings import Settings
from tenants.core import service as tenants
from tests.support.world import World

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]

PROVINCIAL = {"direccion", "auditoria", "soporte", "instructor"}


@pytest.fixture
def here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The command line of an installation on these servers; its secret is the same in every run, like its realm."""
    for module in (verbs, users, demo_token):
        monkeypatch.setattr(module, "settings", lambda: settings)
    return settings


def run(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_the_demonstration_is_reconciled_first_and_the_rest_left_as_jobs(here: Settings, world: World) -> None:
    first = run(verbs.identity, "reconcile", "--demonstration")
    second = run(verbs.identity, "reconcile", "--demonstration")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "0 correcciones en 0 llamadas" in second.output
    with world.admin() as connection:
        ((waiting,),) = connection.execute(
            "select count(*) from app.outbox where kind = %s", [service.RECONCILE]
        ).fetchall()
    assert waiting == 131
    tenants.forget()
    assert all(
        service.is_reconciled(tenant) for tenant in tenants.directory() if tenant.is_active and not tenant.is_province
    )


def test_users_are_those_of_the_issue(here: Settings) -> None:
    listed = json.loads(run(users.users, "--json").output)

    assert {"username", "password", "tenant", "role", "totp_secret"} == set(listed[0])
    names = {row["username"] for row in listed}
    assert names >= PROVINCIAL
    for slug in ("laprida", "tres-arroyos", "general-pueyrredon", "azul"):
        for role in ("operador", "policia", "supervisor", "admin", "alumno"):
            assert f"{role}.{slug}" in names
    assert len(names) == 24
    assert "operador.laprida" in run(users.users).output


@pytest.mark.parametrize(
    ("arguments", "tenant", "acr"),
    [
        (["--user", "operador.tres-arroyos"], "muni-06833", "1"),
        (["--user", "supervisor.laprida", "--elevated"], "muni-06448", "2"),
        (["--user", "direccion"], "", "1"),
    ],
)
def test_a_token_is_the_one_asked_for(
    here: Settings, world: World, arguments: Sequence[str], tenant: str, acr: str
) -> None:
    run(verbs.identity, "reconcile", "--demonstration")
    _, verifier = oidc.connect(here)

    claims = verifier.access_token(run(demo_token.token, *arguments).output.strip())

    assert claims["acr"] == acr
    assert list(claims.get("organization", {})) == ([tenant] if tenant else [])


def test_a_code_has_six_digits(here: Settings) -> None:
    code = run(demo_token.otp, "--user", "operador.laprida").output.strip()

    assert len(code) == 6
    assert code.isdigit()


def test_an_unknown_person_or_municipality_is_told_with_the_next_step(here: Settings) -> None:
    for command, arguments in (
        (demo_token.otp, ("--user", "nadie")),
        (demo_token.token, ("--user", "operador.laprida", "--tenant", "gotham")),
    ):
        with pytest.raises(CliError) as refusal:
            run(command, *arguments)
        assert refusal.value.next_command.startswith("pipc ")


def test_outside_a_demonstration_there_are_no_users(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "settings", lambda: replace(here, demonstration=False))

    with pytest.raises(CliError, match="no es de demostración"):
        run(users.users)


def test_check_tells_the_differences_and_changes_nothing(
    here: Settings, world: World, monkeypatch: pytest.MonkeyPatch, admin: KeycloakAdmin
) -> None:
    tenant = tenants.by_slug("azul")
    list(service.reconcile([tenant]))
    monkeypatch.setattr(verbs, "_municipalities", lambda: [replace(tenant, name="Azul de prueba")])
    monkeypatch.setattr(verbs, "_extras", lambda *_, **__: [])

    told = run(verbs.identity, "check")
    again = run(verbs.identity, "check")

    assert told.exit_code == again.exit_code == 1
    assert "Azul de prueba: los datos de la organización difieren" in told.output
    assert told.output == again.output


def test_a_server_that_does_not_answer_is_told_with_the_next_step(
    here: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs, "settings", lambda: replace(here, keycloak_url="http://127.0.0.1:9"))

    with pytest.raises(CliError, match="no responde"):
        run(verbs.identity, "check")
