"""Driving against the legal sense of a lane. A preventive alarm, never the record of an infraction.

No single window of time tells a wrong-way driver from a reversing car or a tracker's slip, so several must agree,
on a straight path, over a distance, and the agreement must last.
"""

import itertools
import math
from collections import deque
from dataclasses import dataclass, field

from workers.analytics.observation import VEHICLES
from workers.analytics.rules.config import Region, Rule
from workers.analytics.rules.events import Event
from workers.analytics.rules.geometry import Point, Polygon, contains, nearest_on_polyline
from workers.analytics.rules.ground import Space
from workers.analytics.rules.moment import Moment
from workers.analytics.rules.tracks import VELOCITY_S, Sample, Track

WINDOWS_S = (0.6, 1.5, 3.0)
SHARE = 0.6
MIN_COS = 0.5
MIN_M_S, MIN_BOX_S = 1.5, 0.6
MIN_M, MIN_BOXES = 8.0, 1.5
STRAIGHTNESS, PATH_STEP_S = 0.75, 0.2
HELD_S, HELD_SAMPLES = 0.4, 5
RUN_GRACE_S, CLOSE_S = 1.0, 1.0
SERIOUS_M, ONCOMING_M = 15.0, 30.0


@dataclass(slots=True)
class Lane:
    """A track's behaviour in one lane: watching → suspected (`held`) → fired."""

    axis: Polygon
    marks: deque[tuple[float, bool]] = field(default_factory=deque)
    start: Sample | None = None
    contrary_at: float = 0.0
    held: int = 0
    held_since: float = 0.0
    fired: Event | None = None
    is_over: bool = False
    farthest: float = 0.0
    legal_since: float | None = None
    outside_since: float | None = None


def judge(rule: Rule, region: Region, track: Track, moment: Moment, armed: bool) -> None:
    """Fire once per track and lane when every condition holds at once; close when the driver leaves or turns back."""
    lane: Lane | None = track.memory.get((rule.signature, region.id))
    if lane is None:
        assert region.axis is not None
        lane = track.memory.setdefault((rule.signature, region.id), Lane(_placed(region.axis, moment.space)))
    if lane.is_over:
        return
    sample = track.samples[-1]
    inside, cos = contains(region.polygon, sample.image), _cos_with_axis(track, lane, moment.space)
    contrary = inside and cos is not None and cos <= -MIN_COS
    _remember(lane, track, sample, inside, cos, contrary)
    if lane.fired:
        _close_when_over(lane, sample, inside, cos, moment)
    elif _holds(lane, sample, track, moment.space, contrary) and armed and track.cls in VEHICLES:
        _fire(rule, region, track, lane, moment)


def leave(rule: Rule, track: Track, lane: Lane, moment: Moment, why: str) -> None:
    """Close for a track that is gone."""
    if lane.fired:
        _end(lane, track.samples[-1] if track.samples else None, why, moment)


def _placed(axis: Polygon, space: Space) -> Polygon:
    """The axis in the measuring plane; a calibration that does not reach it is extended, never ignored."""
    if space.ground is None:
        return tuple((x * space.aspect, y) for x, y in axis)
    whole = type(space.ground)(space.ground.matrix, None)
    placed = (whole.metres(point) for point in axis)
    return tuple(point for point in placed if point is not None)


def _cos_with_axis(track: Track, lane: Lane, space: Space) -> float | None:
    """Cosine between the motion and the legal sense; None when the motion is unknown or too slow."""
    velocity = track.velocity()
    if velocity is None or len(lane.axis) < 2:
        return None
    sample, speed = track.samples[-1], math.hypot(*velocity)
    if speed < (MIN_M_S if space.calibrated else MIN_BOX_S) * sample.unit:
        return None
    _, heading = nearest_on_polyline(lane.axis, sample.place)
    return (velocity[0] * heading[0] + velocity[1] * heading[1]) / speed


def _remember(lane: Lane, track: Track, sample: Sample, inside: bool, cos: float | None, contrary: bool) -> None:
    if inside and track.velocity() is not None:
        lane.marks.append((sample.at, contrary))
    while lane.marks and sample.at - lane.marks[0][0] > WINDOWS_S[-1]:
        lane.marks.popleft()
    if contrary:
        lane.contrary_at = sample.at
        if lane.start is None:
            lane.start = next(old for old in track.samples if sample.at - old.at <= VELOCITY_S)
    elif lane.start and not lane.fired and sample.at - lane.contrary_at > RUN_GRACE_S:
        lane.start = None
    is_legal = inside and cos is not None and cos >= MIN_COS
    lane.legal_since = (lane.legal_since or sample.at) if is_legal else None
    lane.outside_since = None if inside else (lane.outside_since or sample.at)


def _holds(lane: Lane, sample: Sample, track: Track, space: Space, contrary: bool) -> bool:
    """Whether all conditions have held together for long enough."""
    agreed = contrary and all(share >= SHARE for share in _shares(lane, sample.at))
    if not agreed or lane.start is None or not _went_far(lane, sample, space) or not _is_straight(track, lane.start):
        lane.held = 0
        return False
    if lane.held == 0:
        lane.held_since = sample.at
    lane.held += 1
    return lane.held >= HELD_SAMPLES and sample.at - lane.held_since >= HELD_S - 1e-9


def _shares(lane: Lane, now: float) -> list[float]:
    shares = []
    for window in WINDOWS_S:
        total = against = 0
        for at, contrary in reversed(lane.marks):
            if now - at > window:
                break
            total += 1
            against += contrary
        shares.append(against / total if total else 0.0)
    return shares


def _progress(lane: Lane, sample: Sample) -> float:
    """How far the track went against the axis: metres, or box heights."""
    assert lane.start is not None
    begun, _ = nearest_on_polyline(lane.axis, lane.start.place)
    reached, _ = nearest_on_polyline(lane.axis, sample.place)
    return (begun - reached) / ((lane.start.unit + sample.unit) / 2)


def _went_far(lane: Lane, sample: Sample, space: Space) -> bool:
    return _progress(lane, sample) >= (MIN_M if space.calibrated else MIN_BOXES)


def _is_straight(track: Track, start: Sample) -> bool:
    """Net displacement over path length, on points a fifth of a second apart so that jitter does not add path."""
    points: list[Point] = []
    taken = -math.inf
    last = track.samples[-1]
    for sample in track.samples:
        if sample.at >= start.at and (sample.at - taken >= PATH_STEP_S - 1e-9 or sample is last):
            points.append(sample.place)
            taken = sample.at
    path = sum(math.dist(a, b) for a, b in itertools.pairwise(points))
    return path > 0 and math.dist(points[0], points[-1]) / path > STRAIGHTNESS


def _fire(rule: Rule, region: Region, track: Track, lane: Lane, moment: Moment) -> None:
    sample, start = track.samples[-1], lane.start
    assert start is not None
    lane.farthest = _progress(lane, sample)
    calibrated = moment.space.calibrated
    oncoming = _meets_traffic(track, lane, region, moment)
    serious = oncoming or (calibrated and lane.farthest >= SERIOUS_M)
    lane.fired = moment.fire(
        rule, region, track, start.pts_ns, severity=max(1, rule.severity - 1) if serious else rule.severity,
        speed=round(track.speed() or 0.0, 2), distance=round(lane.farthest, 2), unit="m" if calibrated else "box",
        shares=[round(share, 2) for share in _shares(lane, sample.at)], oncoming=oncoming,
    )


def _meets_traffic(track: Track, lane: Lane, region: Region, moment: Moment) -> bool:
    """Whether somebody drives the legal way in the same lane, within 30 m where metres are known."""
    here = track.samples[-1].place
    for other in moment.tracks.values():
        if other is track or not other.samples or other.cls not in VEHICLES or other.seen < moment.now:
            continue
        sample = other.samples[-1]
        cos = _cos_with_axis(other, lane, moment.space)
        if cos is None or cos < MIN_COS or not contains(region.polygon, sample.image):
            continue
        if not moment.space.calibrated or math.dist(here, sample.place) <= ONCOMING_M:
            return True
    return False


def _close_when_over(lane: Lane, sample: Sample, inside: bool, cos: float | None, moment: Moment) -> None:
    lane.farthest = max(lane.farthest, _progress(lane, sample))
    if lane.outside_since is not None and sample.at - lane.outside_since >= CLOSE_S:
        _end(lane, sample, "left", moment)
    elif lane.legal_since is not None and sample.at - lane.legal_since >= CLOSE_S:
        _end(lane, sample, "turned_back", moment)


def _end(lane: Lane, sample: Sample | None, why: str, moment: Moment) -> None:
    assert lane.fired is not None
    began = lane.start.at if lane.start else moment.now
    lasted = (sample.at if sample else moment.now) - began
    moment.end(lane.fired, why, distance=round(lane.farthest, 2), seconds=round(lasted, 2))
    lane.fired, lane.is_over = None, True
