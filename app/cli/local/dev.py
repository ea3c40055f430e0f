"""Engines alone, for development and tests: `python -m app.cli.local.dev up --home FOLDER`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from app.cli.local.engines import Engines
from app.cli.local.home import Home
from app.cli.local.postgres import THROWAWAY
from app.cli.local.process import ProcessRef, wait_until

_STATE = "dev.json"


@click.group()
def main() -> None:
    """Start or stop PostgreSQL and Valkey of a folder, without the rest of the product."""


@main.command()
@click.option("--home", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--until", "owner", type=int, help="Stop when the process with this pid ends.")
@click.option("--durable", is_flag=True, help="Keep fsync on.")
def up(folder: Path, owner: int | None, *, durable: bool) -> None:
    """Start the engines (once) and print their URLs as JSON."""
    home = Home.at(folder)
    if _keeper(home) is None:
        command = [sys.executable, "-m", "app.cli.local.dev", "hold", "--home", str(home.root)]
        command += ["--durable"] if durable else []
        command += ["--until", str(owner)] if owner else []
        with home.log("dev").open("ab") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=_ROOT
            )
        if not wait_until(lambda: child.poll() is not None or _keeper(home) is not None, 60):
            raise click.ClickException("Los motores no arrancaron a tiempo.")
        if child.poll() is not None:
            raise click.ClickException(home.log("dev").read_text()[-2000:])
    click.echo(json.dumps(home.read_json(_STATE)["urls"], indent=1))


@main.command()
@click.option("--home", "folder", type=click.Path(path_type=Path), required=True)
def down(folder: Path) -> None:
    """Stop the engines of a folder."""
    keeper = _keeper(Home.at(folder))
    if keeper is not None:
        keeper.end(signal.SIGTERM, 30)


@main.command(hidden=True)
@click.option("--home", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--until", "owner", type=int)
@click.option("--durable", is_flag=True)
def hold(folder: Path, owner: int | None, *, durable: bool) -> None:
    """Own the engines until told to stop or until the owner is gone."""
    home = Home.at(folder)
    guard = ProcessRef.of(owner) if owner else None
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: stopping.append(signum))
    engines = Engines.of(home, settings={} if durable else THROWAWAY)
    refs = engines.start(tied=True)
    engines.create_databases()
    me = ProcessRef.of(os.getpid())
    urls = {"redis": engines.valkey.url(), **engines.database_urls()}
    home.write_json(_STATE, {"pid": me.pid, "started": me.started, "urls": urls})  # type: ignore[union-attr]  # ourselves
    while not stopping and (owner is None or (guard is not None and guard.alive())):
        time.sleep(0.2)
    engines.postgres.stop(refs["postgres"])
    engines.valkey.stop(refs["redis"])


def _keeper(home: Home) -> ProcessRef | None:
    """The process that holds this folder's engines, when it is alive."""
    state = home.read_json(_STATE)
    if not state:
        return None
    ref = ProcessRef(state["pid"], state["started"])
    return ref if ref.alive() else None


_ROOT = Path(__file__).resolve().parents[3]

if __name__ == "__main__":
    main()
