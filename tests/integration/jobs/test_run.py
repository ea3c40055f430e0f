"""The workers' parent and the clock as processes: what they accept, write down and leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from tests.support.chaos import ROOT, Chaos, _wait
from tests.support.outbox import place, row
from tests.support.world import World
from workers.queues import PROVINCE


@pytest.mark.parametrize("arguments", [[], ["alarms", "media"], ["unknown"], ["--some"]])
def test_a_worker_serves_one_queue_and_no_more(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "workers.run", *arguments], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 2
    assert "una sola" in done.stderr


@pytest.mark.parametrize("module", [["workers.run", "alarms"], ["workers.clock"]])
def test_a_missing_setting_stops_the_start_with_its_name(module: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=ROOT, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    )

    assert done.returncode == 1
    assert done.stderr.strip().startswith("Falta REDIS_URL")


@pytest.mark.slow("starts real processes")
def test_the_parent_writes_down_one_process_per_queue_and_takes_them_along(world: World, tmp_path: Path) -> None:
    listing = tmp_path / "product/run/workers.json"
    with Chaos(world, tmp_path / "product") as product:
        product.place(1)
        product.settle()
        listed = json.loads(listing.read_text())
        assert set(listed) == set(PROVINCE)
        assert listing.stat().st_mode & 0o777 == 0o600

        os.kill(listed["media"]["pid"], signal.SIGKILL)
        _wait(
            lambda: json.loads(listing.read_text())["media"]["pid"] != listed["media"]["pid"],
            20,
            lambda: "sin reemplazo",
        )
        again = [entry["pid"] for entry in json.loads(listing.read_text()).values()]
    assert not listing.exists()
    assert [pid for pid in again if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.slow("starts real processes")
def test_orphans_die_with_their_parent(world: World, tmp_path: Path) -> None:
    with Chaos(world, tmp_path / "product") as product:
        outbox_id = place("probe.long", ref="a", pause="15")
        _wait(lambda: row(world, outbox_id)["claimed_until"] is not None, 30, lambda: "no empezó")
        workers, horses = product._pids("worker"), product._pids("horse")

        os.kill(product._processes["parent"].pid, signal.SIGKILL)
        product._processes["parent"].wait()

        assert horses
        _wait(lambda: not any(_lives(pid) for pid in workers + horses), 5, lambda: "quedaron procesos")


@pytest.mark.slow("starts real processes")
def test_the_clock_shows_that_it_ticks_and_its_figures(world: World, tmp_path: Path) -> None:
    with Chaos(world, tmp_path / "product") as product, Redis.from_url(product.valkey.url()) as redis:
        _wait(lambda: bool(redis.get("pipc:clock:tick")), 20, lambda: "sin latido")


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
