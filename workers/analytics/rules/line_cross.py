"""Crossing a finite line. Side A is the left hand of whoever walks the line as drawn, side B the right hand."""

import math
from dataclasses import dataclass, field

from workers.analytics.rules.config import DEFAULT_CLASSES, Region, Rule
from workers.analytics.rules.geometry import Point, segments_intersect, signed_distance
from workers.analytics.rules.moment import Moment
from workers.analytics.rules.tracks import Track

BAND_HEIGHTS = 0.15
MIN_SAMPLES_BEFORE = 3
REARM_S, REARM_HEIGHTS = 2.0, 1.0


@dataclass(slots=True)
class Approach:
    """Where a track was last seen clear of the line's band, and when it crossed before."""

    samples: int = 0
    clear: Point | None = None
    clear_pts: int = 0
    side: float = 0.0
    crossings: dict[str, "Crossing"] = field(default_factory=dict)


@dataclass(slots=True)
class Crossing:
    """The last crossing in one direction, and whether the track has been clear of it since."""

    at: float
    place: Point
    was_away: bool = False


def judge(rule: Rule, region: Region, track: Track, moment: Moment, armed: bool) -> None:
    """Fire when a track goes from clear of one side to clear of the other through the segment."""
    approach: Approach = track.memory.setdefault((rule.signature, region.id), Approach())
    sample = track.samples[-1]
    approach.samples += 1
    assert region.axis is not None
    aspect = moment.space.aspect
    a, b = ((x * aspect, y) for x, y in region.axis)
    here = sample.image[0] * aspect, sample.image[1]
    for crossing in approach.crossings.values():
        crossing.was_away |= math.dist(here, crossing.place) >= REARM_HEIGHTS * sample.height
    distance = signed_distance(here, a, b)
    if abs(distance) < BAND_HEIGHTS * sample.height:
        return
    side = math.copysign(1.0, distance)
    before, since = approach.clear, approach.clear_pts
    changed = before is not None and side != approach.side and approach.samples > MIN_SAMPLES_BEFORE
    approach.clear, approach.clear_pts, approach.side = here, sample.pts_ns, side
    if not changed or before is None or not segments_intersect(before, here, a, b):
        return
    direction = "AB" if side > 0 else "BA"
    earlier = approach.crossings.get(direction)
    if earlier and not (earlier.was_away and sample.at - earlier.at >= REARM_S):
        return
    approach.crossings[direction] = Crossing(sample.at, here)
    wanted = rule.params.get("direction", "both")
    if armed and wanted in (direction, "both") and track.cls in rule.classes(DEFAULT_CLASSES):
        moment.fire(rule, region, track, since, direction=direction)
