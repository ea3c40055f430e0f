"""Values of the plates area: a reading as it arrives, what became of it, and what a search asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

Consensus = Literal["strong", "weak", "single"]
Source = Literal["node", "api"]
Match = Literal["exact", "possible"]

MAX_BATCH = 500
MAX_PLATE = 12
MAX_RAW = 64
API_OLDEST = timedelta(days=7)
FUTURE = timedelta(minutes=2)
ALARM_AGE = timedelta(minutes=5)
NEAR_LIMIT = 10_000
DEFAULT_WINDOW = timedelta(days=30)

# Incident types a list may raise, with the words of the room. Their priority lives with the alarms.
LIST_KINDS = {
    "LPR_SECUESTRO": "Pedido de secuestro",
    "LPR_PROHIB_CIRC": "Prohibición de circular",
    "LPR_LOCAL": "Lista local",
    "LPR_MELLIZA": "Posible melliza",
}
LIST_ORIGINS = {"local": "Local", "provincial": "Provincial", "national": "Nacional"}


class Read(NamedTuple):
    """One reading as a node or a client sends it; `id` is its pass or the client's own id.

    A tuple because five hundred are made for each batch, twice, and a frozen dataclass costs four times more to make.
    """

    id: UUID
    camera_id: UUID
    seen_at: datetime
    plate: str
    confidence: float
    consensus: Consensus = "single"
    source: Source = "api"
    raw: str = ""
    format: str = ""
    country: str | None = None
    char_conf: Sequence[tuple[str, float]] = ()
    crop_sha: str | None = None
    image_sha: str | None = None
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class ReadOutcome:
    """What became of one reading: accepted, duplicate (already stored, nothing changed) or rejected with a cause."""

    id: UUID
    status: Literal["accepted", "duplicate", "rejected"]
    code: str = ""
    title: str = ""
    is_hit: bool = False


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """One outcome per reading, in order, and the hits that may become alarms once this is committed."""

    outcomes: list[ReadOutcome]
    hits: list[UUID] = field(default_factory=list)

    def count(self, status: str) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a search asks: a pattern (`AB123CD`, `AB1*`, `A?1*3` or nothing), an interval and perhaps a camera."""

    plate: str
    seen_from: datetime
    seen_until: datetime
    camera_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "patente": self.plate,
            "desde": self.seen_from.isoformat(),
            "hasta": self.seen_until.isoformat(),
            "camara": str(self.camera_id) if self.camera_id else None,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> SearchQuery:
        return cls(
            stored["patente"],
            datetime.fromisoformat(stored["desde"]),
            datetime.fromisoformat(stored["hasta"]),
            UUID(stored["camara"]) if stored["camara"] else None,
        )


@dataclass(frozen=True, slots=True)
class FoundRead:
    """A stored reading as lists show it; `client_id` is the id the sender gave it."""

    client_id: UUID
    seen_at: datetime
    camera_id: UUID
    camera_name: str
    camera_code: str
    plate: str
    raw: str | None
    format: str
    country: str | None
    confidence: float
    consensus: str
    char_conf: list[Any] | None
    crop_sha: str | None
    image_sha: str | None
    direction: str | None
    source: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class EntryData:
    """The content of one list entry, before it has an id."""

    plate: str
    make: str = ""
    model: str = ""
    colour: str = ""
    vehicle_type: str = ""
    reason: str = ""
    authority: str = ""
    legal_basis: str = ""
    case_no: str = ""
    instructions: str = ""
    origin: str = ""
    source_version: str = ""
    severity: int | None = None
    valid_from: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.plate, self.case_no


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row of an import was left out; `row` counts from 1 as a spreadsheet shows it."""

    row: int
    field: str
    message: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import does: revocations first, then additions and changes, and which rows were refused."""

    revoked: list[EntryData]
    added: list[EntryData]
    changed: list[EntryData]
    unchanged: int
    errors: list[RowError]

    @property
    def is_empty(self) -> bool:
        return not (self.revoked or self.added or self.changed)


@dataclass(frozen=True, slots=True)
class EntrySnapshot:
    """A list entry as it was when it met a reading; the alarm keeps it as what the operator was shown."""

    plate: str
    kind: str
    severity: int | None
    list_id: UUID
    list_name: str
    list_origin: str
    list_version: str
    list_updated_at: datetime
    refresh_hours: int | None
    vehicle: str
    reason: str
    authority: str
    legal_basis: str
    case_no: str
    instructions: str
    valid_from: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_stale(self, at: datetime) -> bool:
        """Whether the list is older than its issuer promises, so that a «sin efecto» may be missing."""
        return self.refresh_hours is not None and at - self.list_updated_at > timedelta(hours=self.refresh_hours)

    def as_json(self, at: datetime) -> dict[str, Any]:
        return {
            "plate": self.plate,
            "list_id": str(self.list_id),
            "list_name": self.list_name,
            "list_origin": self.list_origin,
            "list_version": self.list_version,
            "list_updated_at": self.list_updated_at.isoformat(),
            "is_stale": self.is_stale(at),
            "vehicle": self.vehicle,
            "reason": self.reason,
            "authority": self.authority,
            "legal_basis": self.legal_basis,
            "case_no": self.case_no,
            "instructions": self.instructions,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "revoked_at": self.revoked_at.isoformat() if self.revoked_at else None,
        }
