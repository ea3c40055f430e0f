"""The recorder's stream read back as frames: timelines, wall times, refusals and broken connections."""

import itertools
import socket
import threading
from io import BytesIO

import av
import pytest

from tests.integration.analytics.street import FPS, FakeRecorder, encode, pictures
from workers.analytics.producers.frames import Frame, Throttle, from_recorder, from_url
from workers.analytics.producers.ingest import HEADER, IngestRefused, RecorderStream

REQUEST = {"op": "ingest", "camera": "c", "stream": "main"}


@pytest.fixture(scope="module")
def video() -> bytes:
    target = BytesIO()
    encode(pictures(None, frames=40), target, fragmented=True)
    return target.getvalue()


@pytest.fixture
def serve(tmp_path):
    recorders = []

    def start(data: bytes, kind=FakeRecorder, **options) -> tuple[FakeRecorder, str]:
        path = tmp_path / f"{len(recorders)}.sock"
        recorders.append(kind(path, data, **options))
        return recorders[-1], str(path)

    yield start
    for recorder in recorders:
        recorder.close()


def watch(path: str, **options) -> list[Frame]:
    with RecorderStream(path, REQUEST) as stream:
        return list(from_recorder(stream, **options))


def test_from_recorder_gives_every_frame_with_growing_times(video, serve):
    recorder, path = serve(video)

    frames = watch(path)

    assert recorder.requests == [REQUEST]
    assert len(frames) == 40
    assert [frame.index for frame in frames] == list(range(40))
    assert {frame.timeline for frame in frames} == {0}
    steps = {b.pts_ns - a.pts_ns for a, b in itertools.pairwise(frames)}
    assert steps == {int(1e9 / FPS)}
    assert (frames[0].width, frames[0].height) == (640, 360)


def test_from_recorder_wall_time_is_the_fragments_arrival_plus_the_frames_place(video, serve):
    recorder, path = serve(video, pace=0.01)

    frames = watch(path)

    assert frames[0].wall_ns == int(recorder.wall_ms[0] * 1e6)
    arrivals = {int(wall * 1e6) for wall in recorder.wall_ms}
    assert sum(frame.wall_ns in arrivals for frame in frames) == len(recorder.wall_ms)


def test_from_recorder_new_init_is_a_new_timeline(video, serve):
    _, path = serve(video, times=2)

    frames = watch(path)

    assert [frame.timeline for frame in frames] == [0] * 40 + [1] * 40
    assert frames[40].pts_ns == frames[0].pts_ns


def test_from_recorder_keyframes_only_decodes_few(video, serve):
    _, path = serve(video)

    frames = watch(path, keyframes_only=True)

    assert 1 <= len(frames) <= 4


def test_recorder_stream_refusal_names_its_code(video, serve):
    _, path = serve(video, refuse="not_found")

    with pytest.raises(IngestRefused) as refusal:
        RecorderStream(path, REQUEST)

    assert refusal.value.code == "not_found"


def test_recorder_that_dies_in_the_middle_raises_after_the_frames_it_sent(video, serve):
    class Dying(FakeRecorder):
        def _send(self, stream, epoch: int) -> None:
            super()._send(stream, epoch)
            raise BrokenPipeError

    _, path = serve(video, kind=Dying)
    seen = []

    with RecorderStream(path, REQUEST) as stream, pytest.raises(ConnectionError):
        seen.extend(from_recorder(stream))
    assert stream.failure is not None


def test_recorder_stream_absurd_length_is_refused(tmp_path):
    path = tmp_path / "bad.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def lie() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b'{"ok":true}\n' + HEADER.pack(1, 0, 0, 1 << 31, 0, 0.0))

        liar = threading.Thread(target=lie, daemon=True)
        liar.start()
        with RecorderStream(str(path), REQUEST) as stream, pytest.raises(IngestRefused, match="protocol_error"):
            stream.next_timeline()
        liar.join()


@pytest.mark.parametrize(("fps", "taken"), [(12.5, 40), (6.25, 20), (4.2, 13)])
def test_throttle_thins_evenly(video, fps, taken):
    throttle = Throttle(fps)

    kept = [at for at in range(40) if throttle.takes(int(at * 1e9 / 12.5))]

    assert abs(len(kept) - taken) <= 1


def test_throttle_survives_a_clock_that_goes_back():
    throttle = Throttle(5.0)
    assert throttle.takes(100_000_000_000)

    assert throttle.takes(0)
    assert not throttle.takes(50_000_000)
    assert throttle.takes(200_000_000)


def test_from_url_broken_file_fails_cleanly(tmp_path):
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"\x00" * 5000)

    with pytest.raises(av.error.FFmpegError):
        list(from_url(str(path), pace=False))


def test_from_url_file_with_a_damaged_middle_still_gives_frames(tmp_path):
    path = tmp_path / "street.mp4"
    encode(pictures(None, frames=40), path)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + len(data) // 3
    data[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(data)

    assert len(list(from_url(str(path), pace=False))) > 10
