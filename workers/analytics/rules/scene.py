"""Rules about the picture as a whole: crowding, a covered or dead camera, a frozen image."""

from collections import deque
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from workers.analytics.rules.config import Region, Rule
from workers.analytics.rules.events import Event
from workers.analytics.rules.geometry import contains
from workers.analytics.rules.moment import Moment

CROWD_MEDIAN_S, CROWD_S, CROWD_CLEAR_S, CROWD_CLEAR_SHARE = 2.0, 10.0, 10.0, 0.8
BLACK_MEAN, BLACK_STD, BLACK_S = 16.0, 6.0, 5.0
FROZEN_S = 10.0
CLEAR_S = 2.0


@dataclass(slots=True)
class Episode:
    """A condition of the picture: since when it holds, since when it does not, and what was told."""

    since: float | None = None
    since_pts: int = 0
    clear_since: float | None = None
    fired: Event | None = None
    window: deque[tuple[float, int]] = field(default_factory=deque)
    frame_hash: str = ""

    def hold(self, holds: bool, now: float, pts_ns: int) -> float:
        """Account for one look; how long the condition has held, zero when it does not."""
        if not holds:
            self.since = None
            self.clear_since = now if self.clear_since is None else self.clear_since
            return 0.0
        self.clear_since = None
        if self.since is None:
            self.since, self.since_pts = now, pts_ns
        return now - self.since


def crowd(rule: Rule, region: Region, memory: MutableMapping[tuple[str, str], Any], moment: Moment, armed: bool) -> None:
    """Count detections, not tracks; occlusion makes it undercount."""
    episode: Episode = memory.setdefault((rule.signature, region.id), Episode())
    classes, limit = rule.classes(frozenset({"person"})), rule.number("count", 10)
    inside = sum(obj.cls in classes and contains(region.polygon, (obj.box.centre[0], obj.box.y2))
                 for obj in moment.observation.objects)
    episode.window.append((moment.now, inside))
    while moment.now - episode.window[0][0] > CROWD_MEDIAN_S:
        episode.window.popleft()
    count = median(seen for _, seen in episode.window)
    if episode.fired is None:
        lasted = episode.hold(count >= limit, moment.now, moment.observation.pts_ns)
        if armed and count >= limit and lasted >= rule.number("seconds", CROWD_S) - 1e-9:
            episode.fired = moment.fire_scene(rule, region, rule.kind, region.id, episode.since_pts, count=count)
        return
    episode.hold(count > CROWD_CLEAR_SHARE * limit, moment.now, moment.observation.pts_ns)
    _end_when_clear(episode, CROWD_CLEAR_S, moment)


def tamper(rule: Rule, region: Region, memory: MutableMapping[tuple[str, str], Any], moment: Moment, armed: bool) -> None:
    """A dark camera and a frozen picture; a dark one is also still, and is told as dark only."""
    quality = moment.observation.quality
    if quality is None:
        return
    black: Episode = memory.setdefault((rule.signature, "black"), Episode())
    frozen: Episode = memory.setdefault((rule.signature, "frozen"), Episode())
    is_black = quality.luma_mean < BLACK_MEAN and quality.luma_std < BLACK_STD
    _tell_episode(black, is_black, BLACK_S, "black", rule, region, moment, armed)
    same = quality.frame_hash == frozen.frame_hash and not is_black
    frozen.frame_hash = quality.frame_hash
    _tell_episode(frozen, same, FROZEN_S, "frozen", rule, region, moment, armed)


def _tell_episode(episode: Episode, holds: bool, needed: float, subject: str, rule: Rule, region: Region,
                  moment: Moment, armed: bool) -> None:
    lasted = episode.hold(holds, moment.now, moment.observation.pts_ns)
    if episode.fired is not None:
        _end_when_clear(episode, CLEAR_S, moment)
    elif armed and holds and lasted >= needed - 1e-9:
        kind = f"tamper_{subject}"
        episode.fired = moment.fire_scene(rule, region, kind, subject, episode.since_pts, seconds=round(lasted, 1))


def _end_when_clear(episode: Episode, needed: float, moment: Moment) -> None:
    if episode.fired and episode.clear_since is not None and moment.now - episode.clear_since >= needed - 1e-9:
        moment.end(episode.fired, "cleared")
        episode.fired = episode.since = None
