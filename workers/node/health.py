"""Turns what a recorder sees into one event per real change: down at once, up again after half a minute without trouble."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workers.node.spool import Spool
from workers.recorder.clock import SECOND, iso

UP_AFTER_US = 30 * SECOND
_FACT = "camera_states"


@dataclass
class _Seen:
    state: str
    since_us: int
    up_since_us: int | None = None


class HealthDesk:
    """The state of every camera as the province knows it; it survives a restart of the daemon."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._seen = {camera: _Seen(**row) for camera, row in spool.fact(_FACT, {}).items()}

    def take(self, cameras: Iterable[Mapping[str, Any]], now_us: int) -> int:
        """Note what the recorder says of each camera; returns how many changes were told."""
        told = 0
        present = set()
        for row in cameras:
            present.add(row["camera_id"])
            told += self._one(row, now_us)
        for camera in set(self._seen) - present:
            del self._seen[camera]
        if told:
            self._spool.keep(
                _FACT, {camera: {"state": seen.state, "since_us": seen.since_us} for camera, seen in self._seen.items()}
            )
        return told

    def _one(self, row: Mapping[str, Any], now_us: int) -> int:
        camera, state = str(row["camera_id"]), str(row["state"])
        seen = self._seen.get(camera)
        if seen is None:
            self._seen[camera] = _Seen(state, now_us)
            return self._tell(row, state, now_us)
        if state == seen.state:
            seen.up_since_us = None
            return 0
        if state == "online" and seen.state in ("offline", "frozen", "dark"):
            seen.up_since_us = seen.up_since_us if seen.up_since_us is not None else now_us
            if now_us - seen.up_since_us < UP_AFTER_US:
                return 0
            now_us = seen.up_since_us
        elif state == "connecting" and seen.state in ("offline", "frozen", "dark"):
            seen.up_since_us = None
            return 0
        self._seen[camera] = _Seen(state, now_us)
        return self._tell(row, state, now_us)

    def _tell(self, row: Mapping[str, Any], state: str, since_us: int) -> int:
        error = row.get("error_code")
        item = {
            "type": "camera_state", "camera_id": row["camera_id"], "state": state, "since": iso(since_us),
            "error_code": error, "detail": {"derived": bool(row.get("derived"))},
        }  # fmt: skip
        self._spool.put(item)
        return 1

    def since(self, camera: str) -> int | None:
        seen = self._seen.get(camera)
        return seen.since_us if seen else None

    def state(self, camera: str) -> str | None:
        seen = self._seen.get(camera)
        return seen.state if seen else None
