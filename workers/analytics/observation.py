"""The neutral record between seeing and judging: what one camera showed in one frame, and its JSON Lines form."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

SCHEMA = 1
CLASSES = ("car", "motorcycle", "bus", "truck", "bicycle", "person", "plate", "animal", "moving", "other")
VEHICLES = frozenset({"car", "motorcycle", "bus", "truck"})

Slots = tuple[tuple[tuple[str, float], ...], ...]
"""Top characters with their probability, one tuple per position of a plate."""


class UnknownSchema(ValueError):
    """The line was written by a producer of another major version."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the source frame, clipped to it."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def grown(self, margin: float) -> "Box":
        """Larger by a fraction of its size on every side, clipped to the frame."""
        dx, dy = margin * self.width, margin * self.height
        return Box(max(0.0, self.x1 - dx), max(0.0, self.y1 - dy), min(1.0, self.x2 + dx), min(1.0, self.y2 + dy))

    def is_valid(self) -> bool:
        return 0.0 <= self.x1 < self.x2 <= 1.0 and 0.0 <= self.y1 < self.y2 <= 1.0


@dataclass(frozen=True, slots=True)
class PlateRead:
    """One OCR result on one frame; `slots` keep the alternatives that the vote of a pass needs."""

    raw: str
    slots: Slots
    conf: float
    box: Box
    height_px: float
    sharpness: float
    crop_ref: str | None
    layout: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of the picture itself, for the tamper rules."""

    luma_mean: float
    luma_std: float
    edge_density: float
    sharpness: float
    frame_hash: str
    scene_sim: float | None


@dataclass(frozen=True, slots=True)
class VendorObj:
    """What a vendor's own analytics said about an object; a cross-check, never an input of the rules."""

    roi: tuple[str, ...] = ()
    line: tuple[str, ...] = ()
    dir: tuple[str, ...] = ()
    oc: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True, slots=True)
class VendorFrame:
    """A vendor's counters for a frame; carried, never judged."""

    oc: Mapping[str, bool] = field(default_factory=dict)
    in_roi: Mapping[str, int] = field(default_factory=dict)
    lc_curr: Mapping[str, int] = field(default_factory=dict)
    lc_cum: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Obj:
    """Something seen in a frame. `track` is a decimal string: 64-bit identifiers do not fit a JavaScript number."""

    track: str | None
    cls: str
    box: Box
    conf: float
    track_conf: float | None = None
    plate: PlateRead | None = None
    attrs: Mapping[str, str] = field(default_factory=dict)
    vendor: VendorObj | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """All that one camera showed in one frame. Empty ones are sent too: dwell and exit need the passing of time."""

    camera: UUID
    stream: Literal["main", "sub"]
    session: UUID
    epoch: int
    producer: str
    producer_version: str
    config_version: int
    frame: int
    pts_ns: int
    ntp_ns: int | None
    wall_ns: int
    size: tuple[int, int]
    preset: str | None
    objects: tuple[Obj, ...] = ()
    quality: Quality | None = None
    vendor: VendorFrame | None = None


class Border:
    """Holds the invariants where observations enter: what breaks them is counted and dropped, never raised."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._last: dict[UUID, tuple[int, int]] = {}

    def admit(self, observation: Observation) -> Observation | None:
        """Return the observation with only its valid objects, or None when the whole frame must be dropped."""
        fault = self._frame_fault(observation)
        if fault:
            self.dropped[fault] += 1
            return None
        self._last[observation.camera] = (observation.epoch, observation.pts_ns)
        kept = tuple(obj for obj in observation.objects if self._is_sound(obj))
        return observation if len(kept) == len(observation.objects) else replace(observation, objects=kept)

    def _frame_fault(self, observation: Observation) -> str | None:
        epoch, pts = self._last.get(observation.camera, (-1, -1))
        if observation.epoch < epoch:
            return "stale_epoch"
        if observation.epoch == epoch and observation.pts_ns <= pts:
            return "pts_not_increasing"
        return "bad_size" if min(observation.size) <= 0 else None

    def forget(self, camera: UUID) -> None:
        """Start a camera's timeline again, as when its source reconnects under another clock."""
        self._last.pop(camera, None)

    def _is_sound(self, obj: Obj) -> bool:
        fault = object_fault(obj)
        if fault:
            self.dropped[fault] += 1
        return fault is None


def object_fault(obj: Obj) -> str | None:
    """Name what is wrong with an object, or None."""
    if not obj.box.is_valid():
        return "bad_box"
    if obj.cls not in CLASSES:
        return "unknown_class"
    if obj.track is not None and not (obj.track.isascii() and obj.track.isdigit()):
        return "bad_track"
    if not (math.isfinite(obj.conf) and 0.0 <= obj.conf <= 1.0):
        return "bad_confidence"
    return None


def dumps(observation: Observation) -> str:
    """One JSON line, without the line end; fields without a value are left out."""
    return json.dumps({"schema": SCHEMA} | _plain(observation), separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Box):
        return [value.x1, value.y1, value.x2, value.y2]
    if hasattr(value, "__slots__") and not isinstance(value, UUID):
        pairs = ((name, getattr(value, name)) for name in value.__slots__)
        return {name: _plain(item) for name, item in pairs if item is not None}
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def loads(line: str | bytes) -> Observation:
    """Read one JSON line. Unknown keys are ignored; another schema raises `UnknownSchema`, nonsense `ValueError`."""
    try:
        data = json.loads(line)
        if data.get("schema") != SCHEMA:
            raise UnknownSchema(f"schema {data.get('schema')!r}")
        return _observation(data)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not an observation: {error!r}") from error


def _observation(data: Mapping[str, Any]) -> Observation:
    ntp, preset = data.get("ntp_ns"), data.get("preset")
    return Observation(
        camera=UUID(data["camera"]), stream=data["stream"], session=UUID(data["session"]), epoch=int(data["epoch"]),
        producer=str(data["producer"]), producer_version=str(data["producer_version"]),
        config_version=int(data["config_version"]), frame=int(data["frame"]), pts_ns=int(data["pts_ns"]),
        ntp_ns=None if ntp is None else int(ntp), wall_ns=int(data["wall_ns"]),
        size=(int(data["size"][0]), int(data["size"][1])), preset=preset,
        objects=tuple(_object(item) for item in data.get("objects", ())),
        quality=_quality(data.get("quality")), vendor=_known(VendorFrame, data.get("vendor")),
    )


def _object(data: Mapping[str, Any]) -> Obj:
    track, track_conf, plate = data.get("track"), data.get("track_conf"), data.get("plate")
    vendor = data.get("vendor")
    return Obj(
        track=None if track is None else str(track), cls=str(data["cls"]), box=_box(data["box"]),
        conf=float(data["conf"]), track_conf=None if track_conf is None else float(track_conf),
        plate=None if plate is None else _plate(plate), attrs=dict(data.get("attrs", {})),
        vendor=None if vendor is None else _vendor_object(vendor),
    )


def _plate(data: Mapping[str, Any]) -> PlateRead:
    slots = tuple(tuple((str(char), float(p)) for char, p in slot) for slot in data["slots"])
    return PlateRead(
        raw=str(data["raw"]), slots=slots, conf=float(data["conf"]), box=_box(data["box"]),
        height_px=float(data["height_px"]), sharpness=float(data["sharpness"]), crop_ref=data.get("crop_ref"),
        layout=str(data.get("layout", "")),
    )


def _vendor_object(data: Mapping[str, Any]) -> VendorObj:
    lists = {name: tuple(str(label) for label in data.get(name, ())) for name in ("roi", "line", "dir", "oc")}
    return VendorObj(**lists, status=str(data.get("status", "")))


def _quality(data: Mapping[str, Any] | None) -> Quality | None:
    if data is None:
        return None
    names = ("luma_mean", "luma_std", "edge_density", "sharpness")
    return Quality(**{name: float(data[name]) for name in names}, frame_hash=str(data["frame_hash"]),
                   scene_sim=data.get("scene_sim"))


def _box(data: list[float]) -> Box:
    x1, y1, x2, y2 = data
    return Box(float(x1), float(y1), float(x2), float(y2))


def _known(kind: type[VendorFrame], data: Mapping[str, Any] | None) -> VendorFrame | None:
    return None if data is None else kind(**{name: data[name] for name in kind.__slots__ if name in data})
