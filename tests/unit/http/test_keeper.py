"""A kept connection: order, heartbeat, the end of its token, and a reader that does not read."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest

from app.http.hub import ENDED, Event, Hub, Stream, frame
from app.http.keeper import HEARTBEAT_S, KeptStream
from app.kernel import clock

OURS = 833


class FakeHub:
    """What a stream asks of its hub."""

    def head(self, tenant_id: int) -> int:
        return 9


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(2)
    yield ours, theirs
    ours.close()
    theirs.close()


def event(seq: int, size: int = 1, audience: str = "room") -> Event:
    return Event(OURS, seq, "alarm.raised", audience, frame("alarm.raised", {"seq": seq, "x": "x" * size}, seq), {})


def kept(
    connection: socket.socket, closed: list[Any], *, expires_at: float | None = None, begin: bool = True
) -> KeptStream:
    stream = KeptStream(cast(Hub, FakeHub()), Stream(OURS, frozenset({"room"})), expires_at=expires_at)
    if begin:
        descriptor = os.dup(connection.fileno())
        os.set_blocking(descriptor, False)
        stream.begin(descriptor, closed.append)
    return stream


def test_what_arrives_before_the_past_was_sent_comes_after_it_and_once(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    stream = kept(ours, [], begin=False)
    for seq in (4, 5, 6):
        stream.offer(event(seq))
    stream.sent = 5  # the past that was sent went up to here
    descriptor = os.dup(ours.fileno())
    os.set_blocking(descriptor, False)

    stream.begin(descriptor, lambda _: None)
    stream.offer(event(7))
    stream.offer(event(8, audience="admin"))

    assert [line for line in theirs.recv(65536).split(b"\n") if line.startswith(b"id")] == [b"id: 6", b"id: 7"]


def test_the_end_of_the_session_is_told_and_the_place_given_back(pair: tuple[socket.socket, socket.socket]) -> None:
    closed: list[Any] = []
    stream = kept(pair[0], closed)

    stream.put(ENDED)
    stream.put(ENDED)

    assert b"sesion-terminada" in pair[1].recv(65536)
    assert closed == [stream]


def test_a_reader_that_does_not_read_is_cut_off(pair: tuple[socket.socket, socket.socket]) -> None:
    closed: list[Any] = []
    stream = kept(pair[0], closed)

    for seq in range(1, 200):
        stream.offer(event(seq, size=65536))

    assert closed == [stream]


def test_a_quiet_stream_beats_and_a_token_that_ended_closes_it(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Any] = []
    stream = kept(pair[0], closed, expires_at=(clock.now() + timedelta(hours=1)).timestamp())
    monkeypatch.setattr("app.http.keeper.time.monotonic", lambda: stream._beat_at + HEARTBEAT_S)

    stream.tick()
    assert b"latido" in pair[1].recv(65536)

    stream._expires_at = 0.0
    stream.tick()
    assert b"expired" in pair[1].recv(65536)
    assert closed == [stream]
