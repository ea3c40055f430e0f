"""The recorder's loopback stream: framed fragments on a Unix socket, offered to a demuxer as one file per timeline."""

import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

HEADER = struct.Struct(">BBHIId")
INIT, FRAGMENT, STATE, HEARTBEAT, ERROR, END = 1, 2, 3, 4, 5, 6
INIT_PREFIX = 64
MAX_FRAME = 32 << 20
SILENCE_S = 15.0
MAX_FRAGMENTS = 256


class IngestRefused(RuntimeError):
    """The recorder answered that it will not serve this camera; `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RecorderStream:
    """A readable object for the demuxer. `next_timeline` waits for an INIT; reading then ends where the next one begins."""

    def __init__(self, path: str, request: Mapping[str, Any]) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(SILENCE_S)
        self._head: bytes | None = None
        self._data = memoryview(b"")
        self._position = 0
        self._is_over = False
        self.failure: Exception | None = None
        self.timeline = -1
        self.last_heard = time.monotonic()
        self.fragments: tuple[list[int], list[int]] = ([], [])
        try:
            self._socket.connect(path)
            self._socket.sendall(json.dumps(dict(request)).encode() + b"\n")
            self._check_answer()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "RecorderStream":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def next_timeline(self) -> bool:
        """Wait for the head of a timeline; False when the recorder ends the stream. Raises what broke the connection."""
        if self.failure is not None:
            raise self.failure
        while self._head is None:
            if not self._receive():
                return False
        self._data, self._head = memoryview(self._head), None
        self._position, self.fragments = 0, ([], [])
        self.timeline += 1
        return True

    def read(self, size: int) -> bytes:
        """Some bytes of the current timeline, as soon as there are any; empty at its end.

        A broken connection ends the timeline too: the demuxer could not pass an exception on.
        """
        try:
            while not self._data:
                if self._head is not None or not self._receive():
                    return b""
        except (OSError, IngestRefused) as error:
            self.failure, self._is_over = error, True
            return b""
        piece = bytes(self._data[:size])
        self._data = self._data[len(piece):]
        self._position += len(piece)
        return piece

    def forget_before(self, offset: int) -> None:
        offsets, walls = self.fragments
        while offsets and offsets[0] < offset:
            del offsets[0], walls[0]

    def _check_answer(self) -> None:
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = self._socket.recv(1)
            if not byte or len(line) > 65_536:
                raise IngestRefused("closed")
            line += byte
        answer = json.loads(line)
        if not answer.get("ok"):
            raise IngestRefused(str(answer.get("error", "refused")))

    def _receive(self) -> bool:
        """Take one frame off the socket; False when the stream is over."""
        if self._is_over:
            return False
        kind, _, _, length, _, wall_ms = HEADER.unpack(self._exactly(HEADER.size))
        if length > MAX_FRAME:
            raise IngestRefused("protocol_error")
        payload = self._exactly(length)
        self.last_heard = time.monotonic()
        if kind == INIT:
            self._head = payload[INIT_PREFIX:]
        elif kind == FRAGMENT and self._head is None:
            offsets, walls = self.fragments
            offsets.append(self._position + len(self._data))
            walls.append(int(wall_ms * 1_000_000))
            del offsets[:-MAX_FRAGMENTS], walls[:-MAX_FRAGMENTS]
            self._data = memoryview(bytes(self._data) + payload)
        elif kind == ERROR:
            raise IngestRefused(str(json.loads(payload or b"{}").get("code", "refused")))
        self._is_over = kind == END
        return not self._is_over

    def _exactly(self, size: int) -> bytes:
        pieces, missing = [], size
        while missing:
            piece = self._socket.recv(min(missing, 1 << 16))
            if not piece:
                raise ConnectionError("the recorder closed the stream")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
