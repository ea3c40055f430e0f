"""The queue between the hub and a viewer: bounded, dropped to a keyframe, ended when hopeless."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import pytest

from workers.recorder.boxes import InitFacts
from workers.recorder.hub import RING_BYTES, Fragment, Hub, Init
from workers.recorder.live import END, ERROR, FRAGMENT, HEADER, INIT, STATE, Session
from workers.recorder.tickets import View

FACTS = InitFacts("h264", "avc1.42C00C", 320, 240, 12288, 4)


def init(epoch: int = 1, facts: InitFacts = FACTS) -> Init:
    return Init(epoch, b"ftypmoov", facts, 0, "start")


def fragment(seq: int, *, key: bool = False, size: int = 1000) -> Fragment:
    return Fragment(1, seq, bytes(size), key, seq * 200_000, seq, 2458, 12288)


def view() -> View:
    return View(str(uuid4()), uuid4(), "main", time.time() + 100)


def frames(session: Session) -> list[tuple[int, int, bytes]]:
    """(kind, seq, payload) of everything waiting."""
    data, found, at = session.get(0.01) or b"", [], 0
    while at < len(data):
        kind, _, _, length, seq, _ = HEADER.unpack_from(data, at)
        found.append((kind, seq, data[at + HEADER.size : at + HEADER.size + length]))
        at += HEADER.size + length
    return found


@pytest.fixture
def hub() -> Hub:
    made = Hub()
    made.publish_init(init())
    return made


def test_joining_gives_what_is_needed_to_show_a_picture_at_once(hub: Hub) -> None:
    for seq, key in enumerate([True, False, True, False]):
        hub.publish(fragment(seq, key=key))
    session = Session("s")
    session.add(view(), hub, lambda: None, "online")

    assert [(kind, seq) for kind, seq, _ in frames(session)] == [(STATE, 0), (INIT, 1), (FRAGMENT, 2), (FRAGMENT, 3)]


def test_slow_viewer_is_dropped_to_the_next_keyframe(hub: Hub) -> None:
    session = Session("s", limit=5000)
    session.add(view(), hub, lambda: None, "online")
    for seq in range(10):
        hub.publish(fragment(seq, key=seq == 0))
    first = [seq for kind, seq, _ in frames(session) if kind == FRAGMENT]
    hub.publish(fragment(10))
    hub.publish(fragment(11, key=True))

    assert first == list(range(len(first)))
    assert len(first) < 6
    assert [seq for kind, seq, _ in frames(session) if kind == FRAGMENT] == [11]


def test_viewer_that_stays_behind_is_ended(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session("s", limit=2000)
    released = []
    session.add(view(), hub, lambda: released.append(1), "online")
    for seq in range(4):
        hub.publish(fragment(seq, key=seq == 0))
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    hub.publish(fragment(5))

    kinds = [(kind, payload) for kind, _, payload in frames(session) if kind in (ERROR, END)]
    session.tick(time.time(), lambda _: "online")

    assert [kind for kind, _ in kinds] == [ERROR, END]
    assert json.loads(kinds[0][1]) == {"code": "slow"}
    assert released == [1]
    assert hub.readers == 0


def test_analytics_reader_is_never_ended_for_being_slow(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session("s", viewer=False, limit=2000)
    session.add(view(), hub, lambda: None, "online")
    for seq in range(4):
        hub.publish(fragment(seq, key=seq == 0))
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    hub.publish(fragment(5))
    frames(session)
    hub.publish(fragment(6, key=True))

    assert [seq for kind, seq, _ in frames(session) if kind == FRAGMENT] == [6]


def test_codec_that_browsers_cannot_play_is_said_to_viewers_and_given_to_analytics(hub: Hub) -> None:
    other = init(2, InitFacts("other", "mp4v", 320, 240, 12288, 0))
    viewer, reader = Session("v"), Session("r", viewer=False)
    viewer.add(view(), hub, lambda: None, "online")
    reader.add(view(), hub, lambda: None, "online")
    frames(viewer)
    frames(reader)

    hub.publish_init(other)

    assert [kind for kind, _, _ in frames(viewer)] == [ERROR, END]
    assert [kind for kind, _, _ in frames(reader)] == [INIT]


def test_silent_change_of_state_is_told_by_the_timer_once(hub: Hub) -> None:
    session = Session("s")
    session.add(view(), hub, lambda: None, "online")
    frames(session)

    for _ in range(3):
        session.tick(time.time(), lambda _: "offline")

    assert [(kind, json.loads(payload)) for kind, _, payload in frames(session)] == [(STATE, {"state": "offline"})]


def test_removed_camera_ends_its_track(hub: Hub) -> None:
    session = Session("s")
    session.add(view(), hub, lambda: None, "online")
    frames(session)

    session.tick(time.time(), lambda _: None)

    assert [kind for kind, _, _ in frames(session)] == [ERROR, END]
    assert session.tracks() == []


def test_ring_holds_no_more_than_its_limit_and_starts_again_at_a_keyframe() -> None:
    hub = Hub()
    hub.publish_init(init())
    hub.publish(fragment(0, key=True, size=RING_BYTES - 10))
    hub.publish(fragment(1, size=100))
    assert hub.latest_group() is None

    hub.publish(fragment(2, key=True))

    found = hub.latest_group()
    assert found is not None
    assert [one.seq for one in found[1]] == [2]
