"""The node is called ready when what it was told to run is running."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.local.fleet import node_works
from app.cli.local.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    write(home.node / "identities" / "azul.json", {"tenant_uuid": "azul"})
    return home


@pytest.fixture
def running() -> Iterator[dict[str, int]]:
    """A process of each module, by the module's name."""
    children = {
        module: subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", module])
        for module in ("workers.recorder", "workers.analytics")
    }
    yield {module: child.pid for module, child in children.items()}
    for child in children.values():
        child.kill()
        child.wait()


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_node_works_once_its_recorder_and_each_session_live(home: Home, running: dict[str, int]) -> None:
    assert not node_works(home), "it does not know yet what it must run"

    write(home.node / "azul" / "desired.json", {"version": 2, "sessions": [{"id": "one"}]})
    write(home.run / "recorders.json", {"azul": {"pid": running["workers.recorder"]}})
    assert not node_works(home)

    write(home.run / "analytics.json", {"one": {"pid": running["workers.analytics"], "tenant": "azul"}})
    assert node_works(home)


def test_pid_of_another_program_is_not_a_recorder(home: Home, running: dict[str, int]) -> None:
    write(home.node / "azul" / "desired.json", {"version": 2, "sessions": []})

    write(home.run / "recorders.json", {"azul": {"pid": running["workers.analytics"]}})
    assert not node_works(home)

    write(home.run / "recorders.json", {"azul": {"pid": running["workers.recorder"]}})
    assert node_works(home)


def test_node_without_municipalities_works(tmp_path: Path) -> None:
    assert node_works(Home.at(tmp_path))
