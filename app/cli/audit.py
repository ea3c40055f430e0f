"""`pipc audit verify`: walk every chain of the audit and name the first entry that does not match."""

from __future__ import annotations

import json
import sys

import click

from app.cli.context import settings
from app.cli.errors import CliError


@click.group()
def audit() -> None:
    """Registro de auditoría."""


@audit.command()
@click.option("--tenant", "slug", default="", help="Un solo municipio; por omisión todos y la Provincia.")
@click.option("--json", "as_json", is_flag=True, help="Una línea JSON por cadena.")
def verify(*, slug: str, as_json: bool) -> None:
    """Recalcula las cadenas; termina con 1 si alguna no está íntegra."""
    from app.audit import service
    from app.factory import build_runtime
    from tenants.core import service as municipalities

    runtime = build_runtime(settings())
    try:
        chosen = [one for one in municipalities.directory() if slug in ("", one.slug)]
        if not chosen:
            raise CliError(f"No hay un municipio «{slug}».", "pipc tenant list")
        names = {one.id: one.name for one in chosen}
        verdicts = service.verify_all((one.id, one.uuid) for one in chosen)
    finally:
        runtime.databases.dispose()
    for verdict in verdicts:
        if as_json:
            told = {
                "tenant": names[verdict.tenant_id],
                "checked": verdict.checked,
                "seq": verdict.seq,
                "fault": verdict.fault,
            }
            click.echo(json.dumps(told, ensure_ascii=False))
        elif verdict.checked or not verdict.is_sound:
            click.echo(f"{names[verdict.tenant_id]}: {verdict}")
    faults = sum(not verdict.is_sound for verdict in verdicts)
    if not as_json:
        click.echo(f"{len(verdicts)} cadenas verificadas, {faults} con diferencias.")
    sys.exit(1 if faults else 0)
