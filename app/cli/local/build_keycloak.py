"""The step that downloads and builds Keycloak, as a process of its own: it says how far it is on its output."""

from __future__ import annotations

import os
import time

import click

from app.cli.errors import CliError
from app.cli.local.cache import cache_folder
from app.cli.local.keycloak import DISTRIBUTION, built_tree


def main() -> None:
    """Make the tree, printing `PROGRESS <done> <total> <text>` lines at most four times a second."""
    said = [0.0]

    def progress(done: int, total: int) -> None:
        if time.monotonic() - said[0] > 0.25 or done == total:
            said[0] = time.monotonic()
            # The build that follows takes about as long as half of the download.
            click.echo(f"PROGRESS {done} {total * 3 // 2} descargando {done >> 20} de {total >> 20} MB")
        if done == total:
            click.echo(f"PROGRESS {total} {total * 3 // 2} preparando los archivos")

    click.echo(f"PROGRESS 0 {DISTRIBUTION.size} buscando el paquete")
    try:
        built_tree(cache_folder(os.environ), os.environ, progress)
    except CliError as error:
        click.echo(str(error), err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
