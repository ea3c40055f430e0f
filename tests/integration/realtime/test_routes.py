"""The stream on the wire: heartbeat, replay, resync, the end of a session or of a token, and what Redis says through it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient
from redis import Redis

from app.adapters.redis.listener import RedisListener
from app.adapters.redis.nudge import RedisNudge
from app.http import problems, request_id, sse
from app.http.context import SignedIn
from app.http.hub import ENDED, MOVED, RESYNC, Hub
from app.kernel import clock, unit_of_work
from app.kernel.actor import Actor
from tests.integration.realtime.conftest import Wire
from tests.support.world import OURS, PROVINCE, THEIRS, World, actor


class Loader:
    """Whoever the test says, by cookie or by token."""

    actor: Actor | None = None

    def session(self, request: Request) -> SignedIn | None:
        return SignedIn(self.actor, "csrf") if self.actor else None

    def bearer(self, request: Request, token: str) -> Actor:
        assert self.actor is not None
        return self.actor


@pytest.fixture
def loader() -> Loader:
    loader = Loader()
    loader.actor = actor(OURS, "operador-municipal", session_id="6b6b")
    return loader


@pytest.fixture
def client(hub: Hub, loader: Loader) -> FlaskClient:
    app = Flask("rt")
    app.extensions["pipc_actor_loader"] = loader
    request_id.init_app(app, trust_incoming=False)
    problems.init_app(app)
    sse.init_app(app, hub)
    app.register_blueprint(sse.bp)
    return app.test_client()


class Frames:
    """The events of an open answer, one at a time."""

    def __init__(self, client: FlaskClient, path: str, **options: Any) -> None:
        self.answer = client.get(path, buffered=False, **options)
        assert self.answer.status_code == 200, self.answer.text
        assert self.answer.mimetype == "text/event-stream"
        self._chunks = self.answer.iter_encoded()

    def next(self) -> tuple[str, dict[str, Any], str]:
        lines = dict(line.split(": ", 1) for line in next(self._chunks).decode().strip().split("\n"))
        return lines["event"], json.loads(lines["data"]), lines.get("id", "")

    def kinds(self, count: int) -> list[str]:
        return [self.next()[0] for _ in range(count)]

    def close(self) -> None:
        self._chunks.close()  # type: ignore[attr-defined]
        self.answer.close()


@pytest.fixture
def stream(client: FlaskClient) -> Iterator[Any]:
    opened: list[Frames] = []

    def open_stream(path: str = "/rt/flujo", **options: Any) -> Frames:
        opened.append(Frames(client, path, **options))
        return opened[-1]

    yield open_stream
    for frames in opened:
        frames.close()


def test_a_stream_starts_with_a_heartbeat_and_goes_on_with_events(stream: Any, wire: Wire) -> None:
    frames = stream()
    kind, data, _ = frames.next()
    wire.tell()
    event = frames.next()

    assert (kind, data["head"]) == ("latido", 0)
    assert event[0] == "alarm.raised"
    assert event[1]["payload"] == {"id": "x", "priority": 1, "camera_name": "Plaza"}
    assert (event[1]["seq"], event[1]["ref"], event[2]) == (1, "alarma/1", "1")
    assert frames.answer.headers["Cache-Control"] == "no-store"
    assert frames.answer.headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("options", [{"headers": {"Last-Event-ID": "2"}}, {"query_string": {"desde": "2"}},
                                     {"headers": {"Last-Event-ID": "2"}, "query_string": {"desde": "0"}}])  # fmt: skip
def test_a_stream_goes_on_where_the_browser_was(stream: Any, wire: Wire, options: dict[str, Any]) -> None:
    wire.tell(4)

    frames = stream(**options)

    assert [frames.next()[2] for _ in range(3)] == ["", "3", "4"]


def test_what_was_replayed_is_not_told_twice(stream: Any, wire: Wire) -> None:
    frames = stream()
    frames.next()
    wire.tell(2)
    assert [frames.next()[2] for _ in range(2)] == ["1", "2"]
    wire.tell()

    assert frames.next()[2] == "3"


def test_a_browser_too_far_behind_reads_the_screen_again(
    stream: Any, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.hub.REPLAY", 1)
    wire.tell(3)

    frames = stream()
    frames.next()

    assert frames.next()[:2] == ("resync", {"head": 3})
    wire.tell()
    assert frames.next()[2] == "4"


def test_a_slow_browser_reads_the_screen_again(stream: Any, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.http.hub.QUEUE", 2)
    frames = stream()
    frames.next()
    wire.tell()
    frames.next()
    wire.tell(5)

    assert frames.next()[:2] == ("resync", {"head": 6})


def test_the_heart_beats(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.05)

    assert stream().kinds(3) == ["latido", "latido", "latido"]


@pytest.mark.parametrize(("mark", "last"), [(ENDED, ["sesion-terminada"]), (MOVED, [])])
def test_the_end_of_a_session_ends_the_stream(stream: Any, hub: Hub, mark: object, last: list[str]) -> None:
    frames = stream()
    frames.next()
    [open_one] = hub._streams()
    open_one.put(mark)

    assert [frames.next()[0] for _ in last] == last
    with pytest.raises(StopIteration):
        frames.next()


def bearer(expires_in: float) -> dict[str, str]:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + expires_in}).encode()).decode().rstrip("=")
    return {"Authorization": f"Bearer x.{claims}.x"}


def test_a_program_hears_the_same_until_its_token_ends(stream: Any, wire: Wire) -> None:
    frames = stream("/rt/eventos", headers=bearer(1.0))
    frames.next()
    wire.tell()

    assert frames.kinds(2) == ["alarm.raised", "expired"]
    with pytest.raises(StopIteration):
        frames.next()


def test_a_cookie_does_not_open_the_stream_of_programs(client: FlaskClient) -> None:
    assert client.get("/rt/eventos").status_code == 401


def test_the_province_hears_counts_and_nothing_about_anybody(stream: Any, wire: Wire, loader: Loader) -> None:
    loader.actor = actor(PROVINCE, session_id="6b6b")
    frames = stream()
    assert frames.kinds(2) == ["latido", "resync"]
    wire.tell(tenant_id=THEIRS)

    assert frames.next()[:2] == (
        "alarm.raised",
        {"kind": "alarm.raised", "tenant": "tres-arroyos", "payload": {"priority": 1}},
    )
    [open_one] = wire.hub._streams()
    open_one.put(RESYNC)
    assert frames.next()[:2] == ("resync", {"head": 0})


def test_nobody_signed_in_hears_nothing(client: FlaskClient, loader: Loader) -> None:
    loader.actor = None

    assert client.get("/rt/flujo").status_code == 401
    assert client.get("/rt/novedades").status_code == 401


def test_who_may_not_listen_is_refused(client: FlaskClient, loader: Loader) -> None:
    loader.actor = actor(OURS, "alumno")

    assert client.get("/rt/flujo").status_code == 403


def test_a_full_process_says_so_and_a_place_left_is_taken(client: FlaskClient, hub: Hub, stream: Any) -> None:
    places = [stream() for _ in range(hub.limit)]
    full = client.get("/rt/flujo")
    places[0].close()

    assert full.status_code == 503
    assert stream().next()[0] == "latido"
    assert hub.count == hub.limit


def test_without_a_stream_the_news_are_asked_for(client: FlaskClient, wire: Wire, loader: Loader) -> None:
    wire.tell(2)
    wire.tell(audience="admin")

    news = client.get("/rt/novedades?desde=1").json
    loader.actor = actor(PROVINCE)
    provincial = client.get("/rt/novedades").json

    assert (news["head"], news["resync"], [item["seq"] for item in news["items"]]) == (3, False, [2])
    assert provincial == {"head": 0, "resync": True, "items": []}


def test_a_number_that_is_none_is_refused(client: FlaskClient) -> None:
    assert client.get("/rt/novedades?desde=x").status_code == 422


@pytest.mark.slow("waits for the hub's own threads and a real Redis")
def test_through_a_real_redis_events_and_sign_outs_arrive_at_once(world: World, redis_url: str) -> None:
    hub = Hub(lambda: world.databases.engine("rt"), RedisListener(redis_url), limit=1)
    assert hub.reserve()
    unit_of_work.configure(world.databases, RedisNudge(redis_url))
    found: list[Any] = []
    listening = threading.Event()
    from tests.integration.realtime.conftest import ROOM, Stream

    mine = Stream(OURS, ROOM, session_key=b"k" * 32, subject="persona-1")

    def listen() -> None:
        with hub.listening(mine):
            listening.set()
            found.append(mine.take(5))
            found.append(mine.take(5))

    thread = threading.Thread(target=listen)
    thread.start()
    listening.wait(5)
    with Redis.from_url(redis_url) as redis:
        _until(lambda: redis.pubsub_numpat() > 0)
        began = clock.now()
        Wire(world, hub).tell(deliver=False)
        _until(lambda: len(found) == 1)
        redis.publish("session:revoked", json.dumps({"keys": [(b"k" * 32).hex()]}))
        thread.join(6)

    assert [getattr(thing, "seq", thing) for thing in found] == [1, ENDED]
    assert (clock.now() - began).total_seconds() < 4


def _until(ready: Any) -> None:
    deadline = time.monotonic() + 5
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)
