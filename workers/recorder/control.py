"""The recorder's Unix socket: one JSON line asks, one answers, and live streams follow on the same connection."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from workers.recorder.clock import from_iso, iso
from workers.recorder.configuration import Configuration, ConfigurationError, parse_camera
from workers.recorder.engine import Recorder
from workers.recorder.health import decode_keyframe, jpeg
from workers.recorder.live import CONSOLE, HEARTBEAT, Session, frame
from workers.recorder.tickets import TicketError, View

log = logging.getLogger(__name__)
LINE_LIMIT = 4 << 20
HEARTBEAT_S = 5.0
SEND_TIMEOUT_S = 10.0
MAX_VIEWERS = 32
INGEST_LIMIT = 16 << 20
Message = dict[str, Any]


class Refused(Exception):
    """The request cannot be served; the code is the answer."""


class Desk:
    """Answers requests; holds the live sessions so that any connection may add to, trim or revoke them."""

    def __init__(self, recorder: Recorder, stop: Callable[[], None]) -> None:
        self.recorder, self._stop = recorder, stop
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self.answers: dict[str, Callable[[Message], Message]] = {
            "status": lambda _: recorder.status(), "apply": self._apply, "add": self._add, "remove": self._remove,
            "live_add": self._live_add, "live_remove": self._live_remove, "revoke": self._revoke, "cue": self._cue,
            "spans": self._spans, "stop": self._end,
        }  # fmt: skip

    def _apply(self, message: Message) -> Message:
        return dict(self.recorder.apply(Configuration.parse(message)))

    def _add(self, message: Message) -> Message:
        try:
            self.recorder.add(parse_camera(message["camera"]))
        except (KeyError, ValueError, TypeError):
            raise ConfigurationError("bad camera") from None
        return {}

    def _remove(self, message: Message) -> Message:
        return {"removed": int(self.recorder.remove(UUID(str(message["camera"]))))}

    def _spans(self, message: Message) -> Message:
        found = self.recorder.spans(UUID(str(message["camera"])), from_iso(message["from"]), from_iso(message["to"]))
        return {"spans": [asdict(span) for span in found]}

    def _cue(self, message: Message) -> Message:
        wanted = {name: message.get(name) for name in ("camera", "kind", "plate")}
        name = f"{UUID(str(wanted['camera']))}/main" if wanted["camera"] else None
        cued = self.recorder.around.director.cue(name, wanted["kind"], wanted["plate"])
        if cued is None:
            raise Refused("not_found")
        return {"camera": cued[0].partition("/")[0], "kind": cued[1].kind, "plate": cued[1].plate}

    def _end(self, _: Message) -> Message:
        self._stop()
        return {}

    def open_live(self, message: Message) -> tuple[Session, Message]:
        """A console's session with the tracks its tickets allow. Raises `Refused`."""
        session = Session(str(message.get("sid") or uuid4()))
        with self._lock:
            viewers = sum(one.viewer for one in self._sessions.values())
            if viewers >= MAX_VIEWERS:
                raise Refused("busy")
            if session.sid in self._sessions:
                raise Refused("conflict")
            self._sessions[session.sid] = session
        answer = self._admit(session, message.get("tickets", []))
        session.greet()
        if self.recorder.demonstration and session.tracks():
            self.recorder.around.director.viewer_arrived()
        return session, {"sid": session.sid, **answer}

    def open_ingest(self, message: Message) -> tuple[Session, Message]:
        """A local reader of one stream (analytics). Raises `Refused`."""
        view = View(str(uuid4()), UUID(str(message["camera"])), str(message.get("stream", "main")), float("inf"))
        session = Session(str(uuid4()), viewer=False, limit=INGEST_LIMIT)
        with self._lock:
            self._sessions[session.sid] = session
        if self._track(session, view) is None:
            self.leave(session)
            raise Refused("not_found")
        return session, {"sid": session.sid}

    def leave(self, session: Session) -> None:
        with self._lock:
            self._sessions.pop(session.sid, None)
        session.close()

    def _admit(self, session: Session, tickets: list[str]) -> Message:
        tracks, refused = [], []
        for index, ticket in enumerate(tickets):
            try:
                view = self.recorder.tickets.verify(str(ticket), time.time())
                track = self._track(session, view)
                if track is None:
                    raise TicketError("not_found")
                tracks.append(track)
            except TicketError as error:
                refused.append({"index": index, "error": error.code})
        return {"tracks": tracks, "refused": refused}

    def _track(self, session: Session, view: View) -> Message | None:
        camera = self.recorder.camera(view.camera)
        if camera is None:
            return None
        stream, release = camera.watch(view.stream)
        track = session.add(view, stream.hub, release, camera.state(view.stream))
        if track is None:
            return None
        return {"track": track.number, "view_id": view.id, "camera": str(view.camera), "stream": view.stream}

    def _session(self, message: Message) -> Session:
        with self._lock:
            session = self._sessions.get(str(message.get("sid")))
        if session is None or not session.viewer:
            raise Refused("not_found")
        return session

    def _live_add(self, message: Message) -> Message:
        return self._admit(self._session(message), message.get("tickets", []))

    def _live_remove(self, message: Message) -> Message:
        views = {str(one) for one in message.get("views", [])}
        for ticket in message.get("tickets", []):
            with contextlib.suppress(TicketError):
                views.add(self.recorder.tickets.verify(str(ticket), time.time()).id)
        return {"removed": self._session(message).end(views)}

    def _revoke(self, message: Message) -> Message:
        views = {str(one) for one in message.get("views", [])}
        with self._lock:
            sessions = list(self._sessions.values())
        return {"removed": sum(session.end(views, "revoked") for session in sessions)}

    def tick(self) -> None:
        """Once a second: expiry, states and idle sub-streams."""
        self.recorder.tick()
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            session.tick(time.time(), self._state_of)

    def _state_of(self, view: View) -> str | None:
        camera = self.recorder.camera(view.camera)
        return camera.state(view.stream) if camera is not None else None

    def still(self, message: Message) -> tuple[Message, bytes]:
        """The latest keyframe as JPEG. Raises `Refused`."""
        camera = self.recorder.camera(UUID(str(message["camera"])))
        found = decode_keyframe(camera.main.hub) if camera is not None else None
        if found is None:
            raise Refused("not_found")
        picture = jpeg(found[0])
        return {"bytes": len(picture), "taken_at": iso(found[1])}, picture


class ControlServer:
    """Accepts connections of this user only and gives each one a thread."""

    def __init__(self, path: Path, desk: Desk) -> None:
        self._desk, self._path = desk, path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        former = os.umask(0o177)
        try:
            self._listener.bind(str(path))
        finally:
            os.umask(former)
        self._listener.listen(64)
        self._ending = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._accept, name="control", daemon=True).start()
        threading.Thread(target=self._tick, name="tick", daemon=True).start()

    def close(self) -> None:
        self._ending.set()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _tick(self) -> None:
        while not self._ending.wait(1.0):
            self._desk.tick()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(SEND_TIMEOUT_S)
            if _peer_uid(connection) != os.geteuid():
                return
            try:
                message = _read_line(connection)
                self._dispatch(connection, message)
            except Refused as refusal:
                _answer(connection, {"ok": False, "error": str(refusal)})
            except (ConfigurationError, ValueError, KeyError, TypeError):
                _answer(connection, {"ok": False, "error": "bad_request"})

    def _dispatch(self, connection: socket.socket, message: Message) -> None:
        operation = str(message.get("op"))
        if operation in ("live", "ingest"):
            opened = self._desk.open_live(message) if operation == "live" else self._desk.open_ingest(message)
            self._stream(connection, *opened)
        elif operation == "snapshot":
            head, picture = self._desk.still(message)
            _answer(connection, {"ok": True, **head}, picture)
        elif operation in self._desk.answers:
            _answer(connection, {"ok": True, **self._desk.answers[operation](message)})
        else:
            raise Refused("unknown_op")

    def _stream(self, connection: socket.socket, session: Session, head: Message) -> None:
        try:
            _answer(connection, {"ok": True, **head})
            while not session.closed:
                connection.sendall(session.get(HEARTBEAT_S) or frame(HEARTBEAT, CONSOLE))
        finally:
            self._desk.leave(session)


def _peer_uid(connection: socket.socket) -> int:
    size = struct.calcsize("3i")
    return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1])


def _read_line(connection: socket.socket) -> Message:
    data = bytearray()
    while not data.endswith(b"\n"):
        block = connection.recv(65536)
        if not block or len(data) > LINE_LIMIT:
            raise Refused("bad_request")
        data += block
    message = json.loads(data)
    if not isinstance(message, dict):
        raise Refused("bad_request")
    return message


def _answer(connection: socket.socket, message: Message, rest: bytes = b"") -> None:
    connection.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n" + rest)
