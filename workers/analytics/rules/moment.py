"""What a rule is given to judge one observation, and how it tells."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workers.analytics.observation import Observation
from workers.analytics.rules.config import Region, Rule
from workers.analytics.rules.events import Event
from workers.analytics.rules.ground import Space
from workers.analytics.rules.tracks import Track

NOISY_PER_HOUR = 6
COUNTERS_KEPT = 10_000


@dataclass(slots=True)
class Ledger:
    """How often each rule fired: the `n` of the keys, and who deserves to be called noisy."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    recent: dict[str, deque[float]] = field(default_factory=dict)

    def next(self, rule_id: str, track: str) -> int:
        n = self.counts.pop((rule_id, track), -1) + 1
        self.counts[rule_id, track] = n
        if len(self.counts) > COUNTERS_KEPT:
            del self.counts[next(iter(self.counts))]
        return n

    def is_noisy(self, rule_id: str, now: float) -> bool:
        fired = self.recent.setdefault(rule_id, deque(maxlen=NOISY_PER_HOUR + 1))
        fired.append(now)
        return len(fired) > NOISY_PER_HOUR and now - fired[0] <= 3600


@dataclass(slots=True)
class Moment:
    """One observation being judged. `now` is the rule clock in seconds: presentation time without the gaps."""

    now: float
    observation: Observation
    space: Space
    ledger: Ledger
    tracks: Mapping[str, Track]
    events: list[Event] = field(default_factory=list)

    def fire(self, rule: Rule, region: Region, track: Track, began_pts: int, *, severity: int | None = None,
             **detail: Any) -> Event:
        """Tell that the rule holds for a track, once; the answer is kept to tell its end."""
        return self._tell(rule, rule.kind, track.id, began_pts, severity, region, track, detail)

    def fire_scene(self, rule: Rule, region: Region, kind: str, subject: str, began_pts: int, **detail: Any) -> Event:
        """Tell that the rule holds for the picture as a whole; `subject` stands where the track would."""
        return self._tell(rule, kind, subject, began_pts, None, region, None, detail)

    def end(self, fired: Event, why: str, **detail: Any) -> None:
        """Tell the end of what had fired, under the same key."""
        merged = {**fired.detail, **detail, "ended": why}
        self.events.append(replace(fired, phase="ended", pts_ns=self.observation.pts_ns, detail=merged))

    def _tell(self, rule: Rule, kind: str, subject: str, began_pts: int, severity: int | None, region: Region,
              track: Track | None, detail: dict[str, Any]) -> Event:
        n = self.ledger.next(rule.id, subject)
        noisy = {"noisy": True} if self.ledger.is_noisy(rule.id, self.now) else {}
        told = {"region_name": region.name, **detail, **noisy, "rule": rule.signature, "params": dict(rule.params)}
        seen = self.observation
        event = Event(
            camera=seen.camera, session=seen.session, epoch=seen.epoch, rule_id=rule.id, kind=kind, phase="fired",
            track=subject, n=n, pts_ns=seen.pts_ns, began_pts_ns=began_pts, severity=severity or rule.severity,
            region=region.id, cls=track.cls if track else None, box=track.box if track else None, detail=told,
        )
        self.events.append(event)
        return event

