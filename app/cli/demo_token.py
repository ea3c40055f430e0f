"""`pipc demo token` and `pipc demo otp`: what a script needs to act as one of the demonstration's people."""

from __future__ import annotations

import click

from app.cli.context import settings
from app.cli.errors import CliError
from app.cli.users import demonstration_person
from app.identity import totp
from app.identity.demonstration import PROVINCE, DemoPerson
from app.kernel import clock


@click.command()
@click.option("--user", "username", required=True, help="Por ejemplo operador.tres-arroyos.")
@click.option("--elevated", is_flag=True, help="Con segundo factor: sirve 10 minutos para acciones sensibles.")
@click.option("--tenant", "slug", default="", help="El token de otro municipio: la API lo rechaza.")
def token(username: str, slug: str, *, elevated: bool) -> None:
    """Un token de acceso a la API para un usuario de la demostración."""
    from app.adapters.keycloak import demonstration
    from app.kernel.errors import Unavailable
    from app.kernel.ports import TokenRefused

    person = demonstration_person(username)
    who = {"username": person.username, "password": person.password, "scope": _scope(slug or person.tenant)}
    try:
        if elevated:
            answer = demonstration.elevated_token(settings(), **who, codes=_codes(person))
        else:
            answer = demonstration.token(settings(), **who)
    except TokenRefused as refusal:
        raise CliError(
            f"El servicio de identidad no dio un token: {refusal.reason}", "pipc identity check"
        ) from refusal
    except Unavailable as error:
        raise CliError("El servicio de identidad no responde.", "pipc status") from error
    click.echo(answer["access_token"])


@click.command()
@click.option("--user", "username", required=True, help="Por ejemplo supervisor.laprida.")
def otp(username: str) -> None:
    """Los seis dígitos del segundo factor de un usuario de la demostración."""
    click.echo(totp.code_at(demonstration_person(username).totp_secret, clock.now().timestamp()))


def _codes(person: DemoPerson) -> list[str]:
    """The code of this half minute and its neighbours, which are accepted too: each works once."""
    now = clock.now().timestamp()
    return [totp.code_at(person.totp_secret, now + shift) for shift in (0, totp.PERIOD_S, -totp.PERIOD_S)]


def _scope(slug: str) -> str:
    from tenants.data.municipalities import municipalities

    if slug == PROVINCE:
        return "openid"
    for facts in municipalities():
        if facts.slug == slug:
            return f"openid organization:muni-{facts.code}"
    raise CliError(f"No hay un municipio «{slug}».", "pipc tenant list")
