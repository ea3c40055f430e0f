"""RTSP cameras that cost next to nothing, and whose every frame and time stamp is known.

RTP packets are made beforehand, so that sending a frame is numbering them and one call: a few per cent of a core feed thirty
cameras of 4 Mb/s. Each session begins at a frame of its own, so that the cameras of a bench do not all send at once.
"""

from __future__ import annotations

import base64
import contextlib
import heapq
import itertools
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av

from tests.support.rtsp import RtspFiles
from workers.recorder.parameters import annex_b_units
from workers.recorder.sources import frame_ticks, video_stream

PAYLOAD, TICKS, TYPE = 1400, 90_000, 96
_PACKET = struct.Struct("!BBHBBHII")  # "$", channel, length; then version, marker and type, sequence, time, source
_NUMBERS = struct.Struct("!HI")


class RtspCameras(RtspFiles):
    """Any path at `rtsp://127.0.0.1:<port>/` is a camera that sends this H.264 file over and over, from another process."""

    def _command(self) -> list[str]:
        return ["tests.support.rtsp_cameras", str(self._folder), str(self.port)]


@dataclass
class Frame:
    """The interleaved RTP packets of one frame, where each one begins, and the ticks until the next frame."""

    units: list[bytes]
    ticks: int
    data: bytearray = field(default_factory=bytearray)
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """By RFC 6184: NAL units whole where they fit, otherwise in fragments (FU-A)."""
        for number, unit in enumerate(self.units, 1):
            last = number == len(self.units)
            if len(unit) <= PAYLOAD:
                self.add(unit, last)
                continue
            indicator, kind, room = unit[0] & 0xE0 | 28, unit[0] & 0x1F, PAYLOAD - 2
            for at in range(1, len(unit), room):
                ends = at + room >= len(unit)
                header = kind | (0x80 if at == 1 else 0) | (0x40 if ends else 0)
                self.add(bytes((indicator, header)) + unit[at : at + room], last and ends)

    def add(self, payload: bytes, marker: bool) -> None:
        self.starts.append(len(self.data))
        kind = TYPE | (0x80 if marker else 0)
        self.data += _PACKET.pack(0x24, 0, 12 + len(payload), 0x80, kind, 0, 0, 0x1234) + payload


@dataclass
class Clip:
    """The frames of a file and what describes them; with `pause_s`, that long passes after each packet of a frame."""

    frames: list[Frame]
    sets: list[bytes]
    pause_s: float = 0.0

    def description(self) -> bytes:
        sets = ",".join(base64.b64encode(one).decode() for one in self.sets)
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
            f"m=video 0 RTP/AVP {TYPE}\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:{TYPE} H264/{TICKS}\r\n"
            f"a=fmtp:{TYPE} packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:video\r\n"
        ).encode()


def load(video: Path) -> Clip:
    with av.open(str(video)) as container:
        stream = video_stream(container)
        step = round(frame_ticks(stream) * stream.time_base * TICKS)
        annex_b = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = [bytes(made) for packet in container.demux(stream) if packet.size for made in annex_b.filter(packet)]
    frames = [Frame(list(annex_b_units(data)), step) for data in packets]
    return Clip(frames, [unit for unit in frames[0].units if unit[0] & 0x1F in (7, 8)])


@contextmanager
def serving(clip: Clip) -> Iterator[str]:
    """The address of a camera of this process that sends these frames over and over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, clip), daemon=True).start()
        try:
            yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/camera"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


class Session:
    """One connection: answers requests, and sends frames once it is told to play."""

    def __init__(self, client: socket.socket, clip: Clip, sender: Sender) -> None:
        self._client, self._clip, self._sender = client, clip, sender
        self._writing = threading.Lock()
        self._sequence, self._time, self._at = 0, random.getrandbits(32), random.randrange(len(clip.frames))

    def run(self) -> None:
        with self._client, contextlib.suppress(OSError):
            held = b""
            while data := self._client.recv(65536):
                held = self._read(held + data)

    def _read(self, data: bytes) -> bytes:
        """Answer every whole request; the reports that a receiver sends in between are passed over."""
        while data:
            if data[0] == 0x24:
                size = 4 + int.from_bytes(data[2:4], "big") if len(data) >= 4 else len(data) + 1
                if len(data) < size:
                    break
                data = data[size:]
                continue
            request, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                break
            self._answer(request.decode().split("\r\n"))
            data = rest
        return data

    def _answer(self, lines: list[str]) -> None:
        method, url, _ = lines[0].split()
        number = next(line for line in lines if line.lower().startswith("cseq"))
        more, body = "", b""
        if method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = self._clip.description()
            more = f"Content-Base: {url}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        with self._writing:
            self._client.sendall(f"RTSP/1.0 200 OK\r\n{number}\r\nSession: 1\r\n{more}\r\n".encode() + body)
        if method == "PLAY":
            self._sender.play(self)

    def send(self) -> float:
        """Send the next frame; the seconds until the one after it. Raises `OSError` when nobody listens any more."""
        frame = self._clip.frames[self._at]
        for start in frame.starts:
            _NUMBERS.pack_into(frame.data, start + 6, self._sequence, self._time)
            self._sequence = self._sequence + 1 & 0xFFFF
        ends = [*frame.starts[1:], len(frame.data)] if self._clip.pause_s else [len(frame.data)]
        sent = 0
        for end in ends:
            with self._writing:
                self._client.sendall(frame.data[sent:end])
            sent = end
            time.sleep(self._clip.pause_s)
        self._at = (self._at + 1) % len(self._clip.frames)
        self._time = self._time + frame.ticks & 0xFFFFFFFF
        return frame.ticks / TICKS


class Sender(threading.Thread):
    """Sends the frames of every session when each is due."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._due: list[tuple[float, int, Session]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()

    def play(self, session: Session) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + random.random() / 25, next(self._count), session))
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                while not self._due or (wait := self._due[0][0] - time.monotonic()) > 0:
                    self._changed.wait(wait if self._due else None)
                at, number, session = heapq.heappop(self._due)
            with contextlib.suppress(OSError):
                at += session.send()
                with self._changed:
                    heapq.heappush(self._due, (at, number, session))


def _accept(listener: socket.socket, clip: Clip) -> None:
    sender = Sender()
    sender.start()
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Session(client, clip, sender).run, daemon=True).start()


def main(video: str, port: str) -> None:
    with socket.create_server(("127.0.0.1", int(port)), backlog=128) as listener:
        _accept(listener, load(Path(video)))


if __name__ == "__main__":
    main(*sys.argv[1:])
