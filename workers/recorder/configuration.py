"""What the node daemon asks of a recorder, as the control socket carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from workers.recorder.sources import SourceSpec

KINDS = frozenset({"rtsp", "http", "file", "demo"})


class ConfigurationError(ValueError):
    """The message does not describe a recorder."""


@dataclass(frozen=True)
class CameraSpec:
    """One camera: where its streams come from and whether the main one is recorded."""

    id: UUID
    main: SourceSpec
    sub: SourceSpec | None
    record: bool


@dataclass(frozen=True)
class Configuration:
    cameras: tuple[CameraSpec, ...]
    networks: tuple[str, ...] = ()
    own_ports: tuple[int, ...] = ()
    files: bool = False
    demonstration: bool = False
    paused: str | None = None
    view_keys: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @classmethod
    def parse(cls, message: Mapping[str, Any]) -> Configuration:
        """Raises `ConfigurationError`."""
        try:
            return cls(
                cameras=tuple(parse_camera(row) for row in message.get("cameras", [])),
                networks=tuple(str(one) for one in message.get("networks", [])),
                own_ports=tuple(int(one) for one in message.get("own_ports", [])),
                files=bool(message.get("files", False)),
                demonstration=bool(message.get("demonstration", False)),
                paused=message.get("paused"),
                view_keys=tuple(message.get("view_keys", [])),
            )
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ConfigurationError("bad configuration") from None


def parse_camera(row: Mapping[str, Any]) -> CameraSpec:
    sub = row.get("sub")
    return CameraSpec(UUID(str(row["id"])), _source(row["main"]), _source(sub) if sub else None, bool(row["record"]))


def _source(row: Mapping[str, Any]) -> SourceSpec:
    if row["kind"] not in KINDS:
        raise ValueError(row["kind"])
    return SourceSpec(str(row["kind"]), str(row["url"]))
