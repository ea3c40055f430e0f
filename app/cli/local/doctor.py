"""`pipc doctor`: what this machine lacks, each with what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.cli.errors import CliError
from app.cli.local import keycloak, ports, postgres, state, valkey
from app.cli.local.cache import cache_folder
from app.cli.local.environment import ROOT
from app.cli.local.installation import Installation
from app.cli.local.status import status

_MEMORY_MB = 7000
_DISK_MB = 6000


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `advice` is empty when it is well."""

    name: str
    found: str
    advice: str = ""


def examine(installation: Installation) -> list[Finding]:
    """Every check, none of which changes anything."""
    return [finding for check in _CHECKS for finding in check(installation)]


def _machine(_: Installation) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", version, "" if sys.version_info >= (3, 11) else "Instalar Python 3.11 o posterior.")
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    yield Finding("Memoria", f"{total} MB", "" if total >= _MEMORY_MB else "Se recomiendan 8 GB.")
    yield Finding("Procesadores", str(os.cpu_count()), "" if (os.cpu_count() or 1) >= 2 else "Se recomiendan 2.")
    year = time.gmtime().tm_year
    yield Finding(
        "Reloj", time.strftime("%d/%m/%Y %H:%M UTC", time.gmtime()), "" if year >= 2025 else "Ajustar la fecha."
    )


def _disk(installation: Installation) -> Iterator[Finding]:
    for name, folder in (
        ("Disco del estado", installation.home.root),
        ("Disco de descargas", cache_folder(os.environ)),
    ):
        free = shutil.disk_usage(folder).free >> 20
        advice = "" if free >= _DISK_MB else "Liberar espacio, o elegir otra carpeta con PIPC_HOME o PIPC_CACHE."
        yield Finding(name, f"{free} MB libres en {folder}", advice)


def _packages(installation: Installation) -> Iterator[Finding]:
    programs: tuple[tuple[str, Callable[[], Path]], ...] = (
        ("PostgreSQL", lambda: postgres.binary("postgres")), ("Valkey", valkey.binary),
    )  # fmt: skip
    for name, find in programs:
        try:
            yield Finding(name, str(find()))
        except CliError as error:
            yield Finding(name, "no está", str(error))
    built = keycloak.is_built(cache_folder(os.environ))
    yield Finding("Keycloak", keycloak.VERSION if built else "se descargará en el primer arranque (170 MB)")
    assets = ROOT / "app" / "ui" / "static" / "dist" / "manifest.json"
    yield Finding(
        "Archivos de las pantallas",
        "listos" if assets.exists() else "faltan",
        "" if assets.exists() else "Ejecutar make setup.",
    )


def _ports(installation: Installation) -> Iterator[Finding]:
    if state.running(installation.home) is not None:
        return
    for name, port in installation.ports.items():
        advice = "" if ports.is_free(port) else "Lo usa otro programa: elegir otro con PIPC_PORT, o cerrarlo."
        yield Finding(f"Puerto {name}", str(port), advice)


def _processes(installation: Installation) -> Iterator[Finding]:
    answer = status(installation)
    yield Finding("Producto", answer["state"])
    for row in answer["processes"]:
        if row["state"] != "ready":
            yield Finding(row["name"], row["state"], f"Ver pipc logs {row['name']}.")


_CHECKS = (_machine, _disk, _packages, _ports, _processes)
