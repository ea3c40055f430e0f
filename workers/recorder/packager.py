"""One muxer per stream, to memory: packets in, whole fragments of 200 ms out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import av

from workers.recorder.boxes import HEADER, parse_init, parse_moof
from workers.recorder.hub import Fragment, Init

FRAGMENT_US = 200_000
_OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof+skip_trailer+frag_discont",
    "frag_duration": str(FRAGMENT_US),
    "flush_packets": "1",
    "avoid_negative_ts": "disabled",
}


class _BoxSink:
    """The muxer's file: it writes in chunks of its own, so limits are found by walking boxes."""

    def __init__(self, on_box: Callable[[bytes, bytes], None]) -> None:
        self._chunks: list[bytes] = []
        self._held, self._needed = 0, 8
        self._on_box = on_box

    def write(self, data: bytes) -> int:
        self._chunks.append(data)
        self._held += len(data)
        if self._held >= self._needed:
            self._emit(b"".join(self._chunks))
        return len(data)

    def _emit(self, data: bytes) -> None:
        """Hand over every whole box and keep the rest until it is whole too."""
        at, self._needed = 0, 8
        while len(data) - at >= 8:
            size, kind = HEADER.unpack_from(data, at)
            if size < 8 or len(data) - at < size:
                self._needed = max(size, 8)
                break
            self._on_box(kind, data[at : at + size])
            at += size
        self._chunks, self._held = [data[at:]], len(data) - at


class Packager:
    """Muxes one epoch of one stream; a new epoch (jump, reconnect, new parameters) needs a new packager."""

    def __init__(
        self, template: Any, *, epoch: int, first_seq: int, cause: str,
        on_init: Callable[[Init], None], on_fragment: Callable[[Fragment], None],
    ) -> None:  # fmt: skip
        self.epoch, self.seq, self._cause = epoch, first_seq, cause
        self._on_init, self._on_fragment = on_init, on_fragment
        self._arrivals: deque[int] = deque()
        self._head: list[bytes] = []
        self._moof = b""
        self._init: Init | None = None
        self._container = av.open(_BoxSink(self._on_box), "w", format="mp4", options=_OPTIONS)
        self._stream = self._container.add_stream_from_template(template)

    def mux(self, packet: Any, wall_us: int) -> None:
        """Take one packet that arrived at this instant; its timestamps must grow."""
        self._arrivals.append(wall_us)
        packet.stream = self._stream
        self._container.mux_one(packet)

    def close(self) -> None:
        """Emit what is left of the last fragment."""
        self._container.close()

    def _on_box(self, kind: bytes, box: bytes) -> None:
        if kind in (b"ftyp", b"moov"):
            self._head.append(box)
            if kind == b"moov":
                data = b"".join(self._head)
                self._init = Init(self.epoch, data, parse_init(data), self._arrivals[0], self._cause)
                self._on_init(self._init)
        elif kind == b"moof":
            self._moof = box
        elif kind == b"mdat" and self._init is not None:
            self._emit(self._moof + box)

    def _emit(self, data: bytes) -> None:
        assert self._init is not None
        moof = parse_moof(self._moof)
        wall_us = self._arrivals[0]
        for _ in moof.sizes:
            self._arrivals.popleft()
        fragment = Fragment(
            self.epoch, self.seq, data, moof.key, wall_us, moof.dts, moof.duration, self._init.facts.timescale
        )
        self.seq += 1
        self._on_fragment(fragment)
