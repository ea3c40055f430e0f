"""Processes that are not our children: who lists them, whether they live, and how recorders are asked to end."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.local.home import Home
from app.cli.local.process import ProcessRef

# file under run/ -> prefix of the names shown, module that the process must be running
_LISTS = {
    "workers.json": ("worker-", "workers.run"),
    "node-workers.json": ("worker-", "workers.node"),
    "recorders.json": ("recorder-", "workers.recorder"),
    "analytics.json": ("analytics-", "workers.analytics"),
}
_ANSWER_S = 3.0
_END_S = 6.0


@dataclass(frozen=True)
class Member:
    """One process that another one of ours started and wrote down."""

    name: str
    ref: ProcessRef
    socket: str = ""


def members(home: Home, lists: tuple[str, ...] = tuple(_LISTS)) -> list[Member]:
    """The living ones. A pid that now belongs to another program is not one of ours."""
    return [member for name in lists for member in _read(home.run / name)]


def fleet_ready(path: Path) -> bool:
    """True when the list exists and everyone on it lives."""
    return path.exists() and 0 < len(_entries(path)) == len(list(_read(path)))


def node_works(home: Home) -> bool:
    """True when each municipality of this node has its recorder, and each of its sessions its analytics."""
    recorders, analytics = set(_living(home.run / "recorders.json")), set(_living(home.run / "analytics.json"))
    for identity in (home.node / "identities").glob("*.json"):
        tenant = str(_entries(identity).get("tenant_uuid"))
        desired = _entries(home.node / tenant / "desired.json")
        sessions = {str(session["id"]) for session in desired.get("sessions", [])}
        if not desired or tenant not in recorders or not sessions <= analytics:
            return False
    return True


def end_recorders(home: Home) -> None:
    """Ask every recorder to close its segments and end; insist by pid when one does not."""
    recorders = members(home, ("recorders.json",))
    for recorder in recorders:
        _ask_to_stop(recorder.socket)
    for recorder in recorders:
        if not recorder.ref.wait(_END_S):
            recorder.ref.end(timeout=_END_S)


def _read(path: Path) -> Iterator[Member]:
    prefix, _ = _LISTS[path.name]
    for key, (entry, ref) in _living(path).items():
        yield Member(prefix + _short(str(entry.get("tenant") or key)), ref, entry.get("socket", ""))


def _living(path: Path) -> dict[str, tuple[dict[str, Any], ProcessRef]]:
    """Those of the list that live, by their key."""
    _, module = _LISTS[path.name]
    refs = {key: (entry, ProcessRef.of(int(entry.get("pid") or 0))) for key, entry in _entries(path).items()}
    return {key: (entry, ref) for key, (entry, ref) in refs.items() if ref is not None and _runs(ref.pid, module)}


def _short(key: str) -> str:
    """A municipality by its first digits (they are random; those of a session tell when it was made); a queue by its name."""
    return key[:8] if key.count("-") == 4 else key


def _entries(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _runs(pid: int, module: str) -> bool:
    try:
        return module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _ask_to_stop(address: str) -> None:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_ANSWER_S)
            client.connect(address)
            client.sendall(b'{"op":"stop"}\n')
            client.recv(4096)
    except OSError:
        return  # its pid is still there to insist
