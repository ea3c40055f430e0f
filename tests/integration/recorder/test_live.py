"""Live frames, tickets, revocation, clips and stills over the recorder's socket."""

from __future__ import annotations

import io
import time
from pathlib import Path
from uuid import uuid4

import av
import pytest

from tests.support.live import TicketOffice, Viewer
from tests.support.recorder_rig import CAMERA, OTHER_CAMERA, TENANT, RecorderRig, camera, wait_until
from tests.support.video import frames_of
from workers.recorder.client import RecorderRefused, ask_with_body
from workers.recorder.clips import NoFootageError, Span, cut
from workers.recorder.clock import SECOND, iso
from workers.recorder.live import END, ERROR, FRAGMENT, INIT, STATE

pytestmark = pytest.mark.slow("starts a real recorder")
PATH = f"{TENANT}/{CAMERA}"


@pytest.fixture
def office() -> TicketOffice:
    return TicketOffice()


@pytest.fixture
def live(rig: RecorderRig, video: Path, office: TicketOffice) -> RecorderRig:
    rig.start()
    rig.apply(camera(video), view_keys=[office.public])
    wait_until(lambda: rig.camera()["recording"])
    return rig


def test_viewer_gets_session_init_and_fragments_from_the_last_keyframe(live: RecorderRig, office: TicketOffice) -> None:
    with Viewer(live.socket, op="live", tickets=[office.ticket(PATH, TENANT)]) as viewer:
        hello = viewer.frame()
        init, first, second = viewer.until(INIT), viewer.frame(), viewer.frame()

    assert viewer.answer["refused"] == []
    assert (hello.kind, hello.track, hello.json()["sid"]) == (STATE, 255, viewer.answer["sid"])
    assert init.payload[:64].decode().startswith('{"codec":"avc1.')
    assert init.payload[64 + 4 : 64 + 8] == b"ftyp"
    assert (first.kind, first.flags & 1) == (FRAGMENT, 1)
    assert second.seq == first.seq + 1
    with av.open(io.BytesIO(init.payload[64:] + first.payload + second.payload)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 2


def test_fragments_reach_the_viewer_within_a_fragment_of_their_packets(live: RecorderRig, office: TicketOffice) -> None:
    with Viewer(live.socket, op="live", tickets=[office.ticket(PATH, TENANT)]) as viewer:
        viewer.until(INIT)
        time.sleep(0.3)
        ages = []
        for _ in range(12):
            frame = viewer.until(FRAGMENT)
            ages.append(time.time() * 1000 - frame.wall_ms)

    assert sorted(ages)[len(ages) // 2] < 450


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        ({"path": f"{TENANT}/{OTHER_CAMERA}"}, "not_found"),
        ({"path": f"{uuid4()}/{CAMERA}"}, "not_found"),
        ({"path": "~.*"}, "not_found"),
        ({"path": ""}, "not_found"),
        ({"path": f"{PATH}/main"}, "not_found"),
        ({"tenant": str(uuid4())}, "not_found"),
        ({"act": "publish"}, "not_found"),
        ({"aud": "web"}, "not_found"),
        ({"iat": int(time.time()) - 400, "exp": int(time.time()) - 280}, "expired"),
        ({"exp": int(time.time()) + 86_400}, "not_found"),
    ],
)
def test_ticket_that_is_not_exactly_right_is_refused(
    live: RecorderRig, office: TicketOffice, spoil: dict[str, object], error: str
) -> None:
    with Viewer(live.socket, op="live", tickets=[office.ticket(PATH, TENANT, claims=spoil)]) as viewer:
        assert viewer.answer["refused"] == [{"index": 0, "error": error}]
        assert viewer.answer["tracks"] == []


def test_ticket_signed_by_another_key_is_refused(live: RecorderRig) -> None:
    with Viewer(live.socket, op="live", tickets=[TicketOffice().ticket(PATH, TENANT)]) as viewer:
        assert viewer.answer["refused"] == [{"index": 0, "error": "not_found"}]


def test_revoke_cuts_the_track_at_once_from_another_connection(live: RecorderRig, office: TicketOffice) -> None:
    view = str(uuid4())
    with Viewer(live.socket, op="live", tickets=[office.ticket(PATH, TENANT, view_id=view)]) as viewer:
        viewer.until(FRAGMENT)
        began = time.monotonic()

        assert live.ask("revoke", views=[view])["removed"] == 1

        assert viewer.until(ERROR).json() == {"code": "revoked"}
        assert viewer.frame().kind == END
        assert time.monotonic() - began < 5


def test_view_that_is_not_renewed_expires_and_a_renewed_one_goes_on(
    live: RecorderRig, office: TicketOffice, video: Path
) -> None:
    live.apply(camera(video), camera(video, identifier=OTHER_CAMERA), view_keys=[office.public])
    kept, dropped = str(uuid4()), str(uuid4())
    past = {"iat": int(time.time()) - 110, "exp": int(time.time()) - 5}
    tickets = [
        office.ticket(PATH, TENANT, view_id=kept, claims=past),
        office.ticket(f"{TENANT}/{OTHER_CAMERA}", TENANT, view_id=dropped, claims=past),
    ]
    with Viewer(live.socket, op="live", tickets=tickets) as viewer:
        renewed = live.ask("live_add", sid=viewer.answer["sid"], tickets=[office.ticket(PATH, TENANT, view_id=kept)])
        ended = viewer.until(ERROR, timeout=30)
        frame = viewer.until(FRAGMENT)

    tracks = {track["view_id"]: track["track"] for track in viewer.answer["tracks"]}
    assert renewed["tracks"][0]["track"] == tracks[kept]
    assert (ended.track, ended.json()) == (tracks[dropped], {"code": "expired"})
    assert frame.track == tracks[kept]


def test_tracks_are_added_and_removed_by_session_id(live: RecorderRig, office: TicketOffice, video: Path) -> None:
    live.apply(camera(video), camera(video, identifier=OTHER_CAMERA), view_keys=[office.public])
    view = str(uuid4())
    ticket = office.ticket(f"{TENANT}/{OTHER_CAMERA}", TENANT, view_id=view)
    with Viewer(live.socket, op="live", tickets=[office.ticket(PATH, TENANT)]) as viewer:
        added = live.ask("live_add", sid=viewer.answer["sid"], tickets=[ticket])["tracks"]
        wait_until(lambda: viewer.until(FRAGMENT).track == added[0]["track"])

        removed = live.ask("live_remove", sid=viewer.answer["sid"], views=[view])["removed"]

        assert (removed, viewer.until(END).track) == (1, added[0]["track"])


def test_viewer_that_does_not_read_never_disturbs_the_recording(live: RecorderRig, office: TicketOffice) -> None:
    with Viewer(live.socket, op="live", tickets=[office.ticket(PATH, TENANT)]):
        before = len(live.segments())
        wait_until(lambda: len(live.segments()) >= before + 2)

    assert live.rows("SELECT * FROM gaps") == []


def test_ingest_gives_analytics_the_same_frames_without_a_ticket(live: RecorderRig) -> None:
    with Viewer(live.socket, op="ingest", camera=CAMERA, stream="main") as reader:
        init, frame = reader.frame(), reader.frame()

    assert reader.answer["ok"]
    assert (init.kind, frame.kind) == (INIT, FRAGMENT)


def test_unknown_operation_and_unknown_camera_are_refused(live: RecorderRig) -> None:
    with pytest.raises(RecorderRefused, match="unknown_op"):
        live.ask("format_disk")
    with pytest.raises(RecorderRefused, match="not_found"):
        live.ask("snapshot", camera=str(uuid4()))
    with pytest.raises(RecorderRefused, match="bad_request"):
        live.ask("spans", camera="x")


def test_snapshot_is_the_last_keyframe(live: RecorderRig) -> None:
    answer, picture = ask_with_body(live.socket, {"op": "snapshot", "camera": CAMERA})

    assert picture[:3] == b"\xff\xd8\xff"
    assert len(picture) == answer["bytes"]


def test_clip_spans_closed_and_open_segments_and_begins_at_zero(live: RecorderRig, tmp_path: Path) -> None:
    wait_until(lambda: len(live.segments()) >= 3)
    middle = live.segments()[-1]["end_us"]
    from_us, to_us = middle - 3 * SECOND, middle + SECOND
    spans = wait_until(
        lambda: (
            (found := live.ask("spans", camera=CAMERA, **{"from": iso(from_us)}, to=iso(to_us))["spans"])
            and found[-1]["end_us"] >= to_us
            and found
        )
    )

    clip = cut([Span(**one) for one in spans], from_us, to_us, tmp_path / "clip.mp4")

    assert from_us - 1.2 * SECOND <= clip.from_us <= from_us
    assert abs(clip.to_us - to_us) < 200_000
    assert abs(clip.duration_ms - (clip.to_us - clip.from_us) // 1000) < 50
    assert len(spans) >= 2
    assert frames_of(clip.path) == pytest.approx(clip.duration_ms * 12 / 1000, abs=2)
    with av.open(str(clip.path)) as container:
        assert container.streams.video[0].start_time == 0
    assert clip.path.read_bytes().find(b"moov") < clip.path.read_bytes().find(b"mdat")


def test_clip_without_footage_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoFootageError):
        cut([], 0, SECOND, tmp_path / "clip.mp4")
