"""What the console shows, as its templates read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ui.maps import TownMap

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """One alarm of the queue."""

    id: UUID
    version: int
    priority: int
    title: str
    place: str
    at: datetime
    unacked: bool
    active: bool
    state_text: str
    state_by: str
    count: int
    escalate_label: str
    escalate_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clip:
    """The recording around the alarm; without address while it is being cut."""

    url: str | None
    still_url: str | None
    start: datetime
    end: datetime
    event_share: float


@dataclass(frozen=True, slots=True)
class Hit:
    """The check of a plate: without letters nor entry until the operator types what the crop says, when it is a possible match."""

    exact: bool
    crop_url: str | None
    characters: list[tuple[str, float]]
    entry: list[Pair] | None
    type_url: str


@dataclass(frozen=True, slots=True)
class Dialog:
    """What an action asks before it is done."""

    title: str
    consequence: str
    codes: list[Pair] | None
    code_label: str
    code_name: str
    note_required: bool


@dataclass(frozen=True, slots=True)
class Action:
    """A button of the alarm; `disabled` says why it cannot be pressed."""

    code: str
    label: str
    key: str
    url: str
    primary: bool = False
    danger: bool = False
    disabled: str = ""
    fields: dict[str, str] | None = None
    dialog: Dialog | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the procedure, and how to tick it."""

    text: str
    hint: str
    done: bool
    is_next: bool
    url: str
    value: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """What to do about the alarm."""

    title: str
    done: int
    steps: list[Step]
    note: str


@dataclass(frozen=True, slots=True)
class Spot:
    """The alarm being looked at."""

    alarm_id: UUID
    version: int
    title: str
    camera_id: UUID
    camera_name: str
    camera_code: str
    at: datetime
    clip: Clip
    hit: Hit | None
    facts: list[Pair]
    actions: list[Action]
    procedure: Procedure


@dataclass(frozen=True, slots=True)
class Tile:
    """A live camera."""

    camera_id: UUID
    name: str
    key: str
    state: str
    still_url: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Console:
    """The whole console, or the parts of it that a fragment sends."""

    queue: list[Card]
    counts: list[tuple[int, int]]
    spot: Spot | None
    watermark: str
    queue_item: Card | None = None
    tiles: list[Tile] | None = None
    town: TownMap | None = None
    shift: str = ""
    flood: bool = False
    last_seq: int = 0
