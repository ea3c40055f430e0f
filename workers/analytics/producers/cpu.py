"""The default producer: decoded frames in, observations out, with nothing but motion and geometry.

Measured on two busy shared cores, decoding included, as a share of one core: 960×540 at 12.5 fps 5 % (11 % with a car to read
every 7 s), 640×360 at 12.5 fps 4 %, 640×360 judged at 6.25 fps 2 %, health only 0.3 %. A child with four cameras that reads
plates stays under 290 MB; one reading of a vehicle costs about 70 ms, and passes are read at a bounded rate.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from workers.analytics.observation import VEHICLES, Box, Obj, Observation
from workers.analytics.producers.frames import Frame
from workers.analytics.producers.motion import Blob, MotionDetector
from workers.analytics.producers.quality import QualityMeter
from workers.analytics.producers.tracker import Follow, Tracker
from workers.analytics.rules.config import Capabilities, Region
from workers.analytics.rules.geometry import contains

NAME, VERSION = "cpu", "1"
MAX_FPS = 12.5
CAPABILITIES = Capabilities(frozenset({"car", "moving"}), MAX_FPS, plates=True, tracking=True, char_probs=True)
FIXED = "fixed"
GONE_MARGIN = 0.03


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is looking: what every observation of a camera repeats."""

    camera: UUID
    session: UUID
    stream: Literal["main", "sub"]
    epoch: int


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame gave: the observation, the vehicles inside a lane, and the tracks that ended with how."""

    observation: Observation
    vehicles: tuple[tuple[str, Box], ...]
    ended: tuple[tuple[str, Literal["left", "lost"]], ...]


class CpuEye:
    """Watches one camera. Its presentation times keep increasing when the source starts its own again."""

    def __init__(self, identity: Identity, lanes: tuple[Region, ...], *, sees_motion: bool) -> None:
        self._identity = identity
        self.lanes = lanes
        self.sees_motion = sees_motion
        self._motion, self._tracker, self._quality = MotionDetector(), Tracker(), QualityMeter()
        self._timeline, self._offset_ns = -1, 0
        self._last_pts = self._last_wall = 0
        self._size = (0, 0)

    def look(self, frame: Frame, config_version: int) -> Look:
        pts = self._continue(frame)
        if (frame.width, frame.height) != self._size:
            self._size, self._motion = (frame.width, frame.height), MotionDetector()
        small = frame.small()
        quality = self._quality.measure(pts, frame.luma(), small)
        blobs: list[Blob] = []
        if self.sees_motion:
            blobs = self._motion.find(small, awake=bool(self._tracker.follows))
        matched, ended = self._tracker.update([blob.box for blob in blobs], pts / 1e9)
        seen = [(follow, self._object(follow, blob)) for follow, blob in zip(matched, blobs, strict=True) if follow]
        who = self._identity
        observation = Observation(
            who.camera, who.stream, who.session, who.epoch, NAME, VERSION, config_version, frame.index, pts, None,
            frame.wall_ns, self._size, FIXED, tuple(obj for follow, obj in seen if follow.confirmed), quality,
        )
        vehicles = tuple((str(follow.id), obj.box) for follow, obj in seen if follow.hits > 1 and obj.cls in VEHICLES)
        return Look(observation, vehicles, tuple((str(follow.id), _ending(follow)) for follow in ended))

    def follows(self) -> tuple[str, ...]:
        """The tracks being followed."""
        return tuple(str(follow.id) for follow in self._tracker.follows)

    def _continue(self, frame: Frame) -> int:
        """Presentation time on one line: a source that restarted goes on after as much time as passed on the wall."""
        if frame.timeline != self._timeline:
            passed = max(frame.wall_ns - self._last_wall, 1_000_000) if self._timeline >= 0 else 0
            self._offset_ns = self._last_pts + passed - frame.pts_ns
            self._timeline = frame.timeline
        self._last_pts, self._last_wall = frame.pts_ns + self._offset_ns, frame.wall_ns
        return self._last_pts

    def _object(self, follow: Follow, blob: Blob) -> Obj:
        foot = blob.box.centre[0], blob.box.y2
        in_lane = any(contains(lane.polygon, foot) or contains(lane.polygon, blob.box.centre) for lane in self.lanes)
        return Obj(str(follow.id), "car" if blob.is_vehicle and in_lane else "moving", blob.box, 1.0)


def _ending(follow: Follow) -> Literal["left", "lost"]:
    """Whether the last box touched the edge of the picture: then the thing was seen leaving."""
    box = follow.box
    edges = min(box.x1, box.y1, 1 - box.x2, 1 - box.y2)
    return "left" if edges < GONE_MARGIN else "lost"
