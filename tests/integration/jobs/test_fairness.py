"""A thousand jobs of one municipality do not make another wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.kernel.jobs import after_commit
from app.kernel.unit_of_work import unit_of_work
from tests.support.chaos import Chaos
from tests.support.world import OURS, THEIRS, World, actor


@pytest.mark.slow("queues a thousand jobs on real workers")
def test_a_small_municipality_starts_within_a_second_of_a_thousand_of_another(world: World, tmp_path: Path) -> None:
    moments = tmp_path / "moments"
    moments.touch()
    with Chaos(world, tmp_path / "product") as product:
        product.place(1)
        product.settle()
        with unit_of_work(actor(OURS)):
            for _ in range(1000):
                after_commit("probe.mark", path=str(moments))
        _until(lambda: len(moments.read_text().splitlines()) >= 5)

        with unit_of_work(actor(THEIRS)):
            after_commit("probe.mark", path=str(moments))
        asked_at = time.time()
        _until(lambda: f" {THEIRS}\n" in moments.read_text())

        [started_at] = [
            float(line.split()[0]) for line in moments.read_text().splitlines() if line.endswith(f" {THEIRS}")
        ]
        before = len(moments.read_text().splitlines())
    # One second when the machine is ours (the figure is printed); here other tests share its processors.
    print(f"empezó a los {started_at - asked_at:.2f} s con {1000 - before} por delante")
    assert started_at - asked_at < 3
    assert before < 500


def _until(ready: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)
