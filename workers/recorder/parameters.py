"""Codec parameters inside the stream: a camera may change resolution without saying so in its description."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import av

_FORMATS = {"h264": "h264", "h265": "hevc"}


def annex_b_units(data: bytes) -> Iterator[bytes]:
    """NAL units between start codes; nothing when the data is not in Annex B form."""
    if not data.startswith((b"\0\0\1", b"\0\0\0\1")):
        return
    at = data.find(b"\0\0\1") + 3
    while at >= 3:
        end = data.find(b"\0\0\1", at)
        yield data[at:end].rstrip(b"\0") if end >= 0 else data[at:]
        at = end + 3 if end >= 0 else -1


def sequence_set(data: bytes, family: str) -> bytes | None:
    """The first sequence parameter set before any picture data; None when there is none."""
    for unit in annex_b_units(data[: 64 << 10]):
        if not unit:
            continue
        kind = unit[0] & 0x1F if family == "h264" else unit[0] >> 1 & 0x3F
        if kind == (7 if family == "h264" else 33):
            return unit
        if kind in (1, 5) if family == "h264" else kind < 32:
            return None
    return None


def template_of(keyframe: bytes, family: str) -> Any:
    """A stream described by the parameter sets that stand in a keyframe itself."""
    return av.open(io.BytesIO(keyframe), format=_FORMATS[family]).streams.video[0]
