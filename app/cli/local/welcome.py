"""What a person reads when everything is ready: where to enter and as whom."""

from __future__ import annotations

import json
import subprocess
import sys

from rich.console import Console
from rich.table import Column, Table

from app.cli.local.environment import ROOT, is_demonstration
from app.cli.local.installation import Installation

_WIDTH = 110  # a name or a password that is cut cannot be typed
_FIRST = ("operador", "supervisor", "admin", "direccion")
_PLACES = (
    ("Sala de monitoreo", "/sala"),
    ("Dirección provincial", "/direccion"),
    ("Capacitación", "/capacitacion"),
    ("Soporte técnico", "/soporte"),
    ("API y su documentación", "/api/docs"),
)


def welcome(installation: Installation, console: Console, took_s: float | None) -> None:
    """Print the addresses and a handful of the demonstration's users."""
    base = installation.base_url
    places = Table("Para entrar", "Página", box=None, title_justify="left")
    for name, path in _PLACES:
        places.add_row(name, f"{base}{path}")
    places.add_row("Keycloak", installation.keycloak_url)
    took = f" en {took_s:.0f} s" if took_s is not None else ""
    console.print(f"\n[bold]Protección Ciudadana está en marcha{took}:[/bold] {base}", highlight=False)
    console.print(places)
    if people := _people(installation):
        users = Table(*(Column(name, no_wrap=True) for name in ("Usuario", "Clave", "Municipio", "Rol")), box=None)
        for person in people:
            users.add_row(person["username"], person["password"], person["tenant"] or "provincia", person["role"])
        # On paper narrower than this a terminal wraps by itself; rich would cut the password.
        Console(file=console.file, width=max(console.width, _WIDTH)).print(users)
        console.print(
            "Todos los usuarios: [bold]pipc demo users[/bold] · segundo factor: [bold]pipc demo otp --user U[/bold]"
        )
        console.print("Los datos son de demostración.")
    console.print("Para detener: Ctrl-C aquí, o [bold]pipc down[/bold].")


def _people(installation: Installation) -> list[dict[str, str]]:
    """The first users a newcomer needs; none when this is not the demonstration."""
    if not is_demonstration(installation.env):
        return []
    command = [sys.executable, "-m", "app.cli.main", "demo", "users", "--json"]
    done = subprocess.run(command, env=installation.environment("cli"), cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        return []
    return [person for person in json.loads(done.stdout) if person["username"].split(".")[0] in _FIRST]
