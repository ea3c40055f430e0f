"""ISO base media boxes: fragment limits, sample tables, codec strings, and the checks that decide what a file is worth."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

HEADER = struct.Struct(">I4s")
NON_SYNC = 0x0001_0000


class BoxError(ValueError):
    """The bytes are not the box they should be."""


@dataclass(frozen=True, slots=True)
class Box:
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Moof:
    """One movie fragment: where its samples are and when they play."""

    sequence: int
    dts: int
    duration: int
    sizes: tuple[int, ...]
    data_offset: int
    key: bool


@dataclass(frozen=True, slots=True)
class InitFacts:
    """What the `moov` says about the only track."""

    family: str
    codec: str
    width: int
    height: int
    timescale: int
    nal_length: int
    extradata: bytes = b""


@dataclass(frozen=True, slots=True)
class FileFragment:
    offset: int
    size: int
    moof: Moof


@dataclass(slots=True)
class FileScan:
    """Result of walking a file: its init, its whole fragments and the end of the last one."""

    init: bytes = b""
    facts: InitFacts | None = None
    fragments: list[FileFragment] = field(default_factory=list)
    usable_bytes: int = 0


def boxes(data: bytes | memoryview, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Boxes between two offsets; stops at the first impossible one."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = HEADER.unpack_from(data, start)
        body = start + 8
        if size == 1 and start + 16 <= end:
            size, body = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
        if size < body - start or start + size > end:
            return
        yield Box(bytes(kind), start, body, start + size)
        start += size


def find(data: bytes, *path: bytes, start: int = 0, end: int | None = None) -> Box:
    """The first box along a path of kinds. Raises `BoxError` when one is missing."""
    found: Box | None = None
    for kind in path:
        found = next((box for box in boxes(data, start, end) if box.kind == kind), None)
        if found is None:
            raise BoxError(f"no {kind.decode('ascii', 'replace')} box")
        start, end = found.body, found.end
    if found is None:
        raise BoxError("empty path")
    return found


def parse_moof(data: bytes) -> Moof:
    """Timing and sizes of a fragment with one track. Raises `BoxError`."""
    try:
        root = next(boxes(data), None)
        if root is None or root.kind != b"moof":
            raise BoxError("no moof box")
        outer = {box.kind: box for box in boxes(data, root.body, root.end)}
        traf = outer[b"traf"]
        inner = {box.kind: box for box in boxes(data, traf.body, traf.end)}
        sequence = struct.unpack_from(">I", data, outer[b"mfhd"].body + 4)[0]
        tfdt = inner[b"tfdt"].body
        dts = struct.unpack_from(">Q" if data[tfdt] == 1 else ">I", data, tfdt + 4)[0]
        return _trun(data, inner[b"trun"], _tfhd(data, inner[b"tfhd"]), sequence, dts)
    except (struct.error, KeyError, IndexError) as error:
        raise BoxError(f"bad moof: {error}") from None


def _tfhd(data: bytes, box: Box) -> tuple[int, int, int]:
    flags = int.from_bytes(data[box.body + 1 : box.body + 4], "big")
    at = box.body + 8
    at += (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    values = []
    for bit in (0x8, 0x10, 0x20):
        present = bool(flags & bit)
        values.append(struct.unpack_from(">I", data, at)[0] if present else 0)
        at += 4 if present else 0
    return values[0], values[1], values[2]


def _trun(data: bytes, box: Box, defaults: tuple[int, int, int], sequence: int, dts: int) -> Moof:
    flags = int.from_bytes(data[box.body + 1 : box.body + 4], "big")
    count = struct.unpack_from(">I", data, box.body + 4)[0]
    at, data_offset, first_flags = box.body + 8, 0, None
    if flags & 0x1:
        data_offset, at = struct.unpack_from(">i", data, at)[0], at + 4
    if flags & 0x4:
        first_flags, at = struct.unpack_from(">I", data, at)[0], at + 4
    names = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    if count == 0 or at + count * 4 * len(names) > box.end:
        raise BoxError("trun out of its box")
    rows = struct.unpack_from(f">{count * len(names)}I", data, at)
    column = {bit: rows[place :: len(names)] for place, bit in enumerate(names)}
    duration = sum(column[0x100]) if 0x100 in column else defaults[0] * count
    sizes = column.get(0x200, (defaults[1],) * count)
    if first_flags is None:
        first_flags = column[0x400][0] if 0x400 in column else defaults[2]
    return Moof(sequence, dts, duration, tuple(sizes), data_offset, not first_flags & NON_SYNC)


def parse_init(init: bytes) -> InitFacts:
    """Codec, size and timescale of an `ftyp`+`moov`. Raises `BoxError`."""
    try:
        media = find(init, b"moov", b"trak", b"mdia")
        mdhd = find(init, b"mdhd", start=media.body, end=media.end).body
        timescale = struct.unpack_from(">I", init, mdhd + (20 if init[mdhd] == 1 else 12))[0]
        stsd = find(init, b"minf", b"stbl", b"stsd", start=media.body, end=media.end)
        entry = next(boxes(init, stsd.body + 8, stsd.end), None)
        if entry is None:
            raise BoxError("empty stsd")
        width, height = struct.unpack_from(">HH", init, entry.body + 24)
        return _codec(init, entry, width, height, timescale)
    except (struct.error, IndexError) as error:
        raise BoxError(str(error)) from None


def _codec(init: bytes, entry: Box, width: int, height: int, timescale: int) -> InitFacts:
    extras = {box.kind: box for box in boxes(init, entry.body + 78, entry.end)}
    if entry.kind in (b"avc1", b"avc3") and b"avcC" in extras:
        at = extras[b"avcC"].body
        name = f"{entry.kind.decode()}.{init[at + 1]:02X}{init[at + 2]:02X}{init[at + 3]:02X}"
        return InitFacts("h264", name, width, height, timescale, (init[at + 4] & 3) + 1, init[at : extras[b"avcC"].end])
    if entry.kind in (b"hev1", b"hvc1") and b"hvcC" in extras:
        at = extras[b"hvcC"].body
        name = f"{entry.kind.decode()}.{_hevc_profile(init[at : at + 13])}"
        return InitFacts(
            "h265", name, width, height, timescale, (init[at + 21] & 3) + 1, init[at : extras[b"hvcC"].end]
        )
    return InitFacts("other", entry.kind.decode("ascii", "replace"), width, height, timescale, 0)


def _hevc_profile(config: bytes) -> str:
    space, tier, profile = config[1] >> 6, config[1] >> 5 & 1, config[1] & 31
    compatibility = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    constraints = config[6:12].rstrip(b"\0")
    parts = [f"{['', 'A', 'B', 'C'][space]}{profile}", f"{compatibility:X}", f"{'H' if tier else 'L'}{config[12]}"]
    return ".".join(parts + [f"{byte:X}" for byte in constraints])


def scan(file: BinaryIO, size: int) -> FileScan:
    """Walk a recording: `ftyp`, `moov`, then `moof`+`mdat` pairs; what follows the first impossible box is not usable."""
    found = FileScan()
    at = 0
    pending: tuple[int, bytes] | None = None
    while header := _header(file, at, size):
        kind, length = header
        if kind in (b"ftyp", b"moov", b"moof"):
            file.seek(at)
            body = file.read(length)
            if kind == b"moof":
                pending = (at, body)
            else:
                found.init += body
                if kind == b"moov" and not _keep_init(found):
                    break
        elif kind == b"mdat" and pending is not None and found.facts is not None:
            if not _keep_fragment(found, pending, at + length):
                break
            pending = None
        else:
            break
        at += length
    return found


def _header(file: BinaryIO, at: int, size: int) -> tuple[bytes, int] | None:
    file.seek(at)
    raw = file.read(16)
    if len(raw) < 8:
        return None
    length, kind = HEADER.unpack_from(raw)
    if length == 1:
        length = int.from_bytes(raw[8:16], "big") if len(raw) == 16 else 0
    if length < 8 or at + length > size:
        return None
    return bytes(kind), length


def _keep_init(found: FileScan) -> bool:
    try:
        found.facts = parse_init(found.init)
    except BoxError:
        return False
    return True


def _keep_fragment(found: FileScan, pending: tuple[int, bytes], end: int) -> bool:
    offset, body = pending
    try:
        moof = parse_moof(body)
    except BoxError:
        return False
    if moof.data_offset + sum(moof.sizes) > end - offset:
        return False
    found.fragments.append(FileFragment(offset, end - offset, moof))
    found.usable_bytes = end
    return True


def nals_are_sound(file: BinaryIO, fragment: FileFragment, facts: InitFacts) -> bool:
    """Length-prefixed NAL units of every sample add up and have a valid type: a zero-filled tail passes a box walk only."""
    if facts.nal_length == 0:
        return True
    at = fragment.offset + fragment.moof.data_offset
    for size in fragment.moof.sizes:
        file.seek(at)
        if not _sample_is_sound(file.read(size), size, facts):
            return False
        at += size
    return True


def _sample_is_sound(sample: bytes, size: int, facts: InitFacts) -> bool:
    at = 0
    while at + facts.nal_length < size:
        length = int.from_bytes(sample[at : at + facts.nal_length], "big")
        at += facts.nal_length
        if length < 1 or at + length > size or not _nal_type_is_valid(sample[at], facts.family):
            return False
        at += length
    return at == size and size > 0


def _nal_type_is_valid(first: int, family: str) -> bool:
    if first & 0x80:
        return False
    if family == "h264":
        return 1 <= first & 0x1F <= 21
    return (first >> 1 & 0x3F) <= 40


def sound_prefix(file: BinaryIO, found: FileScan) -> FileScan:
    """The scan without trailing fragments whose samples are not video."""
    if found.facts is None:
        return found
    while found.fragments and not nals_are_sound(file, found.fragments[-1], found.facts):
        last = found.fragments.pop()
        found.usable_bytes = last.offset
    return found
