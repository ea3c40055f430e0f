"""The hub: in order, without gaps, whatever Redis loses, repeats or reorders."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.http import hub as module
from app.http.hub import ENDED, MOVED, RESYNC, Hub, Stream
from app.kernel import clock
from tests.integration.realtime.conftest import ROOM, Wire, numbers
from tests.support.world import OURS, PROVINCE, THEIRS, World


@pytest.fixture
def stream() -> Stream:
    return Stream(OURS, ROOM)


def repaired(hub: Hub) -> None:
    """What the repairing thread does with what it was left."""
    while not hub._behind.empty():
        hub.catch_up(hub._behind.get())


def test_events_arrive_in_order(hub: Hub, wire: Wire, stream: Stream) -> None:
    with hub.listening(stream):
        wire.tell(3)

        assert numbers(stream) == [1, 2, 3]


def test_another_municipality_hears_nothing(hub: Hub, wire: Wire, stream: Stream) -> None:
    theirs = Stream(THEIRS, ROOM)
    with hub.listening(stream), hub.listening(theirs):
        wire.tell(2)

        assert (numbers(stream), numbers(theirs)) == ([1, 2], [])


def test_who_left_hears_no_more(hub: Hub, wire: Wire, stream: Stream) -> None:
    with hub.listening(stream):
        pass
    wire.tell()

    assert numbers(stream) == []


def test_a_lost_nudge_is_read_with_the_next_one(hub: Hub, wire: Wire, stream: Stream) -> None:
    with hub.listening(stream):
        wire.tell(2, deliver=False)
        wire.tell()
        assert numbers(stream) == []
        repaired(hub)

        assert numbers(stream) == [1, 2, 3]


def test_a_lost_last_nudge_is_found_by_comparing_heads(hub: Hub, wire: Wire, stream: Stream) -> None:
    with hub.listening(stream):
        wire.tell(2, deliver=False)
        hub.compare_heads()
        hub.compare_heads()

        assert numbers(stream) == [1, 2]


def test_repeated_and_reordered_nudges_change_nothing(hub: Hub, wire: Wire, stream: Stream) -> None:
    with hub.listening(stream):
        wire.tell(3, deliver=False)
        messages = [
            (
                f"rt:{OURS}",
                json.dumps({"seq": seq, "kind": "k", "ref": "", "payload": {}, "at": "", "audience": "room"}).encode(),
            )
            for seq in (3, 1, 2, 2, 1)
        ]
        for channel, body in messages:
            hub.take(channel, body)
        repaired(hub)

        assert numbers(stream) == [1, 2, 3]


@pytest.mark.parametrize(("channel", "body"), [
    ("rt:448", b"{"), ("rt:448", b"[]"), ("rt:448", b'{"seq": 1}'), ("rt:x", b"{}"), ("other", b"{}"), ("rt:999", b'{"seq": 1}'),
    ("session:revoked", b'{"keys": ["zz"]}'), ("session:revoked", b"{}"),
])  # fmt: skip
def test_what_is_not_ours_is_ignored(hub: Hub, wire: Wire, stream: Stream, channel: str, body: bytes) -> None:
    with hub.listening(stream):
        hub.take(channel, body)
        wire.tell()

        assert numbers(stream) == [1]


def test_each_hears_its_audience(hub: Hub, wire: Wire, stream: Stream) -> None:
    admin = Stream(OURS, frozenset({"all", "admin"}))
    with hub.listening(stream), hub.listening(admin):
        wire.tell(audience="room")
        wire.tell(audience="admin")
        wire.tell(audience="all")

        assert (numbers(stream), numbers(admin)) == ([1, 3], [2, 3])


def test_a_slow_stream_reads_everything_again_once(
    hub: Hub, wire: Wire, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE", 3)
    with hub.listening(stream):
        wire.tell(6)
        assert numbers(stream) == [RESYNC]
        wire.tell()

        assert numbers(stream) == [7]


def test_a_slow_stream_whose_session_ends_is_told_so(
    hub: Hub, wire: Wire, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE", 1)
    with hub.listening(stream):
        wire.tell(3)
        stream.put(ENDED)

        assert numbers(stream) == [ENDED]


def test_the_province_hears_every_municipality(hub: Hub, wire: Wire) -> None:
    everywhere = Stream(None, frozenset({"all", "room", "admin"}))
    with hub.listening(everywhere):
        wire.tell(1)
        wire.tell(1, tenant_id=THEIRS)
        wire.tell(1, tenant_id=THEIRS, deliver=False)
        hub.compare_heads()

        found = [everywhere.take(0) for _ in range(3)]
    assert [(event.tenant_id, event.seq) for event in found] == [(OURS, 1), (THEIRS, 1), (THEIRS, 2)]


# Replay -----------------------------------------------------------------------------------------------------------------


def since(hub: Hub, after: int) -> list[int] | None:
    found = hub.since(OURS, after)
    return None if found is None else [event.seq for event in found]


def test_replay_comes_from_memory_when_it_is_there(
    hub: Hub, wire: Wire, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub.listening(stream):
        wire.tell(4)
        monkeypatch.setattr(hub, "_read", lambda *_: pytest.fail("asked PostgreSQL"))

        assert [since(hub, after) for after in (0, 2, 4)] == [[1, 2, 3, 4], [3, 4], []]


def test_replay_comes_from_postgresql_otherwise(hub: Hub, wire: Wire) -> None:
    wire.tell(4)

    assert [since(hub, after) for after in (0, 2, 4)] == [[1, 2, 3, 4], [3, 4], []]
    assert hub.head(OURS) == 4


def too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPLAY", 3)


def too_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(clock, "_source", lambda: later)


def purged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.admin() as admin:
        admin.execute("delete from app.tenant_events where seq = 2")


@pytest.mark.parametrize("why", [too_many, too_old, purged])
def test_what_cannot_be_replayed_whole_is_read_again(
    world: World,
    hub: Hub,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    why: Callable[[World, pytest.MonkeyPatch], None],
) -> None:
    wire.tell(4)
    why(world, monkeypatch)

    assert since(hub, 0) is None


def test_a_number_from_the_future_is_read_again_unless_it_is_true(hub: Hub, wire: Wire) -> None:
    assert since(hub, 0) == []
    wire.tell(2, deliver=False)

    assert since(hub, 2) == []
    assert since(hub, 9) is None


def test_catching_up_goes_on_past_one_batch(
    hub: Hub, wire: Wire, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPLAY", 2)
    with hub.listening(stream):
        wire.tell(5, deliver=False)
        hub.catch_up(OURS)

        assert numbers(stream) == [1, 2, 3, 4, 5]


# Sessions ---------------------------------------------------------------------------------------------------------------

KEY, OTHER = b"k" * 32, b"o" * 32


def sign_in(
    world: World, key: bytes = KEY, *, sub: str = "persona-1", tenant_id: int = OURS, idle: str = "1 hour"
) -> None:
    with world.admin() as admin:
        admin.execute(
            "insert into app.web_sessions (key, kind, tenant_id, sub, csrf, idle_at, expires_at, created_at, seen_at)"
            " values (%s, 'municipal', %s, %s, '', now() + %s::interval, now() + interval '1 hour', now(), now())",
            [key, tenant_id, sub, idle],
        )


def listener(tenant_id: int | None = OURS) -> Stream:
    return Stream(tenant_id, ROOM, session_key=KEY, subject="persona-1")


def revoke(world: World, hub: Hub, key: bytes = KEY) -> None:
    with world.admin() as admin:
        admin.execute("delete from app.web_sessions where key = %s", [key])
    hub.take("session:revoked", json.dumps({"keys": [key.hex()]}).encode())


def test_a_live_session_goes_on(world: World, hub: Hub) -> None:
    sign_in(world)
    mine = listener()
    with hub.listening(mine):
        hub._check(None)

        assert numbers(mine) == []


def test_signing_out_ends_the_stream_and_no_other(world: World, hub: Hub) -> None:
    sign_in(world)
    sign_in(world, OTHER, sub="persona-2")
    mine, other = listener(), Stream(OURS, ROOM, session_key=OTHER, subject="persona-2")
    with hub.listening(mine), hub.listening(other):
        revoke(world, hub)

        assert (numbers(mine), numbers(other)) == ([ENDED], [])


@pytest.mark.parametrize("idle", ["-1 minute"])
def test_a_session_left_alone_ends_at_the_next_check(world: World, hub: Hub, idle: str) -> None:
    sign_in(world, idle=idle)
    mine = listener()
    with hub.listening(mine):
        hub._check(None)

        assert numbers(mine) == [ENDED]


def test_a_session_with_a_new_key_reconnects(world: World, hub: Hub) -> None:
    sign_in(world)
    sign_in(world, OTHER)
    mine = listener()
    with hub.listening(mine):
        revoke(world, hub)

        assert numbers(mine) == [MOVED]


def test_a_session_of_the_same_person_elsewhere_does_not_count(world: World, hub: Hub) -> None:
    sign_in(world)
    sign_in(world, OTHER, tenant_id=THEIRS)
    mine = listener()
    with hub.listening(mine):
        revoke(world, hub)

        assert numbers(mine) == [ENDED]


def test_a_provincial_stream_is_checked_too(world: World, hub: Hub) -> None:
    sign_in(world, tenant_id=PROVINCE)
    mine = listener(None)
    with hub.listening(mine):
        hub._check(None)
        before = numbers(mine)
        revoke(world, hub)

        assert (before, numbers(mine)) == ([], [ENDED])
