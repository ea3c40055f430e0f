"""Box walking: timing, codec strings, and files that end badly."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import av
import pytest

from tests.support.video import make_video
from workers.recorder import boxes
from workers.recorder.hub import Fragment, Init
from workers.recorder.packager import Packager


def packaged(path: Path) -> tuple[Init, list[Fragment]]:
    """A file through the recorder's own muxer."""
    inits: list[Init] = []
    fragments: list[Fragment] = []
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        packager = Packager(
            stream, epoch=1, first_seq=5, cause="start", on_init=inits.append, on_fragment=fragments.append
        )
        for number, packet in enumerate(source.demux(stream)):
            if packet.size:
                packager.mux(packet, number * 1000)
        packager.close()
    return inits[0], fragments


@pytest.fixture(scope="module")
def bar(tmp_path_factory: pytest.TempPathFactory) -> tuple[Init, list[Fragment]]:
    return packaged(make_video(tmp_path_factory.mktemp("v") / "bar.mp4", seconds=3))


def test_fragments_are_200_ms_and_cut_at_keyframes(bar: tuple[Init, list[Fragment]]) -> None:
    _, fragments = bar

    assert [one.seq for one in fragments] == list(range(5, 5 + len(fragments)))
    assert sum(one.key for one in fragments) == 3
    assert max(one.duration_us for one in fragments) <= 250_000
    assert sum(one.duration_us for one in fragments) == pytest.approx(3_000_000, abs=5)
    assert all(later.dts == one.dts + one.duration for one, later in itertools.pairwise(fragments))


def test_fragment_carries_the_arrival_of_its_first_packet(bar: tuple[Init, list[Fragment]]) -> None:
    _, fragments = bar

    assert [one.wall_us for one in fragments[:3]] == [0, 3000, 6000]


@pytest.mark.parametrize(
    ("codec", "family", "prefix"), [("libx264", "h264", "avc1.42"), ("libx265", "h265", "hev1.1.6.L")]
)
def test_codec_string_comes_from_the_written_box(tmp_path: Path, codec: str, family: str, prefix: str) -> None:
    init, _ = packaged(make_video(tmp_path / "v.mp4", codec=codec, seconds=1))

    assert init.facts.family == family
    assert init.facts.codec.startswith(prefix)
    assert (init.facts.width, init.facts.height) == (320, 240)


def test_other_codec_is_packaged_but_not_recordable(tmp_path: Path) -> None:
    init, fragments = packaged(make_video(tmp_path / "v.avi", codec="mjpeg", seconds=1))

    assert not init.recordable
    assert fragments


def test_scan_stops_at_the_last_whole_fragment(bar: tuple[Init, list[Fragment]]) -> None:
    init, fragments = bar
    data = init.data + b"".join(one.data for one in fragments)
    for cut in (len(data) - 1, len(data) - len(fragments[-1].data) + 20):
        found = boxes.scan(io.BytesIO(data[:cut]), cut)
        assert len(found.fragments) == len(fragments) - 1
        assert found.usable_bytes == len(data) - len(fragments[-1].data)


def test_zero_filled_samples_pass_the_walk_and_fail_the_nal_check(bar: tuple[Init, list[Fragment]]) -> None:
    init, fragments = bar
    whole = init.data + b"".join(one.data for one in fragments[:-1])
    last = fragments[-1].data
    head = boxes.parse_moof(last).data_offset
    data = whole + last[:head] + bytes(len(last) - head)

    file = io.BytesIO(data)
    walked = boxes.scan(file, len(data))
    assert len(walked.fragments) == len(fragments)

    assert len(boxes.sound_prefix(file, walked).fragments) == len(fragments) - 1


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x08free", b"\0\0\0\0ftyp", bytes(64), b"\0\0\0\x10ftypisom\0\0\0\0"])
def test_bytes_that_are_no_recording_have_no_fragment(data: bytes) -> None:
    found = boxes.scan(io.BytesIO(data), len(data))

    assert found.fragments == []
    assert found.usable_bytes == 0


def test_every_truncation_of_a_recording_is_survived(bar: tuple[Init, list[Fragment]]) -> None:
    init, fragments = bar
    data = init.data + fragments[0].data + fragments[1].data
    first = len(init.data) + len(fragments[0].data)

    for cut in range(0, len(data), 37):
        found = boxes.sound_prefix(io.BytesIO(data[:cut]), boxes.scan(io.BytesIO(data[:cut]), cut))
        assert len(found.fragments) == (1 if cut >= first else 0)
