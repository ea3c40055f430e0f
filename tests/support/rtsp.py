"""A real RTSP server over files, and a proxy in front of it that stalls, drops or refuses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from aio_rtsp_toolkit.server import RtspServer
from aio_rtsp_toolkit.server_session import RtspServerSession


class RtspFiles:
    """Serves the files of a folder at `rtsp://127.0.0.1:<port>/<name>`, from a process of its own.

    With `log`, the packets of a frame leave at once, as those of a camera, instead of spread until the next one; and each frame
    is a JSON line there when it begins to leave: `session`, `file`, `media_s` and `at` (wall time).
    """

    def __init__(self, folder: Path, log: Path | None = None) -> None:
        self._folder, self._log = folder, log
        self.port = free_port()

    def __enter__(self) -> RtspFiles:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self._command()], cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                assert time.monotonic() < deadline, "the RTSP server did not start"
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _command(self) -> list[str]:
        return ["tests.support.rtsp", str(self._folder), str(self.port), *([str(self._log)] if self._log else [])]


class FaultProxy:
    """Forwards TCP to the server; `mode` is pass, stall (silence), or refuse (401 to every request)."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self.mode, self._closed = "pass", False
        self.connections = 0
        self.heard = b""
        self.attempts: list[float] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed = True
        _shut(self._listener)
        self.drop()

    def drop(self) -> None:
        """Cut every connection."""
        for one in self._open:
            _shut(one)
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.attempts.append(time.monotonic())
            self.connections += 1
            if self.mode == "refuse":
                threading.Thread(target=self._refuse, args=(client,), daemon=True).start()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _refuse(self, client: socket.socket) -> None:
        with client:
            while data := client.recv(65536):
                self.heard += data
                sequence = next((line for line in data.split(b"\r\n") if line.lower().startswith(b"cseq")), b"CSeq: 1")
                client.sendall(
                    b"RTSP/1.0 401 Unauthorized\r\n" + sequence + b'\r\nWWW-Authenticate: Basic realm="cam"\r\n\r\n'
                )

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with source, target, contextlib.suppress(OSError):
            while data := source.recv(65536):
                while self.mode == "stall" and not self._closed:
                    time.sleep(0.05)
                target.sendall(data)


class SlowFile:
    """Serves one file over HTTP at the pace of its length in seconds, as a camera would."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._data, self._seconds = path.read_bytes(), seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/video"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        _shut(self._listener)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.recv(65536)
            client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
            step = max(1, int(len(self._data) / self._seconds / 10))
            for at in range(0, len(self._data), step):
                client.sendall(self._data[at : at + step])
                time.sleep(0.1)


def _shut(one: socket.socket) -> None:
    """Close a socket that another thread may be waiting on."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _note_frames(log: Path) -> None:
    """Make every session send each frame at once and write it down."""
    send, paced = RtspServerSession._send_rtp_packet, RtspServerSession._send_paced_rtp_payloads
    lines = log.open("a", buffering=1)
    last: dict[str, int] = {}

    async def noting(self: Any, state: Any, payload: bytes, timestamp: int, marker: int) -> None:
        if last.get(self.session_id) != timestamp:
            last[self.session_id] = timestamp
            line = {"session": self.session_id, "file": self.media_source.file_path.name}
            line |= {"media_s": timestamp / state.info.clock_rate, "at": time.time()}
            lines.write(json.dumps(line) + "\n")
        await send(self, state, payload, timestamp, marker)

    async def at_once(self: Any, state: Any, payloads: Any, timestamp: int, media_time: float, _: float) -> None:
        await paced(self, state, payloads, timestamp, media_time, 0.0)

    RtspServerSession._send_rtp_packet, RtspServerSession._send_paced_rtp_payloads = noting, at_once


def _put_once(
    self: Any, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[Any], item: Any, stop_event: threading.Event
) -> bool:
    """Queue one frame. The toolkit gives up after 50 ms and tries again, and so sent now and then a frame twice."""
    waiting = asyncio.run_coroutine_threadsafe(queue.put(item), loop)
    while not stop_event.is_set():
        try:
            waiting.result(timeout=0.05)
        except TimeoutError:
            continue
        except Exception:
            return False
        return True
    waiting.cancel()
    return False


async def _serve_files(folder: str, port: int, log: str | None = None) -> None:
    if log:
        _note_frames(Path(log))
    RtspServerSession._threadsafe_queue_put = _put_once
    server = RtspServer(folder, host="127.0.0.1", port=port)
    await server.start()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve_files(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
