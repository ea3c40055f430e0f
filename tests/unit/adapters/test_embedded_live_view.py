"""The web's side of the embedded relay: tickets, and what it says and forwards over the recorder's socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc.jwk import ECKey

from app.adapters.video.embedded import EmbeddedLiveView
from app.adapters.video.tickets import TicketOffice
from app.kernel import clock
from app.kernel.errors import Forbidden, NotFound, Unavailable
from app.monitoring.nodes.desired import view_key
from workers.recorder.tickets import TicketVerifier

KEY = ECKey.generate_key("P-256").as_pem(private=True).decode()
TENANT, OTHER, NODE, CAMERA, VIEW = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()


class Recorder:
    """A recorder's socket that answers what it is told to and remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"ok": True}
        self.frames = b""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(json.loads(connection.makefile("rb").readline()))
                connection.sendall(json.dumps(self.answer).encode() + b"\n" + self.frames)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path / "rec.sock")
    (tmp_path / "recorders.json").write_text(json.dumps({str(TENANT): {"socket": str(tmp_path / "rec.sock"), "pid": 1}}))
    yield made
    made.close()


@pytest.fixture
def live(tmp_path: Path) -> EmbeddedLiveView:
    return EmbeddedLiveView(TicketOffice(KEY), tmp_path / "recorders.json")


def ticket(live: EmbeddedLiveView, *, tenant: UUID = TENANT, stream: str = "main") -> str:
    return live.offer(view_id=VIEW, tenant=tenant, node_id=NODE, camera_id=CAMERA, stream=stream).ticket


def test_ticket_is_one_the_recorder_accepts_for_that_exact_stream(live: EmbeddedLiveView) -> None:
    verifier = TicketVerifier(TENANT)
    verifier.trust([view_key(KEY)])

    for stream in ("main", "sub"):
        view = verifier.verify(ticket(live, stream=stream), clock.now().timestamp())

        assert (view.camera, view.stream, view.id) == (CAMERA, stream, str(VIEW))


def test_ticket_lives_two_minutes(live: EmbeddedLiveView) -> None:
    offer = live.offer(view_id=VIEW, tenant=TENANT, node_id=NODE, camera_id=CAMERA, stream="main")

    assert timedelta(seconds=115) < offer.expires_at - clock.now() <= timedelta(seconds=120)


def test_views_are_those_of_our_own_tickets(live: EmbeddedLiveView) -> None:
    assert live.views(TENANT, [ticket(live)]) == [VIEW]


def test_ticket_of_another_municipality_forged_or_expired_is_refused(live: EmbeddedLiveView) -> None:
    forger = EmbeddedLiveView(TicketOffice(ECKey.generate_key("P-256").as_pem(private=True).decode()), Path("/nowhere"))
    old = ticket(live)
    present = clock.now()
    clock.use(lambda: present + timedelta(minutes=5))
    try:
        with pytest.raises(Forbidden, match="venció"):
            live.views(TENANT, [old])
    finally:
        clock.use(None)
    for bad in (ticket(live, tenant=OTHER), ticket(forger), "", "a.b.c", old[:-4]):
        with pytest.raises(Forbidden):
            live.views(TENANT, [bad])


def test_stream_forwards_the_recorders_bytes_untouched(live: EmbeddedLiveView, recorder: Recorder) -> None:
    recorder.frames = bytes(range(256)) * 5000

    received = b"".join(live.open_stream(TENANT, ["t1", "t2"]))

    assert received == recorder.frames
    assert recorder.asked == [{"op": "live", "tickets": ["t1", "t2"]}]


def test_stream_nobody_read_frees_its_connection(live: EmbeddedLiveView, recorder: Recorder) -> None:
    frames = live.open_stream(TENANT, ["t"])

    frames.close()  # type: ignore[attr-defined]  # what a WSGI server calls

    with pytest.raises(StopIteration):
        next(frames)


def test_commands_name_the_stream_they_change(live: EmbeddedLiveView, recorder: Recorder) -> None:
    live.add(TENANT, "s1", ["t"])
    live.remove(TENANT, "s1", [VIEW])
    live.revoke(TENANT, [VIEW])

    assert recorder.asked == [
        {"op": "live_add", "sid": "s1", "tickets": ["t"]},
        {"op": "live_remove", "sid": "s1", "views": [str(VIEW)]},
        {"op": "revoke", "views": [str(VIEW)]},
    ]


def test_stream_that_ended_is_not_found(live: EmbeddedLiveView, recorder: Recorder) -> None:
    recorder.answer = {"ok": False, "error": "not_found"}

    with pytest.raises(NotFound):
        live.add(TENANT, "s1", ["t"])


def test_recorder_full_is_unavailable(live: EmbeddedLiveView, recorder: Recorder) -> None:
    recorder.answer = {"ok": False, "error": "busy"}

    with pytest.raises(Unavailable):
        live.open_stream(TENANT, ["t"])


def test_recorder_of_nobody_or_gone_is_unavailable_and_revoking_there_is_harmless(
    live: EmbeddedLiveView, recorder: Recorder, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable):
        live.open_stream(OTHER, ["t"])
    (tmp_path / "recorders.json").write_text("{")
    with pytest.raises(Unavailable):
        live.open_stream(TENANT, ["t"])
    (tmp_path / "recorders.json").unlink()

    live.revoke(TENANT, [VIEW])
