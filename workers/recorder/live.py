"""Live frames for one reader: several streams in one sequence of bytes, dropped to the next keyframe when the reader is slow."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from workers.recorder.hub import Fragment, Hub, Init
from workers.recorder.tickets import View

HEADER = struct.Struct(">BBHIId")
INIT, FRAGMENT, STATE, HEARTBEAT, ERROR, END = 1, 2, 3, 4, 5, 6
KEY_FLAG = 1
CONSOLE = 255
LIMIT_BYTES = 4 << 20
SLOW_S = 10.0
GRACE_S = 15.0
MAX_TRACKS = 16
_INIT_HEAD = 64


def frame(
    kind: int, track: int, payload: bytes = b"", *, flags: int = 0, seq: int = 0, wall_us: int | None = None
) -> bytes:
    wall_ms = time.time() * 1000 if wall_us is None else wall_us / 1000
    return HEADER.pack(kind, track, flags, len(payload), seq, wall_ms) + payload


@dataclass
class Track:
    """One stream inside a session."""

    number: int
    view: View
    hub: Hub
    release: Callable[[], None]
    dropping_since: float | None = None
    told_state: str = ""
    ended: bool = False


class Session:
    """What one connection receives; the hub calls it and is never made to wait."""

    def __init__(self, sid: str, *, viewer: bool = True, limit: int = LIMIT_BYTES) -> None:
        self.sid, self.viewer, self._limit = sid, viewer, limit
        self._frames: deque[bytes] = deque()
        self._size = 0
        self._ready = threading.Condition(threading.RLock())
        self._tracks: dict[int, Track] = {}
        self.closed = False

    def tracks(self) -> list[Track]:
        with self._ready:
            return [track for track in self._tracks.values() if not track.ended]

    def add(self, view: View, hub: Hub, release: Callable[[], None], state: str) -> Track | None:
        """Begin a track, or renew the one that already shows this view; None when there is no room."""
        with self._ready:
            known = next((one for one in self.tracks() if one.view.id == view.id), None)
            if known is not None:
                known.view = view
                release()
                return known
            number = next((one for one in range(MAX_TRACKS) if one not in self._tracks), None)
            if number is None or self.closed:
                release()
                return None
            track = self._tracks[number] = Track(number, view, hub, release, told_state=state)
        if self.viewer:
            self._put(
                frame(STATE, number, _json(state=state, camera=str(view.camera), view_id=view.id, stream=view.stream))
            )
        hub.subscribe(self)
        return track

    def greet(self) -> None:
        """The first frame of a console's stream names the session and its tracks."""
        names = [{"track": one.number, "view_id": one.view.id, "camera": str(one.view.camera), "stream": one.view.stream}
                 for one in self.tracks()]  # fmt: skip
        with self._ready:
            self._frames.appendleft(frame(STATE, CONSOLE, json.dumps({"sid": self.sid, "tracks": names}).encode()))
            self._ready.notify()

    def end(self, view_ids: set[str], code: str | None = None) -> int:
        """End these views, saying why when there is a reason; returns how many there were."""
        ending = [track for track in self.tracks() if track.view.id in view_ids]
        for track in ending:
            self._finish(track, code)
            self._clean(track)
        return len(ending)

    def tick(self, now: float, state_of: Callable[[View], str | None]) -> None:
        """Once a second: expiry, slow readers, and changes of state that no packet would announce."""
        for track in self.tracks():
            state = state_of(track.view)
            if state is None:
                self._finish(track, "not_found")
            elif self.viewer and now > track.view.expires + GRACE_S:
                self._finish(track, "expired")
            elif state != track.told_state and self.viewer:
                track.told_state = state
                self._put(frame(STATE, track.number, _json(state=state)))
        with self._ready:
            done = [track for track in self._tracks.values() if track.ended]
        for track in done:
            self._clean(track)

    def close(self) -> None:
        with self._ready:
            self.closed = True
            self._ready.notify_all()
            tracks = list(self._tracks.values())
        for track in tracks:
            self._clean(track)

    def get(self, timeout: float) -> bytes | None:
        """Everything waiting, as one piece; None after a silence of this length."""
        with self._ready:
            if not self._frames and not self.closed:
                self._ready.wait(timeout)
            if not self._frames:
                return None
            data = b"".join(self._frames)
            self._frames.clear()
            self._size = 0
            return data

    def on_init(self, hub: Hub, init: Init) -> None:
        for track in self._of(hub):
            if self.viewer and not init.recordable:
                self._finish(track, "unsupported_codec")
                continue
            track.dropping_since = None
            head = _json(codec=init.facts.codec, n=len(init.data), width=init.facts.width, height=init.facts.height)
            head = head if len(head) <= _INIT_HEAD else _json(codec=init.facts.codec, n=len(init.data))
            payload = head.ljust(_INIT_HEAD) + init.data
            self._put(frame(INIT, track.number, payload, seq=init.epoch, wall_us=init.wall_us))

    def on_fragment(self, hub: Hub, fragment: Fragment) -> None:
        for track in self._of(hub):
            if not self._admits(track, fragment):
                continue
            flags = KEY_FLAG if fragment.key else 0
            self._put(
                frame(
                    FRAGMENT,
                    track.number,
                    fragment.data,
                    flags=flags,
                    seq=fragment.seq & 0xFFFFFFFF,
                    wall_us=fragment.wall_us,
                )
            )

    def on_state(self, hub: Hub, state: str) -> None:
        """States are told by the timer, which also sees what no packet announces."""

    def _admits(self, track: Track, fragment: Fragment) -> bool:
        """A full queue drops the track to its next keyframe, and ends a viewer that stays behind."""
        if track.dropping_since is not None:
            if fragment.key and self._size <= self._limit // 2:
                track.dropping_since = None
                return True
            if self.viewer and time.monotonic() - track.dropping_since > SLOW_S:
                self._finish(track, "slow")
            return False
        if self._size + len(fragment.data) > self._limit:
            track.dropping_since = time.monotonic()
            return False
        return True

    def _of(self, hub: Hub) -> list[Track]:
        return [track for track in self.tracks() if track.hub is hub]

    def _finish(self, track: Track, code: str | None) -> None:
        with self._ready:
            if track.ended:
                return
            track.ended = True
        if code is not None:
            self._put(frame(ERROR, track.number, _json(code=code)))
        self._put(frame(END, track.number))

    def _clean(self, track: Track) -> None:
        """Leave the hub; never called from inside it."""
        with self._ready:
            if self._tracks.pop(track.number, None) is None:
                return
            track.ended = True
            shared = any(one.hub is track.hub for one in self._tracks.values())
        if not shared:
            track.hub.unsubscribe(self)
        track.release()

    def _put(self, data: bytes) -> None:
        with self._ready:
            self._frames.append(data)
            self._size += len(data)
            self._ready.notify()


def _json(**values: object) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()
