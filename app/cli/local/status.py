"""`pipc status`: what runs at this moment, for a person and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from app.cli.local import state
from app.cli.local.installation import Installation

STATES = {
    "ready": "en marcha", "starting": "arrancando", "degraded": "con fallas", "stopped": "detenido",
    "restarting": "volviendo a arrancar", "unhealthy": "no responde", "failed": "falló", "waiting": "en espera",
}  # fmt: skip


def status(installation: Installation) -> dict[str, Any]:
    """The answer of `pipc status --json`: others build on its names."""
    found = state.running(installation.home)
    phase, processes = "stopped", []
    if found is not None:
        processes = state.processes(installation.home, found.told)
        phase = found.told["phase"] if found.told["phase"] in ("starting", "ready", "degraded") else "stopped"
        if phase == "ready" and any(row["state"] != "ready" for row in processes):
            phase = "degraded"
    return {
        "state": phase,
        "url": installation.base_url,
        "home": str(installation.home.root),
        "processes": processes,
        "urls": {
            "database": installation.database_urls()["dir"],
            "redis": installation.redis_url,
            "keycloak": installation.keycloak_url,
        },
    }


def show(answer: dict[str, Any]) -> None:
    """The same for a person."""
    console = Console(highlight=False)
    console.print(f"Protección Ciudadana: {STATES[answer['state']]} · {answer['url']} · {answer['home']}")
    if not answer["processes"]:
        return
    table = Table("Proceso", "Estado", "pid", "Memoria (MB)", box=None)
    for row in answer["processes"]:
        table.add_row(row["name"], STATES.get(row["state"], row["state"]), str(row["pid"] or "–"), str(row["rss_mb"]))
    console.print(table)
    console.print(f"Memoria en total: {sum(row['rss_mb'] for row in answer['processes'])} MB")
