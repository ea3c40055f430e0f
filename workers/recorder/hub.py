"""Fan-out of one stream's fragments: nobody who reads can slow down who writes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from workers.recorder.boxes import InitFacts

RING_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Init:
    """Start of an epoch: `ftyp`+`moov`, and why the former epoch ended."""

    epoch: int
    data: bytes
    facts: InitFacts
    wall_us: int
    cause: str

    @property
    def recordable(self) -> bool:
        return self.facts.family in ("h264", "h265")


@dataclass(frozen=True, slots=True)
class Fragment:
    """One `moof`+`mdat`; `wall_us` is the arrival of its first packet."""

    epoch: int
    seq: int
    data: bytes
    key: bool
    wall_us: int
    dts: int
    duration: int
    timescale: int

    @property
    def duration_us(self) -> int:
        return self.duration * 1_000_000 // self.timescale

    @property
    def end_us(self) -> int:
        return self.wall_us + self.duration_us


class Subscriber(Protocol):
    """What a reader of the hub must accept without ever blocking."""

    def on_init(self, hub: Hub, init: Init) -> None: ...

    def on_fragment(self, hub: Hub, fragment: Fragment) -> None: ...

    def on_state(self, hub: Hub, state: str) -> None: ...


class Hub:
    """The latest init, the fragments since the last keyframe, and whoever listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: tuple[Subscriber, ...] = ()
        self._ring: list[Fragment] = []
        self._ring_bytes = 0
        self.init: Init | None = None
        self.state = "connecting"

    @property
    def readers(self) -> int:
        return len(self._subscribers)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Add a reader; it receives the init and the fragments since the last keyframe first."""
        with self._lock:
            if self.init is not None:
                subscriber.on_init(self, self.init)
                for fragment in self._ring:
                    subscriber.on_fragment(self, fragment)
            self._subscribers = (*self._subscribers, subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        with self._lock:
            self._subscribers = tuple(one for one in self._subscribers if one is not subscriber)

    def latest_group(self) -> tuple[Init, list[Fragment]] | None:
        """The init and the fragments since the last keyframe, when they are still held."""
        with self._lock:
            return (self.init, list(self._ring)) if self.init is not None and self._ring else None

    def publish_init(self, init: Init) -> None:
        with self._lock:
            self.init = init
            self._ring.clear()
            self._ring_bytes = 0
            for subscriber in self._subscribers:
                subscriber.on_init(self, init)

    def publish(self, fragment: Fragment) -> None:
        with self._lock:
            if fragment.key:
                self._ring.clear()
                self._ring_bytes = 0
            if (fragment.key or self._ring) and self._ring_bytes + len(fragment.data) <= RING_BYTES:
                self._ring.append(fragment)
                self._ring_bytes += len(fragment.data)
            else:
                self._ring.clear()
            for subscriber in self._subscribers:
                subscriber.on_fragment(self, fragment)

    def set_state(self, state: str) -> None:
        """Tell the readers a new state; repeating one says nothing."""
        with self._lock:
            if state == self.state:
                return
            self.state = state
            for subscriber in self._subscribers:
                subscriber.on_state(self, state)
