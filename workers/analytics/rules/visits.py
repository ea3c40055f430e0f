"""Rules about being in a zone: intrusion, loitering and stopping."""

from dataclasses import dataclass, field

from workers.analytics.observation import VEHICLES
from workers.analytics.rules.config import DEFAULT_CLASSES, PEOPLE, Region, Rule
from workers.analytics.rules.events import Event
from workers.analytics.rules.geometry import contains
from workers.analytics.rules.moment import Moment
from workers.analytics.rules.tracks import Track, Visit

PERSON_S, VEHICLE_S = 3.0, 5.0
LOITERING_S, STOPPED_S = 60.0, 20.0
STOPPED_M_S, STOPPED_BOX_S = 0.3, 0.1
MIN_CONFIDENCE = 0.5


@dataclass(slots=True)
class Stay:
    """A track's relation to one zone under one rule."""

    visit: Visit = field(default_factory=Visit)
    still_since: float | None = None
    fired: Event | None = None


def enter(rule: Rule, region: Region, track: Track, moment: Moment, armed: bool) -> None:
    """Intrusion: inside an armed zone for the time its class allows."""
    needed = rule.number("seconds", VEHICLE_S if track.cls in VEHICLES else PERSON_S)
    stay = _stay(rule, region, track, moment)
    if armed and not stay.visit.fired and track.cls in rule.classes(DEFAULT_CLASSES):
        _fire_when(stay, stay.visit.lasted(moment.now), needed, rule, region, track, moment)


def dwell(rule: Rule, region: Region, track: Track, moment: Moment, armed: bool) -> None:
    """Loitering: inside for long. Stopped: inside and without moving for long."""
    stay = _stay(rule, region, track, moment)
    stopped = rule.params.get("mode") == "stopped"
    if not stay.visit.inside:
        stay.still_since = None
    elif stopped:
        stay.still_since = _still_since(stay.still_since, track, moment)
    if not armed or stay.visit.fired or track.cls not in rule.classes(VEHICLES if stopped else PEOPLE):
        return
    lasted = stay.visit.lasted(moment.now)
    if stopped:
        lasted = 0.0 if stay.still_since is None else moment.now - stay.still_since
    _fire_when(stay, lasted, rule.number("seconds", STOPPED_S if stopped else LOITERING_S), rule, region, track, moment)


def leave(rule: Rule, track: Track, stay: Stay, moment: Moment, why: str) -> None:
    """Close the visit of a track that is gone."""
    if stay.fired and rule.params.get("report_exit"):
        moment.end(stay.fired, why)
    stay.fired = None


def _stay(rule: Rule, region: Region, track: Track, moment: Moment) -> Stay:
    stay: Stay = track.memory.setdefault((rule.signature, region.id), Stay())
    sample = track.samples[-1]
    if stay.visit.update(contains(region.polygon, sample.image), sample.at, sample.pts_ns):
        leave(rule, track, stay, moment, "left")
    return stay


def _fire_when(stay: Stay, lasted: float, needed: float, rule: Rule, region: Region, track: Track,
               moment: Moment) -> None:
    if not stay.visit.inside or lasted < needed - 1e-9:
        return
    if track.confidence < rule.number("min_confidence", MIN_CONFIDENCE):
        return
    stay.visit.fired = True
    stay.fired = moment.fire(rule, region, track, stay.visit.since_pts, seconds=round(lasted, 2))


def _still_since(since: float | None, track: Track, moment: Moment) -> float | None:
    speed = track.speed()
    if speed is None:
        return since
    if speed >= (STOPPED_M_S if moment.space.calibrated else STOPPED_BOX_S):
        return None
    return moment.now if since is None else since
