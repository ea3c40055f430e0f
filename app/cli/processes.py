"""`pipc worker`, `clock` and `node`: each becomes the module that runs it."""

from __future__ import annotations

import os
import sys

import click

from app.cli.context import installation


@click.command()
@click.argument("queue")
def worker(queue: str) -> None:
    """Atiende una sola cola de trabajos (por ejemplo: alarms)."""
    ours = queue.startswith("node-")
    _become("node-workers" if ours else "workers", "workers.node.worker" if ours else "workers.run", queue)


@click.command()
def clock() -> None:
    """Horarios, salida de trabajos y reconciliación."""
    _become("clock", "workers.clock")


@click.command()
def node() -> None:
    """El nodo municipal: graba y analiza las cámaras de esta máquina."""
    _become("node", "workers.node")


def _become(needs: str, module: str, *arguments: str) -> None:
    """Replace this process; what the environment says wins over what the installation would."""
    env = {**installation().environment(needs), **os.environ}
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], env)  # noqa: S606  # becoming it is the purpose
