"""One camera inside a recorder: its main stream always, its sub-stream while somebody watches, its writer while due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from workers.recorder.clock import iso
from workers.recorder.configuration import CameraSpec
from workers.recorder.health import Sight
from workers.recorder.sources import SourceSpec
from workers.recorder.stream import Stream, Surroundings
from workers.recorder.writer import CameraWriter

LINGER_S = 15.0
WriterFactory = Callable[[UUID, Callable[[], str | None]], CameraWriter]


class Camera:
    """Applies a `CameraSpec` and keeps running what did not change."""

    def __init__(self, spec: CameraSpec, around: Surroundings, writer: WriterFactory) -> None:
        self.spec, self._around, self._make_writer = spec, around, writer
        self._lock = threading.RLock()
        self._watchers = 0
        self._idle_since = time.monotonic()
        self.sight = Sight()
        self.sub: Stream | None = None
        self.writer: CameraWriter | None = None
        self.main = self._stream(spec.main, "main")
        self._set_recording(spec.record)
        self.main.start()

    def apply(self, spec: CameraSpec) -> None:
        with self._lock:
            if spec.main != self.spec.main:
                self.sight.forget()
                self.main.change(spec.main)
            if self.sub is not None and spec.sub is not None and spec.sub != self.spec.sub:
                self.sub.change(spec.sub)
            self._set_recording(spec.record)
            self.spec = spec

    def _stream(self, source: SourceSpec, name: str) -> Stream:
        return Stream(f"{self.spec.id}/{name}", source, self._around)

    def _set_recording(self, wanted: bool) -> None:
        if wanted and self.writer is None:
            self.writer = self._make_writer(self.spec.id, lambda: self.main.error_code)
            self.writer.start()
            self.main.hub.subscribe(self.writer.queue)
        elif not wanted and self.writer is not None:
            self.main.hub.unsubscribe(self.writer.queue)
            self.writer.stop("scheduled_off")
            self.writer = None

    def watch(self, name: str) -> tuple[Stream, Callable[[], None]]:
        """A stream to read from and how to say that one stopped; a camera without sub-stream gives its main one."""
        with self._lock:
            if name != "sub" or self.spec.sub is None:
                return self.main, lambda: None
            if self.sub is None:
                self.sub = self._stream(self.spec.sub, "sub")
                self.sub.start()
            self._watchers += 1
            return self.sub, self._leave

    def _leave(self) -> None:
        with self._lock:
            self._watchers -= 1
            self._idle_since = time.monotonic()

    def rest(self) -> None:
        """Let go of a sub-stream that nobody watches."""
        with self._lock:
            if self.sub is not None and self._watchers == 0 and time.monotonic() - self._idle_since > LINGER_S:
                self.sub.stop()
                self.sub = None

    def stop(self, cause: str) -> None:
        """End everything; the open segment is sealed."""
        with self._lock:
            for stream in (self.main, self.sub):
                if stream is not None:
                    stream.stop()
            self.main.join(1.0)
            if self.writer is not None:
                self.writer.stop(cause)

    def state(self, name: str = "main") -> str:
        """What screens show: `frozen` and `dark` are online streams whose picture says otherwise."""
        stream = self.sub if name == "sub" and self.sub is not None else self.main
        state = stream.state()
        if state == "online" and stream is self.main:
            return self.sight.verdict() or state
        return state

    def status(self) -> dict[str, Any]:
        main, writer, init = self.main, self.writer, self.main.hub.init
        error = main.error_code
        if error is None and init is not None and not init.recordable:
            error = "unsupported_codec"
        since = writer.gap_since if writer else None
        return {
            "camera_id": str(self.spec.id), "state": self.state(), "recording": bool(writer and writer.recording),
            "record": self.spec.record, "codec": init.facts.family if init else None,
            "width": init.facts.width if init else None, "height": init.facts.height if init else None,
            "fps": main.fps or None, "error_code": error or (writer.error_code if writer else None),
            "last_packet_at": iso(main.last_packet_us) if main.last_packet_us else None,
            "last_packet_us": main.last_packet_us, "recorded_us": writer.recorded_us if writer else None,
            "gap_since_us": since, "reconnects": main.reconnects, "bytes_in": main.bytes_in, "derived": main.derived,
        }  # fmt: skip
