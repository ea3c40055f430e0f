"""What the engine says happened, and the key that makes a repeated telling harmless."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from workers.analytics.observation import Box


@dataclass(frozen=True, slots=True)
class Event:
    """A rule that fired, or the end of what it had fired for. `n` counts per rule and track."""

    camera: UUID
    session: UUID
    epoch: int
    rule_id: str
    kind: str
    phase: Literal["fired", "ended"]
    track: str
    n: int
    pts_ns: int
    began_pts_ns: int
    severity: int
    region: str
    cls: str | None = None
    box: Box | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def key(self, run: int) -> str:
        """The idempotency key: the same for every replay of the same observations under the same run."""
        return f"{self.session}:{self.epoch}:{run}:{self.camera}:{self.rule_id}:{self.track}:{self.n}"
