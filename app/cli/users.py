"""`pipc demo users`: who may sign in to the demonstration, and with what."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from app.cli.context import settings
from app.cli.errors import CliError
from app.identity import demonstration

FIELDS = ("username", "password", "tenant", "role", "totp_secret")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Una lista JSON.")
def users(*, as_json: bool) -> None:
    """Usuarios de la demostración y sus claves."""
    rows = [{name: asdict(person)[name] for name in FIELDS} for person in demonstration_people()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    width = max(len(row["username"]) for row in rows)
    for row in rows:
        click.echo(f"{row['username']:<{width}}  {row['password']}  {row['tenant']}")
    click.echo("\nEl segundo factor: pipc demo otp --user <usuario>")


def demonstration_people() -> list[demonstration.DemoPerson]:
    """The people of this installation. Raises `CliError` outside a demonstration."""
    current = settings()
    if not current.demonstration:
        raise CliError("Esta instalación no es de demostración: las personas están en Keycloak.", "pipc status")
    return demonstration.people(current.secret_key)


def demonstration_person(username: str) -> demonstration.DemoPerson:
    """One of them. Raises `CliError` for an unknown name."""
    for person in demonstration_people():
        if person.username == username:
            return person
    raise CliError(f"No hay un usuario de demostración «{username}».", "pipc demo users")
