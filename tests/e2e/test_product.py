"""The whole product as `pipc` starts it: what it says, what survives a kill, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from app.cli.local import ports
from app.cli.local.process import ProcessRef, wait_until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.keycloak,
    pytest.mark.slow("starts the whole product"),
    pytest.mark.product,
    pytest.mark.xdist_group("product"),
]
ROOT = Path(__file__).resolve().parents[2]
EXPECTED = ("postgres", "redis", "keycloak", "web", "clock", "worker", "node", "recorder", "analytics")


class Product:
    """One installation of its own, driven by the command line alone."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port

    def pipc(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        given = {
            name: value for name, value in os.environ.items() if not name.startswith("PIPC_") or name == "PIPC_CACHE"
        }
        env = {**given, "PIPC_HOME": str(self.home), "PIPC_PORT": str(self.port)}
        command = [sys.executable, "-m", "app.cli.main", *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout)

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.pipc("status", "--json").stdout))

    def process(self, name: str) -> dict[str, Any]:
        return next(row for row in self.status()["processes"] if row["name"] == name)

    def until(self, done: Callable[[], bool], seconds: float = 90) -> None:
        assert wait_until(done, seconds, every=0.5), self.status()


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with tempfile.TemporaryDirectory(prefix="pipc-product-") as folder:
        os.chmod(folder, 0o711)
        product = Product(Path(folder) / "home", ports.pick_free(set()))
        started = product.pipc("up")
        try:
            assert started.returncode == 0, started.stdout + started.stderr
            yield product
        finally:
            product.pipc("down")


def test_status_lists_every_part_and_says_ready(product) -> None:
    product.until(lambda: product.status()["state"] == "ready")
    answer = product.status()

    names = " ".join(row["name"] for row in answer["processes"])
    assert [part for part in EXPECTED if part not in names] == []
    assert all(set(row) == {"name", "pid", "state", "rss_mb"} for row in answer["processes"])
    assert all(row["pid"] and row["rss_mb"] > 0 for row in answer["processes"])
    assert answer["url"] == f"http://127.0.0.1:{product.port}"


def test_memory_of_the_whole_demonstration_is_under_four_gigabytes(product) -> None:
    assert sum(row["rss_mb"] for row in product.status()["processes"]) < 4096


def test_servers_of_the_status_can_be_used_as_they_stand(product) -> None:
    urls = product.status()["urls"]

    with psycopg.connect(urls["database"]) as conn:
        tables = conn.execute("select count(*) from pg_tables where schemaname = 'app'").fetchone()
    assert tables is not None
    assert tables[0] > 10
    assert requests.get(f"{urls['keycloak']}/realms/seguridad-pba", timeout=10).status_code == 200


def test_web_answers_on_its_addresses_and_metrics_stay_on_loopback(product) -> None:
    assert requests.get(f"http://127.0.0.1:{product.port}/healthz", timeout=10).status_code == 200
    assert requests.get(f"http://127.0.0.1:{product.port}/readyz", timeout=10).json()
    assert requests.get(f"http://127.0.0.1:{product.port}/metrics", timeout=10).status_code == 404


def test_starting_it_twice_changes_nothing_and_says_where_it_is(product) -> None:
    before = product.process("web")["pid"]

    again, second = product.pipc("up"), product.pipc("run")

    assert (again.returncode, second.returncode) == (0, 0)
    assert f"Ya está en marcha en http://127.0.0.1:{product.port}" in second.stdout
    assert product.process("web")["pid"] == before


@pytest.mark.parametrize("name", ["postgres", "redis", "clock", "worker-alarms", "web"])
def test_killed_process_comes_back_by_itself(product, name: str) -> None:
    product.until(lambda: product.status()["state"] == "ready")
    killed = product.process(name)["pid"]

    os.kill(killed, signal.SIGKILL)
    product.until(lambda: product.status()["state"] == "ready" and product.process(name)["pid"] != killed)

    assert requests.get(f"http://127.0.0.1:{product.port}/readyz", timeout=10).status_code == 200


def test_down_leaves_nothing_and_the_next_start_finds_everything(product) -> None:
    product.until(lambda: product.status()["state"] == "ready")
    refs = [ref for row in product.status()["processes"] if (ref := ProcessRef.of(row["pid"]))]
    secrets = {path.name: path.read_text() for path in (product.home / "secrets").iterdir()}

    assert product.pipc("down").returncode == 0

    assert [ref for ref in refs if ref.alive()] == []
    assert product.status()["state"] == "stopped"
    assert product.pipc("up").returncode == 0
    assert {path.name: path.read_text() for path in (product.home / "secrets").iterdir()} == secrets


def test_killed_supervisor_leaves_nothing_and_the_next_start_works(product) -> None:
    product.until(lambda: product.status()["state"] == "ready")
    kept = json.loads((product.home / "run" / "state.json").read_text())["supervisor"]
    refs = [
        ref
        for row in product.status()["processes"]
        if not row["name"].startswith("recorder") and (ref := ProcessRef.of(row["pid"]))
    ]

    os.kill(kept["pid"], signal.SIGKILL)

    assert wait_until(lambda: not any(ref.alive() for ref in refs), 30)
    assert product.pipc("up").returncode == 0
