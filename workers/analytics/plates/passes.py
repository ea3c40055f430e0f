"""Passes: one vehicle crossing one camera's lane. Opens at its first reading, tells a provisional, then a final."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from app.monitoring.plates.plate_text import OTHER, classify
from workers.analytics.observation import PlateRead
from workers.analytics.plates.consensus import Consensus, distance, text_of, weigh

MAX_OPEN_S = 6.0
REOPEN_S = 10.0
SAME_VEHICLE_EDITS = 3
DUPLICATE_S, SPLIT_TRACK_S = 300.0, 8.0
MAX_READS = 8

Ending = Literal["left", "lost", "timeout"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A reading with when it was seen and what to show of it; `payload` belongs to the caller."""

    read: PlateRead
    at: float
    payload: object = None


@dataclass(frozen=True, slots=True)
class Told:
    """A provisional or final result of a pass."""

    phase: Literal["provisional", "final"]
    track: str
    n: int
    consensus: Consensus
    shown: Sighting
    sightings: tuple[Sighting, ...]
    ending: Ending | None = None

    @property
    def direction(self) -> str | None:
        """`toward` or `away` from the camera, by the plate's position down the picture; None with too little motion."""
        moved = self.sightings[-1].read.box.centre[1] - self.sightings[0].read.box.centre[1]
        if len(self.sightings) < 2 or abs(moved) < 0.02:
            return None
        return "toward" if moved > 0 else "away"


@dataclass(slots=True)
class _Pass:
    track: str
    n: int
    opened: float
    sightings: list[Sighting] = field(default_factory=list)
    has_told: bool = False

    def weigh(self) -> Consensus:
        return weigh([sighting.read for sighting in self.sightings])


@dataclass(slots=True)
class _Seen:
    """The last final of a plate on this camera: what a second one soon after is compared with."""

    at: float
    direction: str | None
    ending: Ending
    count: int = 1


class PassBook:
    """The passes of one camera. Times are presentation seconds; results come out as they are due."""

    def __init__(self) -> None:
        self._open: dict[str, list[_Pass]] = {}
        self._counts: dict[str, int] = {}
        self._closed_at: dict[str, float] = {}
        self._recent: dict[str, _Seen] = {}
        self.duplicates = 0

    def wants(self, track: str, now: float) -> bool:
        """Whether another reading of this track can still change anything."""
        if now - self._closed_at.get(track, -REOPEN_S) < REOPEN_S:
            return False
        passes = self._open.get(track, ())
        return not passes or any(not one.has_told or len(one.sightings) < 3 for one in passes)

    def add(self, track: str, sighting: Sighting) -> Iterator[Told]:
        """Take a reading; yields a provisional the first time that consensus is strong."""
        one = self._pass_of(track, sighting)
        if len(one.sightings) >= MAX_READS:
            weakest = min(one.sightings, key=lambda seen: seen.read.height_px * seen.read.sharpness)
            one.sightings.remove(weakest)
        one.sightings.append(sighting)
        if not one.has_told and len(one.sightings) >= 2:
            agreed = one.weigh()
            one.has_told = agreed.strength == "strong"
            if one.has_told and not self._is_repeated(agreed.text, sighting.at):
                yield self._told("provisional", one, agreed)

    def expire(self, now: float) -> Iterator[Told]:
        """Close what has been open for its full time."""
        for track, passes in list(self._open.items()):
            if passes and now - passes[0].opened >= MAX_OPEN_S:
                yield from self.close(track, now, "timeout")

    def close(self, track: str, now: float, ending: Ending) -> Iterator[Told]:
        """End a track's passes; yields the finals, without the ones that repeat a sighting."""
        for one in self._open.pop(track, ()):
            self._closed_at[track] = now
            final = self._told("final", one, one.weigh(), ending)
            if self._is_duplicate(final, now):
                self.duplicates += 1
            else:
                yield final
        self._forget(now)

    def _pass_of(self, track: str, sighting: Sighting) -> _Pass:
        text, passes = text_of(sighting.read), self._open.setdefault(track, [])
        for one in passes:
            if any(_may_be_same(text, text_of(other.read)) for other in one.sightings):
                return one
        n = self._counts.get(track, 0)
        self._counts[track] = n + 1
        passes.append(_Pass(track, n, sighting.at))
        return passes[-1]

    def _told(self, phase: Literal["provisional", "final"], one: _Pass, agreed: Consensus,
              ending: Ending | None = None) -> Told:
        return Told(phase, one.track, one.n, agreed, one.sightings[agreed.shown], tuple(one.sightings), ending)

    def _is_repeated(self, text: str, now: float) -> bool:
        """Whether this plate was told a moment ago and never seen leaving: then a provisional would be a second alarm."""
        seen = self._recent.get(text)
        return seen is not None and self._is_same_sighting(seen, None, now)

    def _is_duplicate(self, final: Told, now: float) -> bool:
        """Parked and queueing cars, and tracks that broke, are the same sighting with a counter."""
        seen = self._recent.get(final.consensus.text)
        assert final.ending is not None
        if seen is not None and self._is_same_sighting(seen, final.direction, now):
            self._recent[final.consensus.text] = _Seen(now, seen.direction or final.direction, final.ending, seen.count + 1)
            return True
        self._recent[final.consensus.text] = _Seen(now, final.direction, final.ending)
        return False

    def _is_same_sighting(self, seen: _Seen, direction: str | None, now: float) -> bool:
        if direction and seen.direction and direction != seen.direction:
            return False
        return now - seen.at < (DUPLICATE_S if seen.ending != "left" else SPLIT_TRACK_S)

    def _forget(self, now: float) -> None:
        self._recent = {text: seen for text, seen in self._recent.items() if now - seen.at < DUPLICATE_S}
        self._closed_at = {track: at for track, at in self._closed_at.items() if now - at < REOPEN_S}
        if len(self._counts) > 10_000:
            self._counts = {track: n for track, n in self._counts.items() if track in self._open}


def _may_be_same(a: str, b: str) -> bool:
    """Whether two texts of one track can be one plate: alike, or one of them a piece that fits no format."""
    return distance(a, b) <= SAME_VEHICLE_EDITS or OTHER in (classify(a).format, classify(b).format)
