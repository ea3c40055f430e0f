"""Parameter sets that change inside the stream."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.support.video import make_video, remuxed
from workers.recorder.parameters import annex_b_units, sequence_set, template_of


def keyframe(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return next(bytes(packet) for packet in container.demux(video=0) if packet.is_keyframe)


@pytest.mark.parametrize(("codec", "family"), [("libx264", "h264"), ("libx265", "h265")])
def test_keyframe_describes_itself(tmp_path: Path, codec: str, family: str) -> None:
    small = remuxed(make_video(tmp_path / "s.mp4", codec=codec, seconds=1), tmp_path / "s.ts", "mpegts")
    large = remuxed(make_video(tmp_path / "l.mp4", codec=codec, seconds=1, width=480), tmp_path / "l.ts", "mpegts")

    assert sequence_set(keyframe(small), family) not in (None, sequence_set(keyframe(large), family))
    assert template_of(keyframe(large), family).codec_context.width == 480


def test_packets_of_a_stored_file_carry_no_sets(tmp_path: Path) -> None:
    assert sequence_set(keyframe(make_video(tmp_path / "s.mp4", seconds=1)), "h264") is None


@pytest.mark.parametrize("data", [b"", b"\0\0\1", b"\0\0\0\1", b"abc", b"\0\0\1\0\0\1"])
def test_odd_bytes_are_survived(data: bytes) -> None:
    assert sequence_set(data, "h264") is None
    assert all(isinstance(unit, bytes) for unit in annex_b_units(data))
