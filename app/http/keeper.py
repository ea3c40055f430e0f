"""Keeps the connections of event streams itself, where the server would keep a whole greenlet for each.

Only under gunicorn's gevent worker (`PIPC_RT=own`), whose agreement for this is `ALREADY_HANDLED`: the request ends, a duplicate
of its descriptor stays. Whoever cannot take a frame at once is cut off, and its browser comes back with its last number.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Request, Response

from app.http import frames
from app.http.hub import Event, Hub, Stream
from app.kernel import clock

HEARTBEAT_S = 10.0
TICK_S = 1.0


def is_under_gevent() -> bool:
    """Whether this process waits in greenlets."""
    patches = sys.modules.get("gevent.monkey")
    return patches is not None and bool(patches.is_module_patched("socket"))


def may_keep(request: Request) -> bool:
    """Whether this server gives connections away."""
    return request.method == "GET" and "gunicorn.socket" in request.environ and is_under_gevent()


class KeptStream(Stream):
    """A stream whose frames are written at once by whoever has them: there is one thread, and no write waits."""

    __slots__ = ("_backlog", "_beat_at", "_descriptor", "_expires_at", "_hub", "_on_close")

    def __init__(self, hub: Hub, like: Stream, *, expires_at: float | None) -> None:
        super().__init__(like.tenant_id, like.audiences, like.session_key, like.subject)
        self._hub = hub
        self._expires_at = expires_at
        self._descriptor = -1
        self._backlog: list[object] | None = []  # what arrives while the past is still being sent
        self._on_close: Callable[[KeptStream], None] = lambda _: None

    def offer(self, event: Event) -> None:
        if event.audience in self.audiences:
            self.put(event)

    def put(self, thing: Any) -> None:
        if self._backlog is not None:
            self._backlog.append(thing)
        elif self._descriptor >= 0:
            self._write(*frames.of(self._hub, self, thing))

    def begin(self, descriptor: int, on_close: Callable[[KeptStream], None]) -> None:
        """Write to this descriptor from now on, beginning with what arrived meanwhile."""
        waiting, self._backlog = self._backlog or [], None
        self._descriptor, self._on_close = descriptor, on_close
        self._beat_at = time.monotonic() + HEARTBEAT_S
        for thing in waiting:
            self.put(thing)

    def tick(self) -> None:
        """Say that it is alive, or that its token ended."""
        if self._expires_at is not None and clock.now().timestamp() >= self._expires_at:
            self._write(frames.EXPIRED, True)
        elif time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + HEARTBEAT_S
            self._write(frames.beat(self._hub, self), False)

    def close(self) -> None:
        """Let the connection go; harmless twice."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
            self._on_close(self)

    def _write(self, data: bytes, is_last: bool) -> None:
        try:
            whole = not data or os.write(self._descriptor, data) == len(data)
        except OSError:  # full, or gone
            whole = False
        if is_last or not whole:
            self.close()


class Keeper:
    """The kept streams of this process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: set[KeptStream] = set()
        self._started = False

    def answer(self, stream: Stream, after: int, *, expires_at: float | None, headers: dict[str, str]) -> Response:
        """The answer that keeps its connection; its place in the hub is given back when it closes."""
        return _KeptAnswer(self, KeptStream(self._hub, stream, expires_at=expires_at), after, headers)

    def keep(self, stream: KeptStream, after: int, connection: Any, head: bytes) -> None:
        """Send the past in this greenlet, which may wait, and keep the connection afterwards."""
        self._hub.join(stream)
        descriptor = os.dup(connection.fileno())
        try:
            connection.sendall(
                head + frames.beat(self._hub, stream) + b"".join(frames.missed(self._hub, stream, after))
            )
        except BaseException:
            os.close(descriptor)
            self._forget(stream)
            raise
        os.set_blocking(descriptor, False)
        self._kept.add(stream)
        self._start()
        stream.begin(descriptor, self._forget)

    def tick(self) -> None:
        """Look at each kept stream once."""
        for stream in tuple(self._kept):
            stream.tick()

    def _forget(self, stream: KeptStream) -> None:
        self._kept.discard(stream)
        self._hub.leave(stream)
        self._hub.release()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, name="keeper", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(TICK_S)
            self.tick()


class _KeptAnswer(Response):
    """Writes its own head and hands its connection to the keeper."""

    def __init__(self, keeper: Keeper, stream: KeptStream, after: int, headers: dict[str, str]) -> None:
        super().__init__(mimetype="text/event-stream", headers=headers)
        self._keeper, self._stream, self._after = keeper, stream, after

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        from gunicorn.workers.base_async import ALREADY_HANDLED  # noqa: PLC0415 - only this server keeps connections

        pairs = [(name, value) for name, value in self.get_wsgi_headers(environ) if name.lower() != "content-length"]
        lines = "".join(f"{name}: {value}\r\n" for name, value in [*pairs, ("Connection", "close")])
        head = f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode("latin-1")
        self._keeper.keep(self._stream, self._after, environ["gunicorn.socket"], head)
        handled: Iterable[bytes] = ALREADY_HANDLED
        return handled
