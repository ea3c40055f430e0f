"""`pipc identity`: compare the identity server with what the municipalities need, and put it right."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import click

from app.adapters.keycloak.administration import KeycloakAdmin
from app.cli.context import settings
from app.cli.errors import CliError
from app.identity import demonstration, service
from app.kernel import ports, unit_of_work
from app.kernel.db import Databases
from app.kernel.errors import Unavailable
from app.settings import Settings
from tenants.core import service as tenants
from tenants.core.service import Tenant


class _NoNudge:
    def publish(self, channel: str, message: bytes) -> None:
        """Whoever polls sees it a second later."""


@click.group()
def identity() -> None:
    """Municipios y funciones en el servicio de identidad."""


@identity.command()
def check() -> None:
    """Dice qué difiere, sin cambiar nada; termina con 1 si hay diferencias."""
    current = settings()
    with _connected(current) as admin:
        differences = list(_differences(admin, current.base_url))
    for text in differences:
        click.echo(text)
    click.echo("Sin diferencias." if not differences else f"{len(differences)} diferencias: pipc identity reconcile")
    sys.exit(1 if differences else 0)


@identity.command()
@click.option("--prune", is_flag=True, help="Quita también los grupos y organizaciones que sobran.")
@click.option("--demonstration", "only_demonstration", is_flag=True,
              help="Primero los municipios activos y sus personas; el resto queda encargado como tarea.")  # fmt: skip
def reconcile(*, prune: bool, only_demonstration: bool) -> None:
    """Crea y corrige organizaciones, grupos y funciones. Repetirlo no cambia nada."""
    current = settings()
    with _connected(current) as admin:
        changed = len(admin.reconcile_web_client(current.base_url))
        everyone = _municipalities()
        first = [tenant for tenant in everyone if tenant.is_active]
        rest = [tenant for tenant in everyone if not tenant.is_active]
        changed += _put_right(first, prune=prune)
        if current.demonstration:
            _ensure_people(admin, current, first)
        if only_demonstration:
            _leave_for_later(rest)
        else:
            changed += _put_right(rest, prune=prune)
            _report_extras(_extras(admin, everyone, prune=prune), prune=prune)
        click.echo(f"Identidad al día: {changed} correcciones en {admin.writes} llamadas.")


@contextmanager
def _connected(current: Settings) -> Iterator[KeycloakAdmin]:
    """The administration of the identity server, and the database of the municipalities."""
    engines = Databases(current.databases, default_role="rw")
    unit_of_work.configure(engines, _NoNudge())
    admin = KeycloakAdmin(current)
    ports.plug(identity_admin=admin)
    try:
        yield admin
    except Unavailable as error:
        raise CliError("El servicio de identidad no responde.", "pipc status") from error
    finally:
        engines.dispose()


def _differences(admin: KeycloakAdmin, base_url: str) -> Iterator[str]:
    yield from admin.reconcile_web_client(base_url, dry_run=True)
    municipalities = _municipalities()
    for tenant, outcome in service.reconcile(municipalities, dry_run=True):
        yield from (f"{tenant.name}: {change}" for change in outcome.changes)
    yield from (f"sobra la organización {alias}" for alias in _extras(admin, municipalities, prune=False))


def _municipalities() -> list[Tenant]:
    return [tenant for tenant in tenants.directory() if not tenant.is_province]


def _put_right(municipalities: Sequence[Tenant], *, prune: bool) -> int:
    changed = 0
    for tenant, outcome in service.reconcile(municipalities, prune=prune):
        changed += len(outcome.changes)
        if outcome.changes:
            click.echo(f"{tenant.name}: {len(outcome.changes)} correcciones")
    return changed


def _ensure_people(admin: KeycloakAdmin, current: Settings, municipalities: Iterable[Tenant]) -> None:
    """The demonstration's people, each with their municipality's organization."""
    aliases = {tenant.slug: tenant.kc_alias or "" for tenant in municipalities} | {demonstration.PROVINCE: ""}
    for person in demonstration.people(current.secret_key):
        if person.tenant in aliases:
            admin.ensure_person(person.spec(aliases[person.tenant]))


def _leave_for_later(municipalities: Iterable[Tenant]) -> None:
    from app.identity import tasks  # noqa: F401 - declares the job

    for tenant in municipalities:
        if not service.is_reconciled(tenant):
            service.request_reconciliation(tenant)


def _extras(admin: KeycloakAdmin, municipalities: Sequence[Tenant], *, prune: bool) -> list[str]:
    return admin.extra_organizations([tenant.kc_alias or "" for tenant in municipalities], prune=prune)


def _report_extras(aliases: Sequence[str], *, prune: bool) -> None:
    for alias in aliases:
        click.echo(f"{'Se quitó' if prune else 'Sobra'} la organización {alias}.")
