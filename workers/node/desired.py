"""The desired state of one municipality: pulled from the province, cached on disk, enough by itself to record."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.node.identity import Identity
from workers.node.sealing import Credentials, SealError, open_sealed
from workers.recorder.files import make_directory, write_atomically

log = logging.getLogger(__name__)
SCHEMA = 1
EMPTY: dict[str, Any] = {"schema": SCHEMA, "version": 0, "cameras": [], "sessions": [], "orders": [], "holds": []}


class DesiredState:
    """The last desired state that was understood."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._state = read_cached(path)

    @property
    def state(self) -> Mapping[str, Any]:
        with self._lock:
            return self._state

    @property
    def version(self) -> int:
        return int(self.state["version"])

    def accept(self, fresh: Mapping[str, Any]) -> bool:
        """Keep a newer state; one of an unknown schema is refused and the cached one stays in force."""
        if fresh.get("schema") != SCHEMA or not isinstance(fresh.get("version"), int):
            log.error("desired state of schema %r is not understood", fresh.get("schema"))
            return False
        make_directory(self._path.parent)
        write_atomically(self._path, json.dumps(fresh).encode())
        with self._lock:
            self._state = dict(fresh)
        return True


def read_cached(path: Path) -> dict[str, Any]:
    """The cached state; an empty one when there is none."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return dict(EMPTY)
    return state if isinstance(state, dict) and state.get("schema") == SCHEMA else dict(EMPTY)


def recorder_message(
    state: Mapping[str, Any], identity: Identity, *, networks: Sequence[str], own_ports: Sequence[int],
    files: bool, paused: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The `apply` message of the municipality's recorder, credentials opened."""
    cameras = [row for camera in state.get("cameras", []) if (row := _camera(camera, identity)) is not None]
    declared = state.get("camera_networks")
    return {
        "op": "apply", "cameras": cameras, "networks": list(networks if declared is None else declared),
        "own_ports": list(own_ports), "files": files, "demonstration": bool(state.get("demonstration")),
        "view_keys": state.get("view_keys", []), "paused": paused,
    }  # fmt: skip


def _camera(camera: Mapping[str, Any], identity: Identity) -> dict[str, Any] | None:
    source = camera.get("source") or {}
    kind, url = source.get("kind"), source.get("url")
    if kind in (None, "none") or not url:
        return None
    try:
        credentials = opened(source, identity, UUID(str(camera["id"])))
    except SealError:
        log.error("credentials of camera %s cannot be opened with this node's key", camera.get("id"))
        credentials = Credentials()
    sub = camera.get("sub")
    return {
        "id": camera["id"], "record": bool(camera.get("record")),
        "main": {"kind": kind, "url": credentials.applied_to(url)},
        "sub": {"kind": kind_of(sub, kind), "url": credentials.applied_to(sub)} if sub else None,
    }  # fmt: skip


def opened(source: Mapping[str, Any], identity: Identity, camera: UUID) -> Credentials:
    """Raises `SealError`."""
    sealed = source.get("sealed")
    return open_sealed(identity.seal_key, sealed, identity.tenant, camera) if sealed else Credentials()


def kind_of(url: str, otherwise: str) -> str:
    """The source kind that a URL's scheme says."""
    scheme = url.partition(":")[0].lower()
    return {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http", "demo": "demo", "file": "file"}.get(
        scheme, otherwise
    )
