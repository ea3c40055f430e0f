"""SIGKILL of clock, workers' parent, worker, work horse and Redis: no effect is lost, none happens twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import chaos
from tests.support.world import World

KILLS = int(os.environ.get("PIPC_KILLS", "25"))


@pytest.mark.chaos
@pytest.mark.slow("starts and kills real processes many times")
def test_killed_processes_lose_nothing_and_double_nothing(world: World, tmp_path: Path) -> None:
    done = chaos.run(world, tmp_path, KILLS, report=print)

    effects = done.effects()
    assert done.kills.total() >= KILLS
    assert set(done.placed) - set(effects) == set(), "lost"
    assert {ref: count for ref, count in effects.items() if count != 1} == {}, "doubled"
