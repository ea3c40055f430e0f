"""The entry point of `pipc`: verbs, and errors told in one sentence with the next command."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import traceback
from pathlib import Path

import click

from app.cli import spanish
from app.cli.errors import CliError
from app.cli.local.environment import ROOT
from app.cli.verbs import VERBS, LazyGroup

pipc = LazyGroup("pipc", "Protección Ciudadana: la plataforma provincial de los centros de monitoreo.", VERBS)


def main() -> None:
    """Run one verb. Exit code 0 well, 1 findings, 2 could not run."""
    spanish.install()
    try:
        code = pipc.main(prog_name="pipc", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except CliError as error:
        _say(f"{error.sentence}\n  Siguiente paso: {error.next_command}")
        sys.exit(error.exit_code)
    except Exception as error:
        _say(_explain(error))
        sys.exit(2)


def _explain(error: Exception) -> str:
    """What we know how to say; for the rest, the identifier under which the detail was kept."""
    from app.kernel.errors import DomainError
    from app.settings import SettingsError

    if isinstance(error, SettingsError):
        return f"{error}\n  Siguiente paso: pipc doctor"
    if isinstance(error, DomainError):
        return f"{error.title}\n  Siguiente paso: pipc status"
    identifier = secrets.token_hex(4)
    log = Path(os.environ.get("PIPC_HOME") or ROOT / ".pipc").absolute() / "logs" / "errors.log"
    with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
        file.write(f"--- {identifier} pipc {' '.join(sys.argv[1:2])}\n{traceback.format_exc()}\n")
    if "OperationalError" in type(error).__name__ or isinstance(error, ConnectionError):
        return f"No responde un servidor que hace falta (detalle {identifier} en {log}).\n  Siguiente paso: pipc up"
    return f"No se pudo completar «pipc {' '.join(sys.argv[1:3])}» (detalle {identifier} en {log}).\n  Siguiente paso: pipc doctor"


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
