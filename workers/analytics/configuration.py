"""What the child is told on its standard input: the session, its cameras and how to judge them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from workers.analytics.producers.cpu import CAPABILITIES, MAX_FPS
from workers.analytics.rules.config import MIN_FPS, CameraConfig, Refusal, Region, parse_camera, parse_lanes
from workers.analytics.rules.geometry import InvalidShape

SCHEMA = 1
FAST, CALM_FPS = 8, 6.25
WHOLE_FRAME = (Region("frame", None),)
DEFAULT_ZONE = "America/Argentina/Buenos_Aires"


class BadConfiguration(ValueError):
    """The configuration cannot be applied; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """Where a camera's pictures come from."""

    kind: Literal["unix", "url"]
    address: str
    request: Mapping[str, Any] = field(default_factory=dict)
    pace: bool = True


@dataclass(frozen=True, slots=True)
class CameraSetup:
    """One camera of the session."""

    id: UUID
    stream: Literal["main", "sub"]
    ingest: Ingest
    rules: CameraConfig
    lanes: tuple[Region, ...]
    plates: bool
    refused: tuple[Refusal, ...]

    @property
    def sees_motion(self) -> bool:
        """Whether anything but the picture's own health is asked of it."""
        return self.plates or any(rule.kind != "tamper" for rule in self.rules.rules)

    @property
    def fps(self) -> float:
        """Frames a second worth analysing: presence needs few, motion across lanes and plates need many."""
        return MAX_FPS if self.plates or any(MIN_FPS[rule.kind] >= FAST for rule in self.rules.rules) else CALM_FPS


@dataclass(frozen=True, slots=True)
class Setup:
    """The whole session."""

    session: UUID
    epoch: int
    run: int
    version: int
    blobs: Path
    cameras: Mapping[UUID, CameraSetup]
    ocr_per_second: float = 6.0
    context_images: bool = True


def parse(data: Mapping[str, Any]) -> Setup:
    """Read a configuration line; raises `BadConfiguration`."""
    if data.get("schema") != SCHEMA:
        raise BadConfiguration(f"schema {data.get('schema')!r} is not known")
    try:
        zone = ZoneInfo(data.get("timezone") or DEFAULT_ZONE)
        version, session = int(data.get("config_version", 0)), data["session"]
        limits = data.get("limits") or {}
        cameras = [_camera(row, version, zone) for row in data["cameras"]]
        return Setup(
            session=UUID(str(session["session_id"])), epoch=int(session["epoch"]), run=int(session["run"]),
            version=version, blobs=Path(data["blob_dir"]), cameras={camera.id: camera for camera in cameras},
            ocr_per_second=float(limits.get("ocr_per_second", 6.0)),
            context_images=bool(limits.get("context_images", True)),
        )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise BadConfiguration(f"{type(error).__name__}: {error}") from error


def _camera(row: Mapping[str, Any], version: int, zone: ZoneInfo) -> CameraSetup:
    rules, refused = parse_camera(row, version=version, zone=zone, capabilities=CAPABILITIES)
    try:
        lanes = parse_lanes(row.get("lanes") or ())
    except (InvalidShape, KeyError):
        lanes = WHOLE_FRAME
        refused = (*refused, Refusal("lanes", "bad_shape"))
    stream: Literal["main", "sub"] = "sub" if row.get("stream") == "sub" else "main"
    plates = bool(row.get("plates")) or any(rule.kind == "plate" for rule in rules.rules)
    return CameraSetup(UUID(str(row["id"])), stream, _ingest(row["ingest"]), rules, lanes, plates, refused)


def _ingest(row: Mapping[str, Any]) -> Ingest:
    if row["kind"] == "unix":
        return Ingest("unix", str(row["socket"]), dict(row["request"]))
    if row["kind"] == "url":
        return Ingest("url", str(row["url"]), pace=bool(row.get("pace", True)))
    raise ValueError(f"ingest of kind {row['kind']!r}")
