"""Cuts a clip out of recorded segments: remuxed without re-encoding, from the keyframe before to the last whole fragment."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import av

from workers.recorder.boxes import InitFacts, scan
from workers.recorder.clock import SECOND
from workers.recorder.index import open_index, unpack_index

_HEAD_BYTES = 1 << 16
SEAMLESS_US = 200_000


class NoFootageError(Exception):
    """Nothing was recorded in the interval."""


@dataclass(frozen=True)
class Span:
    """A readable piece of footage: a file, how much of it is whole, and its keyframes `(offset, size, dts, wall_us)`."""

    path: str
    start_us: int
    end_us: int
    usable_bytes: int
    keys: tuple[tuple[int, int, int, int], ...]
    timescale: int


@dataclass(frozen=True)
class Clip:
    path: Path
    sha256: str
    bytes: int
    codec: str
    duration_ms: int
    from_us: int
    to_us: int


@dataclass(frozen=True)
class _Piece:
    """The part of one span that the clip needs, in memory."""

    init: bytes
    facts: InitFacts
    data: bytes
    first: tuple[int, int]
    start_us: int
    end_us: int


def closed_spans(index: Path, volume: Path, camera: UUID, from_us: int, to_us: int) -> list[Span]:
    """Sealed footage of a camera that touches the interval."""
    connection = open_index(index)
    try:
        rows = connection.execute(
            "SELECT * FROM segments WHERE camera=? AND state='sealed' AND start_us<? AND end_us>? ORDER BY start_us",
            (str(camera), to_us, from_us),
        ).fetchall()
    finally:
        connection.close()
    return [
        Span(
            str(volume / row["relpath"]), row["start_us"], row["end_us"], row["usable_bytes"],
            tuple(unpack_index(row["fragment_index"])), row["timescale"],
        )
        for row in rows
    ]  # fmt: skip


def cut(spans: Sequence[Span], from_us: int, to_us: int, target: Path) -> Clip:
    """Write `[from, to)` as a plain MP4 beginning at zero. Raises `NoFootageError`.

    When the camera changed its parameters inside the interval, the longest run of equal parameters is kept.
    """
    pieces = [piece for span in sorted(spans, key=lambda one: one.start_us) if (piece := _piece(span, from_us, to_us))]
    if not pieces:
        raise NoFootageError
    kept = _longest_group(pieces)
    partial = target.with_name(f".{target.name}.part")
    begin_us, end_us = _remux(kept, to_us, partial)
    if end_us <= begin_us:
        partial.unlink(missing_ok=True)
        raise NoFootageError
    data = partial.read_bytes()
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    return Clip(
        target,
        hashlib.sha256(data).hexdigest(),
        len(data),
        kept[0].facts.codec,
        (end_us - begin_us) // 1000,
        begin_us,
        end_us,
    )


def _piece(span: Span, from_us: int, to_us: int) -> _Piece | None:
    if span.end_us <= from_us or span.start_us >= to_us or not span.keys:
        return None
    before = [key for key in span.keys if key[3] <= from_us]
    first = before[-1] if before else span.keys[0]
    after = next((key for key in span.keys if key[3] >= to_us), None)
    end = after[0] if after else span.usable_bytes
    with Path(span.path).open("rb") as file:
        head = scan(
            io.BytesIO(file.read(min(_HEAD_BYTES, first[0] or _HEAD_BYTES))), min(_HEAD_BYTES, span.usable_bytes)
        )
        file.seek(first[0])
        data = file.read(end - first[0])
    if head.facts is None or not data:
        return None
    return _Piece(head.init, head.facts, data, (first[2], first[3]), max(first[3], span.start_us), span.end_us)


def _longest_group(pieces: list[_Piece]) -> list[_Piece]:
    groups: dict[bytes, list[_Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.init[piece.init.find(b"stsd") :], []).append(piece)
    return max(groups.values(), key=lambda group: sum(one.end_us - one.start_us for one in group))


def _remux(pieces: list[_Piece], to_us: int, target: Path) -> tuple[int, int]:
    """Copy packets into one file; a hole between pieces stays a hole in time. Returns the covered interval."""
    scale = pieces[0].facts.timescale
    begin_us = pieces[0].first[1]
    end_us = begin_us
    last, shift, expected = -1, 0, None
    with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as out:
        stream: Any = None
        for piece in pieces:
            with av.open(io.BytesIO(piece.init + piece.data)) as read:
                source = read.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(source)
                if expected is None or abs(piece.first[0] - expected) > scale * SEAMLESS_US // SECOND:
                    shift = (piece.first[1] - begin_us) * scale // SECOND - piece.first[0]
                for packet, wall_us in _packets(read, source, piece, to_us):
                    expected = packet.dts + packet.duration
                    dts = max(packet.dts + shift, last + 1)
                    packet.pts = max(packet.pts + shift, dts)
                    packet.dts = last = dts
                    end_us = wall_us + packet.duration * SECOND // scale
                    packet.stream = stream
                    out.mux_one(packet)
    return begin_us, end_us


def _packets(read: Any, source: Any, piece: _Piece, to_us: int) -> Iterator[tuple[Any, int]]:
    for packet in read.demux(source):
        if not packet.size or packet.dts is None:
            continue
        wall_us = piece.first[1] + (packet.dts - piece.first[0]) * SECOND // piece.facts.timescale
        if wall_us >= to_us:
            return
        yield packet, wall_us
