"""The one list of `pipc` verbs: each is a click command in a small module, imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Verb:
    """Where a verb is, and what it does in one line."""

    place: str
    summary: str


@dataclass(frozen=True)
class Group:
    """Verbs under a common first word."""

    summary: str
    verbs: Mapping[str, Verb]


VERBS: Mapping[str, Verb | Group] = {
    "run": Verb("app.cli.local.commands:run", "Arranca todo en primer plano; Ctrl-C lo detiene."),
    "up": Verb("app.cli.local.commands:up", "Arranca todo en segundo plano y espera a que esté listo."),
    "down": Verb("app.cli.local.commands:down", "Detiene todo."),
    "status": Verb("app.cli.local.commands:status", "Dice qué procesos están en marcha."),
    "logs": Verb("app.cli.local.commands:logs", "Muestra la salida de un proceso, o de todos."),
    "doctor": Verb("app.cli.local.commands:doctor", "Revisa la máquina y dice qué hacer con lo que falta."),
    "init": Verb("app.cli.local.commands:init", "Prepara claves, funciones y bases de datos."),
    "migrate": Verb("app.cli.local.commands:migrate", "Lleva la base de datos a la última revisión."),
    "demo": Group(
        "Datos y usuarios de la demostración.",
        {
            "seed": Verb("app.cli.demo:seed", "Siembra los datos de la demostración."),
            "reset": Verb("app.cli.demo:reset", "Vuelve la demostración a su comienzo."),
            "users": Verb("app.cli.users:users", "Usuarios de la demostración y sus claves."),
            "token": Verb("app.cli.demo_token:token", "Un token de acceso a la API para un usuario."),
            "otp": Verb("app.cli.demo_token:otp", "Los seis dígitos del segundo factor de un usuario."),
        },
    ),
    "tenant": Verb("app.cli.tenants:tenant", "Municipios: incorporar y listar."),
    "camera": Verb("app.cli.camera:camera", "Cámaras: agregar y probar."),
    "identity": Verb("app.cli.identity:identity", "Municipios y funciones en Keycloak: revisar y poner al día."),
    "audit": Verb("app.cli.audit:audit", "Registro de auditoría: verificar la cadena."),
    "worker": Verb("app.cli.processes:worker", "Atiende una sola cola de trabajos."),
    "clock": Verb("app.cli.processes:clock", "Horarios, salida de trabajos y reconciliación."),
    "node": Verb("app.cli.processes:node", "El nodo municipal: graba y analiza las cámaras de esta máquina."),
}


class LazyGroup(click.Group):
    """A group that shows its verbs from the list and imports only the one that is used."""

    def __init__(self, name: str, summary: str, verbs: Mapping[str, Verb | Group]) -> None:
        super().__init__(name, help=summary, options_metavar="", subcommand_metavar="VERBO…")
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = self._verbs.get(cmd_name)
        if isinstance(verb, Group):
            return LazyGroup(cmd_name, verb.summary, verb.verbs)
        return None if verb is None else load(verb)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbos"):
            formatter.write_dl([(name, verb.summary) for name, verb in self._verbs.items()])


def load(verb: Verb) -> click.Command:
    """The command of a verb, its module imported."""
    module, _, attribute = verb.place.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command), verb.place
    for one in (command, *(command.commands.values() if isinstance(command, click.Group) else ())):
        one.options_metavar = "[OPCIONES]"
    return command
