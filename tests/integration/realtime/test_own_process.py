"""The event streams in a process of their own (`PIPC_RT=own`): the same stream, on connections that the process keeps itself."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.adapters.redis.nudge import RedisNudge
from app.cli.local.process import spawn
from app.kernel import stream as told
from app.kernel import unit_of_work
from app.kernel.unit_of_work import unit_of_work as unit
from tests.support.engines import ROOT
from tests.support.world import OURS, THEIRS, World, actor

pytestmark = pytest.mark.slow("starts the process of the event streams")


@pytest.fixture
def port(world: World, database_urls: dict[str, str], redis_url: str, tmp_path: Path) -> Iterator[int]:
    """A running process; units of the test nudge it through the real Valkey."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    env = {
        "PATH": os.environ["PATH"], "PIPC_HOME": str(tmp_path), "PIPC_BASE_URL": f"http://127.0.0.1:{number}",
        "PIPC_RT": "own", "REDIS_URL": redis_url, "PIPC_DB_RT_URL": database_urls["rt"],
        "PIPC_DB_AUTH_URL": database_urls["auth"], "PIPC_RATE_LIMITS": "0", "KEYCLOAK_URL": "http://127.0.0.1:9",
        "PIPC_SECRET_KEY": secrets.token_urlsafe(32), "PIPC_OIDC_CLIENT_SECRET": "x",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", "1", "-b", f"127.0.0.1:{number}",
               "--no-control-socket", "app.factory:create_rt_app()"]  # fmt: skip
    process = spawn(command, log=tmp_path / "rt.log", env=env, cwd=ROOT, death_signal=signal.SIGTERM)
    unit_of_work.configure(world.databases, RedisNudge(redis_url))
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait(20)


class Console:
    """A browser's connection, read as bytes."""

    def __init__(self, port: int, cookie: str, after: int = 0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        request = f"GET /rt/flujo HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: pipc_dev={cookie}\r\nLast-Event-ID: {after}\r\n\r\n"
        self._socket.sendall(request.encode())
        self._file = self._socket.makefile("rb")
        self.head = self._until(b"\r\n")

    def _until(self, end: bytes) -> list[str]:
        lines = iter(self._file.readline, b"")
        found = []
        for line in lines:
            if line == end:
                break
            found.append(line.decode().strip())
        return found

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event; the empty name when the connection ended."""
        frame = dict(line.split(": ", 1) for line in self._until(b"\n"))
        return frame.get("event", ""), json.loads(frame.get("data", "{}"))

    def next_of(self, kind: str) -> dict[str, Any]:
        """The next event of that kind, past heartbeats."""
        while True:
            name, data = self.next()
            if name != "latido":
                assert name == kind
                return data

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def console(world: World, port: int) -> Iterator[Callable[..., Console]]:
    """Opens a console of a municipality with a session of its own; `cookie` of an earlier one opens the same again."""
    opened: list[Console] = []

    def open_one(tenant: int = OURS, cookie: str = "", after: int = 0) -> Console:
        opened.append(Console(port, cookie or session(world, tenant), after))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def session(world: World, tenant: int) -> str:
    cookie = secrets.token_urlsafe(32)
    with world.admin() as admin:
        admin.execute(
            "insert into app.web_sessions (key, kind, tenant_id, sub, username, display_name, person_id, roles, csrf, acr, auth_time,"
            " idle_at, expires_at, access_expires_at, refreshed_at, created_at, seen_at)"
            " values (%s, 'municipal', %s, %s, 'o', 'O', gen_random_uuid(), '[\"operador-municipal\"]', 'x', '1', now(),"
            " now() + interval '1 hour', now() + interval '1 hour', now() + interval '1 hour', now(), now(), now())",
            (hashlib.sha256(cookie.encode()).digest(), tenant, cookie[:16]),
        )
    return cookie


def tell(tenant: int, number: int) -> None:
    with unit(actor(tenant)):
        told.append("alarm.raised", f"alarma/{number}", {"id": str(number), "priority": 1, "camera_name": "Plaza"})


def test_a_console_hears_its_municipality_alone_and_what_it_missed(
    console: Callable[..., Console], world: World
) -> None:
    tell(OURS, 1)
    cookie = session(world, OURS)
    ours, theirs = console(cookie=cookie), console(THEIRS)
    assert "200" in ours.head[0]
    assert ours.next()[0] == theirs.next()[0] == "latido"

    assert ours.next_of("alarm.raised")["seq"] == 1
    tell(THEIRS, 7)
    tell(OURS, 2)
    assert ours.next_of("alarm.raised")["payload"]["id"] == "2"
    assert theirs.next_of("alarm.raised")["payload"]["id"] == "7"

    ours.close()
    tell(OURS, 3)
    assert console(cookie=cookie, after=2).next_of("alarm.raised")["seq"] == 3


def test_a_revoked_session_is_told_and_cut(console: Callable[..., Console], world: World, redis_url: str) -> None:
    cookie = session(world, OURS)
    ours = console(cookie=cookie)
    ours.next()
    key = hashlib.sha256(cookie.encode()).digest()
    with world.admin() as admin:
        admin.execute("delete from app.web_sessions where key = %s", (key,))

    began = time.monotonic()
    RedisNudge(redis_url).publish("session:revoked", json.dumps({"keys": [key.hex()]}).encode())

    assert ours.next_of("sesion-terminada") == {}
    assert ours.next()[0] == ""
    assert time.monotonic() - began < 5


def test_nobody_without_a_session_is_kept(port: int) -> None:
    stranger = Console(port, "nadie")

    assert "401" in stranger.head[0]
    stranger.close()
