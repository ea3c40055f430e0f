"""Plate readings a second through the API, against a raw `INSERT … unnest` into the same table under the same row security.

Batches of 500, idempotent, the dictionary of plates kept, a hot list of a million plates (`PIPC_BENCH_HOTLIST`), one client.
"""

from __future__ import annotations

import gc
import json
import os
import random
import string
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask import Flask, Request

from app.factory import build_runtime, create_app
from app.http.context import SignedIn
from app.kernel.actor import Actor
from app.kernel.permissions import permissions_of
from app.settings import Settings
from bench._database import CAMERA, TENANT, database, database_urls, report

HOTLIST = int(os.environ.get("PIPC_BENCH_HOTLIST", "1000000"))
BATCHES = int(os.environ.get("PIPC_BENCH_BATCHES", "60"))
SIZE, KNOWN, NEW_SHARE = 500, 60_000, 0.05
TARGET_RATIO, TARGET = 0.5, 5_000

_RAW = """
insert into app.plate_reads (tenant_id, seen_at, id, camera_id, plate, raw, format, country, confidence, consensus, source, received_at)
select %(tenant)s, b.*, 'single', 'api', now()
from unnest(%(s)s::timestamptz[], %(i)s::uuid[], %(c)s::uuid[], %(p)s::text[], %(r)s::text[], %(f)s::text[], %(k)s::text[], %(q)s::real[]) b
on conflict do nothing"""


class _Client:
    """A loader for which every bearer token is the municipality's service client."""

    actor = Actor(
        kind="service", tenant_id=TENANT, tenant_slug="tres-arroyos", user_id="banco",
        permissions=permissions_of(("nodo",), kind="municipal"),
    )  # fmt: skip

    def session(self, request: Request) -> SignedIn | None:
        return None

    def bearer(self, request: Request, token: str) -> Actor:
        return self.actor

    def remember(self, request: Request, preferences: dict[str, str]) -> None:
        """Programs have no preferences."""


def _plate(dice: random.Random) -> str:
    letters = "".join(dice.choices(string.ascii_uppercase, k=4))
    return f"{letters[:2]}{dice.randrange(1000):03d}{letters[2:]}"


def _batches(seed: int, known: list[str]) -> list[list[dict[str, Any]]]:
    dice, now = random.Random(seed), datetime.now(UTC) - timedelta(minutes=10)
    return [
        [
            {
                "client_id": str(uuid4()),
                "camera_id": CAMERA,
                "plate": _plate(dice) if dice.random() < NEW_SHARE else dice.choice(known),
                "seen_at": (now - timedelta(seconds=dice.random() * 86_400)).isoformat(),
                "confidence": 0.95,
            }
            for _ in range(SIZE)
        ]
        for _ in range(BATCHES)
    ]


def _prepare(admin: psycopg.Connection[Any], known: list[str]) -> None:
    admin.execute("set session_replication_role = replica")  # a million entries without their foreign keys, for speed
    admin.execute(
        "insert into app.cameras (tenant_id, id, name, code, place, kind, source_kind, created_at)"
        " values (%s, %s, 'Banco', 'BCO-1', 'entrance', 'lpr', 'none', now())",
        (TENANT, CAMERA),
    )
    admin.execute(
        "insert into app.hot_plates (tenant_id, plate, entry_id, hotlist_id)"
        " select %s, 'H' || lpad(to_hex(n), 7, '0'), gen_random_uuid(), gen_random_uuid() from generate_series(1, %s) n",
        (TENANT, HOTLIST),
    )
    admin.execute(
        "insert into app.plate_numbers (tenant_id, plate, last_day) select %s, p, current_date from unnest(%s::text[]) p",
        (TENANT, sorted(set(known))),
    )
    admin.execute("set session_replication_role = origin")
    admin.execute("analyze app.hot_plates")
    admin.execute("analyze app.plate_numbers")


def _raw(url: str, batches: list[list[dict[str, Any]]]) -> float:
    """Rows a second of the bare insert, one transaction per batch."""
    started, spent = 0.0, 0.0
    with psycopg.connect(url, prepare_threshold=None) as conn:
        for batch in batches:
            columns = {
                "tenant": TENANT,
                "s": [datetime.fromisoformat(read["seen_at"]) for read in batch],
                "i": [UUID(read["client_id"]) for read in batch],
                "c": [UUID(read["camera_id"]) for read in batch],
                "p": [read["plate"] for read in batch],
                "r": [None] * SIZE,
                "f": ["AR_AUTO_MERCOSUR"] * SIZE,
                "k": ["AR"] * SIZE,
                "q": [read["confidence"] for read in batch],
            }
            started = time.perf_counter()
            with conn.pipeline():
                conn.execute(
                    "select set_config('app.tenant_id', %s, true), set_config('app.user_id', 'banco', true)",
                    (str(TENANT),),
                )
                conn.execute(_RAW, columns)
                conn.commit()
            spent += time.perf_counter() - started
    return len(batches) * SIZE / spent


def _api(app: Flask, batches: list[list[dict[str, Any]]]) -> float:
    """Rows a second of the API, from the bytes of a request to those of its answer."""
    client = app.test_client()
    bodies = [json.dumps({"reads": batch}).encode() for batch in batches]
    headers = {"Authorization": "Bearer banco", "Content-Type": "application/json"}
    started = time.perf_counter()
    answers = [client.post("/api/v1/plate-reads", data=body, headers=headers) for body in bodies]
    spent = time.perf_counter() - started
    assert all(answer.status_code == 200 and answer.get_json()["accepted"] == SIZE for answer in answers)
    return len(batches) * SIZE / spent


def main() -> None:
    known = [_plate(random.Random(n)) for n in range(KNOWN)]
    with database() as urls, tempfile.TemporaryDirectory() as home:
        with psycopg.connect(urls["admin"], autocommit=True) as admin:
            _prepare(admin, known)
        settings = Settings(
            base_url="http://127.0.0.1:8000", home=Path(home), databases=database_urls(urls), redis_url=urls["redis"],
            objects_dir=Path(home) / "objects", rate_limits=False,
        )  # fmt: skip
        runtime = build_runtime(settings)
        app = create_app(replace(runtime, actor_loader=_Client()))
        gc.collect()
        gc.freeze()  # as `factory.serve` does
        try:
            _raw(urls["rw"], _batches(1, known)[:10])
            _api(app, _batches(2, known)[:10])
            raw, value = _raw(urls["rw"], _batches(3, known)), _api(app, _batches(4, known))
        finally:
            runtime.databases.dispose()
    ok = value >= TARGET and value >= TARGET_RATIO * raw
    report("plate_intake", value, "readings/s", baseline=raw, target=TARGET, ok=ok)


if __name__ == "__main__":
    main()
