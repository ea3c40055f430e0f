"""Ports: picked free once, written down, kept for ever after."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from app.cli.errors import CliError
from app.cli.local.home import Home

NAMES = ("postgres", "redis", "keycloak", "keycloak_management", "metrics")
DEFAULT_WEB = 8000
_FILE = "ports.json"


def is_free(port: int) -> bool:
    """True when this machine's loopback lets us listen on the port at this moment."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def pick_free(taken: set[int]) -> int:
    """A free port outside the range from which the kernel takes the ports of outgoing connections."""
    for _ in range(200):
        candidate = 20000 + int.from_bytes(os.urandom(2), "big") % 12000
        if candidate not in taken and is_free(candidate):
            return candidate
    raise CliError("No se encontró ningún puerto libre en esta máquina.", "pipc doctor")


def assigned(home: Home, env: Mapping[str, str]) -> dict[str, int]:
    """Every port of this home; the missing ones are picked and written down. `PIPC_PORT` decides the web's."""
    known: dict[str, int] = {k: int(v) for k, v in (home.read_json(_FILE) or {}).items()}
    ports = dict(known)
    ports["web"] = web_port(env, known.get("web", DEFAULT_WEB))
    for name in NAMES:
        if name not in ports:
            ports[name] = pick_free(set(ports.values()))
    if ports != known:
        home.write_json(_FILE, ports)
    return ports


def web_port(env: Mapping[str, str], default: int) -> int:
    """The port of the web: what `PIPC_PORT` says, or the one of last time."""
    text = env.get("PIPC_PORT", str(default))
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CliError(f"PIPC_PORT debe ser un número entre 1 y 65535, no «{text}».", "PIPC_PORT=8000 make run")
    return int(text)
