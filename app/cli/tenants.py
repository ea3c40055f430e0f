"""`pipc tenant`: which municipalities are in, and bringing one in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from app.cli.context import settings
from app.cli.errors import CliError
from app.kernel.actor import Actor
from app.kernel.errors import DomainError
from app.kernel.permissions import Permission
from tenants.core.models import PROVINCE_ID
from tenants.core.service import Tenant

DEFAULT_REASON = "Incorporado por línea de comandos"


@click.group()
def tenant() -> None:
    """Municipios: incorporar y listar."""


@tenant.command("list")
@click.option("--json", "as_json", is_flag=True, help="Una lista JSON.")
@click.option("--active", "only_active", is_flag=True, help="Sólo los que ya se incorporaron.")
def list_tenants(*, as_json: bool, only_active: bool) -> None:
    """Los 135 municipios y su estado."""
    from tenants.core import service as directory

    with _running():
        rows = [one for one in directory.directory() if not one.is_province and (one.is_active or not only_active)]
    if as_json:
        click.echo(json.dumps([_facts(one) for one in rows], ensure_ascii=False, indent=1))
        return
    width = max((len(one.slug) for one in rows), default=0)
    for one in rows:
        click.echo(f"{one.slug:<{width}}  {one.state:<9}  {one.name}")


@tenant.command()
@click.argument("names", nargs=-1, metavar="MUNICIPIO…")
@click.option("--csv", "csv_path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Un archivo con un municipio por fila; la columna «municipio», o la primera.")  # fmt: skip
@click.option("--reason", default=DEFAULT_REASON, show_default=True, help="Queda en la auditoría.")
def add(*, names: Sequence[str], csv_path: Path | None, reason: str) -> None:
    """Incorporar municipios, por nombre, código o forma corta: se abre su puerta y se prepara su organización."""
    wanted = _resolved([*names, *(_names_in(csv_path) if csv_path else ())])
    if not wanted:
        raise CliError("Falta decir qué municipio.", "pipc tenant list")
    with _running():
        added = [one for slug in wanted for one in _activate(slug, reason)]
        _reconcile(added)


def _activate(slug: str, reason: str) -> Iterator[Tenant]:
    from tenants.admin import service

    try:
        one = service.activate(_operator(), slug=slug, reason=reason)
    except service.AlreadyActive as already:
        click.echo(already.detail)
        return
    click.echo(f"{one.name}: incorporado. Ingreso: /m/{one.slug}/entrar")
    yield one


def _reconcile(added: Sequence[Tenant]) -> None:
    """Prepare the organizations at once; the job that was left does the same when the identity service is away."""
    from app.identity import service as identity

    try:
        for one, _ in identity.reconcile(added):
            click.echo(f"{one.name}: organización lista en el servicio de identidad.")
    except DomainError as refusal:
        click.echo(f"La organización queda encargada como tarea: {refusal.detail or refusal.title}")


def _operator() -> Actor:
    return Actor(
        kind="provincial", tenant_id=PROVINCE_ID, user_id="sistema:cli", display_name="Línea de comandos",
        permissions=frozenset({Permission.PROVINCE_BOARD_READ, Permission.PROVINCE_MUNICIPALITY_ADMIN}),
    )  # fmt: skip


def _resolved(names: Sequence[str]) -> list[str]:
    """Slugs of the municipalities that `names` say. Raises `CliError` naming the first that is none: never a guess."""
    from tenants.data.municipalities import find

    slugs = []
    for name in names:
        facts = find(name)
        if facts is None:
            raise CliError(f"«{name}» no es uno de los 135 municipios.", "pipc tenant list")
        slugs.append(facts.slug)
    return list(dict.fromkeys(slugs))


def _names_in(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    rows = list(csv.reader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ","))
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = heading.index("municipio") if "municipio" in heading else 0
    body = rows[1:] if "municipio" in heading else rows
    return [row[column].strip() for row in body if len(row) > column and row[column].strip()]


def _facts(one: Tenant) -> dict[str, object]:
    return {
        "slug": one.slug, "name": one.name, "code": one.code, "state": one.state, "section": one.section,
        "population": one.population, "demonstration": one.is_demo, "uuid": str(one.uuid),
    }  # fmt: skip


@contextmanager
def _running() -> Iterator[None]:
    """The product's ports and engines in this process."""
    from app.factory import build_runtime

    runtime = build_runtime(settings())
    try:
        yield
    finally:
        runtime.databases.dispose()
