"""Event streams of 2,700 consoles on one process of their own: how late an event arrives, and how much memory they take.

Late is from before the unit of work commits to the console's socket. The baseline is the same message through Redis alone,
heard by a plain subscriber in the process of the consoles.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import resource
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import redis.asyncio

from app.adapters.redis.nudge import RedisNudge
from app.kernel import stream, unit_of_work
from app.kernel.actor import Actor
from app.kernel.db import Databases
from app.settings import DatabaseUrls
from bench._engines import ROOT, engines
from tenants.data.municipalities import municipalities

CONSOLES = int(os.environ.get("PIPC_BENCH_CONSOLES", "2700"))
EVENTS = int(os.environ.get("PIPC_BENCH_EVENTS", "2000"))
PER_SECOND = 110  # 20 consoles each: 2,200 deliveries a second
TARGET_MS, TARGET_MB = 50.0, 150.0


def main() -> int:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with engines() as urls, tempfile.TemporaryDirectory() as home:
        tenants = [row.tenant_id for row in municipalities()]
        cookies = _sessions(urls["admin"], tenants)
        port = _free_port()
        server = _serve(urls, port, Path(home))
        try:
            late, raw, lost, memory = asyncio.run(_measure(urls, tenants, cookies, port, server.pid))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    p99, baseline = _percentile(late, 99), _percentile(raw, 99)
    _tell("sse.p50", _percentile(late, 50), "ms", _percentile(raw, 50), None, True)
    _tell("sse.p99", p99, "ms", baseline, TARGET_MS, p99 <= TARGET_MS)
    _tell("sse.memory", memory, "MB", None, TARGET_MB, memory <= TARGET_MB)
    _tell("sse.lost", lost, "events", None, 0, lost == 0)
    return 0


def _sessions(admin_url: str, tenants: list[int]) -> list[tuple[int, str]]:
    """A signed-in operator per console: municipality and cookie."""
    made = [(tenants[number % len(tenants)], secrets.token_urlsafe(32)) for number in range(CONSOLES)]
    with psycopg.connect(admin_url) as admin, admin.cursor() as cursor:
        cursor.executemany(
            "insert into app.web_sessions (key, kind, tenant_id, sub, username, display_name, person_id, roles, csrf, acr, auth_time,"
            " idle_at, expires_at, access_expires_at, refreshed_at, created_at, seen_at)"
            " values (%s, 'municipal', %s, %s, 'o', 'O', gen_random_uuid(), '[\"operador-municipal\"]', 'x', '1', now(),"
            " now() + interval '1 hour', now() + interval '1 hour', now() + interval '1 hour', now(), now(), now())",
            [(hashlib.sha256(cookie.encode()).digest(), tenant, cookie[:16]) for tenant, cookie in made],
        )
    return made


def _serve(urls: dict[str, str], port: int, home: Path) -> subprocess.Popen[bytes]:
    env = {
        "PATH": os.environ["PATH"], "PIPC_HOME": str(home), "PIPC_BASE_URL": f"http://127.0.0.1:{port}", "PIPC_RT": "own",
        "REDIS_URL": urls["redis"], "PIPC_DB_RT_URL": urls["rt"], "PIPC_DB_AUTH_URL": urls["auth"], "PIPC_RATE_LIMITS": "0",
        "KEYCLOAK_URL": "http://127.0.0.1:9", "PIPC_SECRET_KEY": secrets.token_urlsafe(32), "PIPC_OIDC_CLIENT_SECRET": "x",
    }  # fmt: skip
    command = [
        "gunicorn",
        "-k",
        "gevent",
        "-w",
        "1",
        "--worker-connections",
        "5000",
        "--backlog",
        "4096",
        "-b",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--log-level", "warning", "app.factory:create_rt_app()"], cwd=ROOT, env=env
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise SystemExit("el proceso de avisos no arrancó")


async def _measure(
    urls: dict[str, str], tenants: list[int], cookies: list[tuple[int, str]], port: int, server: int
) -> tuple[list[float], list[float], int, float]:
    late: list[float] = []
    raw: list[float] = []
    heard: dict[int, int] = dict.fromkeys(tenants, 0)
    gate = asyncio.Semaphore(32)
    live = asyncio.Event()
    waiting = len(cookies)

    async def console(tenant: int, cookie: str) -> None:
        nonlocal waiting
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"GET /rt/flujo HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: pipc_dev={cookie}\r\n\r\n".encode()
            )
            status = await reader.readline()
            if b" 200 " not in status:
                raise SystemExit(f"una consola no pudo conectarse: {status!r}")
            await reader.readuntil(b"event: latido")
        waiting -= 1
        if waiting == 0:
            live.set()
        while True:
            line = await reader.readuntil(b"\n")
            if line.startswith(b'data: {"seq"'):
                late.append((time.time() - json.loads(line[6:])["payload"]["sent"]) * 1000)
                heard[tenant] += 1

    async def plain() -> None:
        channel = redis.asyncio.Redis.from_url(urls["redis"]).pubsub(ignore_subscribe_messages=True)
        await channel.psubscribe("rt:*")
        async for message in channel.listen():
            raw.append((time.time() - json.loads(message["data"])["payload"]["sent"]) * 1000)

    tasks = [asyncio.create_task(console(tenant, cookie)) for tenant, cookie in cookies]
    tasks.append(asyncio.create_task(plain()))
    watch = asyncio.create_task(live.wait())
    await asyncio.wait({watch, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    if not watch.done():
        next(task for task in tasks if task.done()).result()
    publisher = threading.Thread(target=_publish, args=(urls, tenants))
    publisher.start()
    while publisher.is_alive():
        await asyncio.sleep(0.2)
    await asyncio.sleep(7)  # one comparison of heads, so that a lost nudge counts as late and not as lost
    memory = max(_resident_mb(pid) for pid in _family(server))
    expected = sum(
        EVENTS // len(tenants) + (place < EVENTS % len(tenants)) for place in (tenants.index(t) for t, _ in cookies)
    )
    for task in tasks:
        task.cancel()
    return late, raw, expected - sum(heard.values()), memory


def _publish(urls: dict[str, str], tenants: list[int]) -> None:
    """Events of real units of work, one municipality after the other, at a steady rate."""
    databases = Databases(DatabaseUrls(rw=urls["rw"]), default_role="rw")
    unit_of_work.configure(databases, RedisNudge(urls["redis"]))
    began = time.monotonic()
    for number in range(EVENTS):
        time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        tenant = tenants[number % len(tenants)]
        with unit_of_work.unit_of_work(Actor(kind="system", tenant_id=tenant, user_id="banco")):
            stream.append(
                "alarm.raised", f"alarma/{number}", {"priority": 1, "camera_name": "Plaza", "sent": time.time()}
            )
    databases.dispose()


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tell(name: str, value: float, unit: str, baseline: float | None, target: float | None, ok: bool) -> None:
    ratio = round(value / baseline, 3) if baseline else None
    rounded = None if baseline is None else round(baseline, 3)
    line = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "baseline": rounded,
        "ratio": ratio,
        "target": target,
        "ok": ok,
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
