"""A street drawn by the tests: a car with a plate drives towards the camera; encoded, and served as the recorder does."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT, FPS = 640, 360, 12.5
HEADER = struct.Struct(">BBHIId")
INIT, FRAGMENT, ERROR, END = 1, 2, 5, 6
CALM_FRAMES = 20


def pictures(plate: str | None, frames: int = 70, *, away: bool = False) -> Iterator[np.ndarray]:
    """Some empty frames, then the car from the far end to the near one (`away`: the other way round)."""
    noise = np.random.default_rng(3)
    road = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    cv2.line(road, (320, 0), (320, HEIGHT), (200, 200, 200), 3)
    for frame in range(frames):
        picture = road.copy()
        step = frame - CALM_FRAMES
        if step >= 0:
            _draw_car(picture, HEIGHT + 60 - 9 * step if away else 9 * step - 90, plate)
        yield np.clip(picture.astype(np.int16) + noise.integers(-3, 4, picture.shape), 0, 255).astype(np.uint8)


def _draw_car(picture: np.ndarray, top: int, plate: str | None) -> None:
    left, width, height = 130, 200, 120
    cv2.rectangle(picture, (left, top), (left + width, top + height), (40, 40, 170), -1)
    cv2.rectangle(picture, (left + 30, top + 8), (left + width - 30, top + 45), (30, 30, 30), -1)
    if plate:
        cv2.rectangle(picture, (left + 35, top + 70), (left + 165, top + 106), (245, 245, 245), -1)
        cv2.putText(picture, plate, (left + 40, top + 97), cv2.FONT_HERSHEY_DUPLEX, 0.68, (10, 10, 10), 2, cv2.LINE_AA)


def encode(images: Iterator[np.ndarray], target: Path | BytesIO, *, fragmented: bool = False) -> None:
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "200000"} if fragmented else {}
    with av.open(target, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "12", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = number * 2
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while offset < len(data):
        size, kind = struct.unpack_from(">I4s", data, offset)
        yield kind, data[offset : offset + size]
        offset += size


class FakeRecorder:
    """Serves one fragmented video on a Unix socket with the recorder's framing, `times` over, each as a new timeline."""

    def __init__(self, path: Path, data: bytes, *, times: int = 1, pace: float = 0.0, refuse: str | None = None) -> None:
        self.requests: list[dict] = []
        self._data, self._times, self._pace, self._refuse = data, times, pace, refuse
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(4)
        self.wall_ms: list[float] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rwb") as stream:
            self._answer(stream)

    def _answer(self, stream) -> None:
        self.requests.append(json.loads(stream.readline()))
        answer = {"ok": False, "error": self._refuse} if self._refuse else {"ok": True}
        stream.write(json.dumps(answer).encode() + b"\n")
        stream.flush()
        if self._refuse:
            return
        for epoch in range(self._times):
            self._send(stream, epoch)
        stream.write(HEADER.pack(END, 0, 0, 0, 0, time.time() * 1000))

    def _send(self, stream, epoch: int) -> None:
        head, pending = b"", b""
        for kind, box in boxes(self._data):
            if kind in (b"ftyp", b"moov"):
                head += box
                if kind == b"moov":
                    prefix = json.dumps({"codec": "avc1", "n": 1}).encode().ljust(64)
                    stream.write(self._frame(INIT, prefix + head, epoch))
            elif kind == b"moof":
                pending = box
            elif kind == b"mdat":
                self.wall_ms.append(time.time() * 1000)
                stream.write(self._frame(FRAGMENT, pending + box, epoch))
                stream.flush()
                time.sleep(self._pace)

    def _frame(self, kind: int, payload: bytes, seq: int) -> bytes:
        wall = self.wall_ms[-1] if self.wall_ms else time.time() * 1000
        return HEADER.pack(kind, 0, 0, len(payload), seq, wall) + payload
