"""Fans out what municipalities are told to the streams that listen: in order, without gaps, with no connection held.

One hub per process. PostgreSQL numbers the events of a municipality without gaps; Redis only makes them arrive sooner: what it
loses is read from PostgreSQL as soon as a number is missing, and at most `HEADS_EVERY_S` later.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine, text

from app.kernel import clock
from app.kernel.actor import acting_as, system_actor

log = logging.getLogger(__name__)

CHANNEL = "rt:"
REVOKED = "session:revoked"
RING = 512
QUEUE = 100
REPLAY = 1000
KEEP = "7 days"
HEADS_EVERY_S = 5.0
SESSIONS_EVERY_S = 60.0
POOL = 4

Source = Callable[[], Iterator[tuple[str, bytes]]]
"""Messages of other processes (channel, body), for ever; raises when the server goes away."""

_HEAD = text("select seq from app.tenant_event_heads where tenant_id = :tenant")
_ALL_HEADS = text("select tenant_id, seq from app.tenant_event_heads")
_HEADS = text("select tenant_id, seq from app.tenant_event_heads where tenant_id = any(:tenants)")
_AFTER = text(f"""
    select seq, kind, ref, payload, audience, occurred_at from app.tenant_events
    where tenant_id = :tenant and seq > :after and occurred_at > :now - interval '{KEEP}' order by seq limit :limit""")  # noqa: S608
_LIVE = text("""
    select key, sub, tenant_id from app.web_sessions
    where (key = any(:keys) or sub = any(:subs)) and kind <> 'prelogin'
      and expires_at > :now and (idle_at is null or idle_at > :now)""")


@dataclass(frozen=True, slots=True)
class Event:
    """One numbered event; `body` is what goes on the wire to its own municipality."""

    tenant_id: int
    seq: int
    kind: str
    audience: str
    body: bytes
    payload: dict[str, Any]


RESYNC = object()
"""In a stream's queue: it was too slow, or too long away; the page reads everything again."""
ENDED = object()
"""In a stream's queue: its session is over."""
MOVED = object()
"""In a stream's queue: its session got a new key; reconnecting finds it."""


class Stream:
    """One listening browser or program. `tenant_id` is None for who hears every municipality.

    A deque and one lock, held while there is nothing: a process keeps thousands of these, and a queue of the library weighs more
    than everything else in it.
    """

    __slots__ = ("_things", "_wake", "audiences", "overflowed", "sent", "session_key", "subject", "tenant_id")

    def __init__(
        self, tenant_id: int | None, audiences: frozenset[str], session_key: bytes = b"", subject: str = ""
    ) -> None:
        self.tenant_id = tenant_id
        self.audiences = audiences
        self.session_key = session_key
        self.subject = subject
        self.sent = 0  # the last number it was told
        self.overflowed = False
        self._things: deque[Any] = deque()
        self._wake = threading.Lock()
        self._wake.acquire()

    def offer(self, event: Event) -> None:
        """Queue `event` for the stream; a full queue becomes one resync."""
        if event.audience not in self.audiences or self.overflowed:
            return
        if len(self._things) >= QUEUE:
            self.overflowed = True
            self.put(RESYNC)
        else:
            self.put(event)

    def put(self, thing: Any) -> None:
        """Queue anything and wake whoever waits for it."""
        self._things.append(thing)
        with suppress(RuntimeError):  # somebody else just did
            self._wake.release()

    def take(self, seconds: float) -> Any:
        """The next thing, or None, at most after `seconds`. A resync stands for everything queued before it."""
        if not self._things:
            self._wake.acquire(timeout=seconds) if seconds > 0 else self._wake.acquire(blocking=False)
        if not self._things:
            return None
        return self._drain() if self.overflowed else self._things.popleft()

    def _drain(self) -> Any:
        self.overflowed = False
        ended = ENDED in self._things
        self._things.clear()
        return ENDED if ended else RESYNC


@dataclass(eq=False, slots=True)
class _Room:
    """What this process knows of one municipality that somebody listens to."""

    last: int
    ring: deque[Event] = field(default_factory=lambda: deque(maxlen=RING))
    streams: set[Stream] = field(default_factory=set)
    lock: Any = field(default_factory=threading.Lock)


class Hub:
    """The streams of this process."""

    def __init__(self, engine: Callable[[], Engine], source: Source, *, limit: int) -> None:
        self.limit = limit
        self._engine = engine
        self._source = source
        self._rooms: dict[int, _Room] = {}
        self._everywhere: set[Stream] = set()
        self._reserved = 0
        self._lock = threading.Lock()
        self._pool = threading.BoundedSemaphore(POOL)
        self._behind: SimpleQueue[int] = SimpleQueue()
        self._started = False

    @property
    def count(self) -> int:
        """How many streams are open."""
        return self._reserved

    def join(self, stream: Stream) -> None:
        """Feed `stream` from now on; its place must have been reserved."""
        if stream.tenant_id is None:
            self._open_every_room()
        self._listeners(stream).add(stream)

    def leave(self, stream: Stream) -> None:
        """Feed it no more."""
        self._listeners(stream).discard(stream)

    def _listeners(self, stream: Stream) -> set[Stream]:
        return self._everywhere if stream.tenant_id is None else self._room(stream.tenant_id).streams

    @contextmanager
    def listening(self, stream: Stream) -> Iterator[None]:
        """Keep `stream` fed while the block runs."""
        self.join(stream)
        try:
            yield
        finally:
            self.leave(stream)

    def reserve(self) -> bool:
        """Take one of this process's places for a stream; False when there is none. Starts the hub at the first one."""
        with self._lock:
            if self._reserved >= self.limit:
                return False
            self._reserved += 1
            if not self._started:
                self._started = True
                for duty in (self._listen, self._repair, self._compare, self._check_sessions):
                    threading.Thread(target=duty, name=duty.__name__, daemon=True).start()
            return True

    def release(self) -> None:
        """Give a reserved place back."""
        with self._lock:
            self._reserved -= 1

    def head(self, tenant_id: int) -> int:
        """The last number of a municipality that somebody listens to; of any other, what PostgreSQL says."""
        room = self._rooms.get(tenant_id)
        return room.last if room is not None else self._room(tenant_id).last

    def since(self, tenant_id: int, after: int) -> list[Event] | None:
        """The events after that number; None when they are too many or too old (read the screen again)."""
        room = self._room(tenant_id)
        if after > room.last:
            self.catch_up(tenant_id)
        with room.lock:
            if after == room.last:
                return []
            if after > room.last:
                return None  # the browser comes from a future that a restored database does not have
            if room.ring and room.ring[0].seq <= after + 1:
                return [event for event in room.ring if event.seq > after]
            last = room.last
        if last - after > REPLAY:
            return None
        found = [event for event in self._read(tenant_id, after, REPLAY) if event.seq <= last]
        return found if len(found) == last - after else None

    def _open_every_room(self) -> None:
        with self._reading() as connection:
            heads = connection.execute(_ALL_HEADS).all()
        with self._lock:
            for tenant_id, last in heads:
                self._rooms.setdefault(tenant_id, _Room(last))

    def _room(self, tenant_id: int) -> _Room:
        room = self._rooms.get(tenant_id)
        if room is None:
            with self._reading() as connection:
                last = connection.scalar(_HEAD, {"tenant": tenant_id}) or 0
            with self._lock:
                room = self._rooms.setdefault(tenant_id, _Room(last))
        return room

    # What arrives ---------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Take nudges for ever; without them the comparison of heads still finds everything."""
        while True:
            try:
                for channel, body in self._source():
                    self.take(channel, body)
            except Exception as error:  # whatever the server's client raises, the next attempt is the answer
                log.info("nudges stopped: %s", type(error).__name__)
                time.sleep(1.0)

    def take(self, channel: str, body: bytes) -> None:
        """One message of another process. What is not ours is ignored: anybody with Redis may write anything."""
        try:
            message = json.loads(body)
            if channel == REVOKED:
                self._check({bytes.fromhex(key) for key in message["keys"]})
            elif channel.startswith(CHANNEL) and channel[len(CHANNEL) :].isdigit():
                self._arrived(int(channel[len(CHANNEL) :]), int(message["seq"]), message)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("message on %s not understood: %s", channel, error)

    def _arrived(self, tenant_id: int, seq: int, message: dict[str, Any]) -> None:
        room = self._rooms.get(tenant_id)
        if room is None:
            return
        with room.lock:
            if seq == room.last + 1:
                self._fan_out(room, [_event(tenant_id, seq, message)])
            elif seq > room.last:
                self._behind.put(tenant_id)

    def _fan_out(self, room: _Room, events: Sequence[Event]) -> None:
        """Give events to everybody who listens; the room is locked and they are its next ones."""
        for event in events:
            room.last = event.seq
            room.ring.append(event)
            for stream in (*tuple(room.streams), *tuple(self._everywhere)):
                stream.offer(event)

    # What did not arrive --------------------------------------------------------------------------------------------

    def _repair(self) -> None:
        while True:
            tenant_id = self._behind.get()
            try:
                self.catch_up(tenant_id)
            except Exception as error:  # the comparison of heads asks again
                log.warning("events of %s not read: %s", tenant_id, type(error).__name__)

    def catch_up(self, tenant_id: int) -> None:
        """Read and fan out whatever this municipality has beyond what this process knows."""
        room = self._room(tenant_id)
        while True:
            found = self._read(tenant_id, room.last, REPLAY)
            with room.lock:
                fresh = [event for event in found if event.seq > room.last]
                self._fan_out(room, fresh)
            if len(found) < REPLAY:
                return

    def _compare(self) -> None:
        while True:
            time.sleep(HEADS_EVERY_S)
            try:
                self.compare_heads()
            except Exception as error:  # PostgreSQL away: pages say so, streams wait
                log.info("heads not compared: %s", type(error).__name__)

    def compare_heads(self) -> None:
        """Ask for the last number of every municipality that is listened to and catch up where it moved."""
        known = {tenant_id: room.last for tenant_id, room in list(self._rooms.items())}
        with self._reading() as connection:
            heads = connection.execute(_HEADS, {"tenants": list(known)}).all()
        for tenant_id, seq in heads:
            if seq > known[tenant_id]:
                self.catch_up(tenant_id)

    # Who may go on listening ----------------------------------------------------------------------------------------

    def _check_sessions(self) -> None:
        while True:
            time.sleep(SESSIONS_EVERY_S)
            try:
                self._check(None)
            except Exception as error:  # asked again in a minute; the token of a page ends by itself
                log.info("sessions not checked: %s", type(error).__name__)

    def _check(self, keys: set[bytes] | None) -> None:
        """End the streams whose session is over: of those keys, or of all."""
        streams = [
            stream for stream in self._streams() if stream.session_key and (keys is None or stream.session_key in keys)
        ]
        if not streams:
            return
        asked = {
            "keys": [stream.session_key for stream in streams],
            "subs": [stream.subject for stream in streams],
            "now": clock.now(),
        }
        with self._reading() as connection:
            rows = connection.execute(_LIVE, asked).all()
        alive = {bytes(row.key) for row in rows}
        elsewhere = {(row.sub, row.tenant_id) for row in rows}
        for stream in streams:
            if stream.session_key not in alive:
                stream.put(MOVED if (stream.subject, stream.tenant_id or 0) in elsewhere else ENDED)

    def _streams(self) -> list[Stream]:
        return [
            *tuple(self._everywhere),
            *(stream for room in list(self._rooms.values()) for stream in tuple(room.streams)),
        ]

    # PostgreSQL -----------------------------------------------------------------------------------------------------

    def _read(self, tenant_id: int, after: int, limit: int) -> list[Event]:
        parameters = {"tenant": tenant_id, "after": after, "limit": limit, "now": clock.now()}
        with self._reading() as connection:
            rows = connection.execute(_AFTER, parameters).mappings().all()
        return [_event(tenant_id, row["seq"], {**row, "at": row["occurred_at"].isoformat()}) for row in rows]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One of the few connections of this process, for one question."""
        with self._pool, acting_as(system_actor("rt")), self._engine().connect() as connection:
            yield connection


def _event(tenant_id: int, seq: int, message: dict[str, Any]) -> Event:
    data = {"seq": seq, **{name: message[name] for name in ("kind", "ref", "payload", "at")}}
    body = frame(message["kind"], data, seq)
    return Event(tenant_id, seq, message["kind"], message["audience"], body, message["payload"])


def frame(kind: str, data: dict[str, Any], seq: int | None = None) -> bytes:
    """One event on the wire; only numbered ones move the browser's `Last-Event-ID`."""
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{f'id: {seq}{chr(10)}' if seq is not None else ''}event: {kind}\ndata: {line}\n\n".encode()
