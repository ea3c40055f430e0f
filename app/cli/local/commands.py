"""The verbs of the whole product on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
from rich.console import Console
from rich.table import Table

from app.cli.context import installation
from app.cli.errors import CliError
from app.cli.local import logs as output
from app.cli.local.doctor import examine
from app.cli.local.engines import database_up
from app.cli.local.environment import ROOT
from app.cli.local.run import down as stop_all
from app.cli.local.run import run as run_all
from app.cli.local.run import up as start_all
from app.cli.local.status import show
from app.cli.local.status import status as current


@click.command()
def run() -> None:
    """Arranca todo en primer plano; Ctrl-C lo detiene."""
    run_all(os.environ, Console())


@click.command()
def up() -> None:
    """Arranca todo en segundo plano y espera a que esté listo."""
    start_all(os.environ, Console())


@click.command()
def down() -> None:
    """Detiene todo lo que arrancó `pipc up` o `pipc run`."""
    stop_all(os.environ, Console())


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Una respuesta para programas.")
def status(*, as_json: bool) -> None:
    """Dice qué procesos están en marcha."""
    answer = current(installation())
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    show(answer)
    if answer["state"] != "ready":
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("process", required=False)
@click.option("-n", "--lines", default=40, show_default=True, help="Cuántas líneas de cada proceso.")
@click.option("-f", "--follow", is_flag=True, help="Seguir mostrando lo que llega.")
def logs(process: str | None, lines: int, *, follow: bool) -> None:
    """Muestra la salida de un proceso (web, keycloak, workers…), o de todos."""
    chosen = output.choose(installation().home, process)
    for log in chosen:
        for line in output.last_lines(log, lines if len(chosen) == 1 else min(lines, 10)):
            click.echo(line if process else f"{log.stem:>14} │ {line}")
    if follow:
        for name, line in output.follow(chosen):
            click.echo(line if process else f"{name:>14} │ {line}")


@click.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(*, as_json: bool) -> None:
    """Revisa la máquina y dice qué hacer con lo que falta."""
    findings = examine(installation())
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        table = Table("", "Qué", "Encontrado", "Qué hacer", box=None)
        for finding in findings:
            table.add_row("✗" if finding.advice else "✓", finding.name, finding.found, finding.advice)
        Console(highlight=False).print(table)
    if any(finding.advice for finding in findings):
        raise click.exceptions.Exit(1)


@click.command()
def init() -> None:
    """Prepara claves, funciones y bases de datos. Repetirlo no cambia nada."""
    here = installation()
    with database_up(here):
        here.initialise()
    if (env := here.realm_environment()) is not None:
        made = subprocess.run([sys.executable, "-m", "app.cli.local.realm"], cwd=ROOT, env=env)
        if made.returncode != 0:
            raise CliError(
                "No se pudo crear el reino en KEYCLOAK_URL.", "KEYCLOAK_URL=… KEYCLOAK_ADMIN_CLIENT_ID=… pipc init"
            )
    click.echo(f"Listo: {here.home.root}")


@click.command()
def migrate() -> None:
    """Lleva la base de datos a la última revisión."""
    here = installation()
    with database_up(here):
        here.initialise()
        command = [sys.executable, "-m", "app.cli.local.migration"]
        if subprocess.run(command, cwd=ROOT, env=here.environment("migrate")).returncode != 0:
            raise CliError("La migración no terminó; la base quedó en la última revisión completa.", "pipc migrate")
    click.echo("La base de datos está en la última revisión.")
