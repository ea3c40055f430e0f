"""The layers hold, a violation of each contract is seen, and importing does nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())"
VIOLATIONS = {
    "kernel asks a context": ("app/kernel/clock.py", "import app.audit.service"),
    "tenants asks training": ("tenants/core/service.py", "import lms.catalog"),
    "monitoring asks evidence": ("app/monitoring/cameras/service.py", "import app.evidence.recordings.service"),
    "training asks support": ("lms/catalog/web.py", "import app.support.web"),
    "a model asks its service": ("app/monitoring/cameras/models.py", "import app.monitoring.cameras.service"),
    "a page asks the ORM": ("app/monitoring/cameras/web.py", "import sqlalchemy"),
    "a page asks a model": ("app/monitoring/cameras/web.py", "import app.monitoring.cameras.models"),
    "somebody asks the audit's tables": ("app/monitoring/cameras/service.py", "import app.audit.models"),
    "video asks the web": ("workers/recorder/hub.py", "import flask"),
    "the node asks the factory": ("workers/node/municipality.py", "import app.factory"),
    "the kernel asks RQ": ("app/kernel/jobs.py", "import rq"),
    "a context asks an adapter": ("app/monitoring/nodes/service.py", "import app.adapters.storage.directory"),
    "a rule asks a producer": ("workers/analytics/rules/engine.py", "import workers.analytics.producers.replay"),
    "a sibling cycle": ("app/monitoring/cameras/service.py", "import app.monitoring.alarms.service"),
    "a module without a place": ("app/common.py", '"""Nowhere."""'),
}


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for package in ("app", "tenants", "lms", "workers"):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("static", "assets", "__pycache__", "theme")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.slow("builds the import graph")
@pytest.mark.parametrize("what", VIOLATIONS, ids=str)
def test_each_violation_breaks_a_contract(copy: Path, what: str) -> None:
    path, line = VIOLATIONS[what]
    target = copy / path
    before = target.read_text(encoding="utf-8") if target.exists() else None
    target.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        verdict = contracts(copy)
    finally:
        target.unlink() if before is None else target.write_text(before, encoding="utf-8")

    assert verdict.returncode == 1, verdict.stdout[-800:]
    assert "BROKEN" in verdict.stdout or "not allowed" in verdict.stdout or "undeclared" in verdict.stdout.lower()


LIGHT = {
    "workers.node.municipality": ("flask", "sqlalchemy"),
    "workers.recorder.hub": ("flask", "sqlalchemy"),
    "workers.analytics.child": ("flask", "sqlalchemy"),
    "app.kernel.unit_of_work": ("flask",),
    "app.monitoring.plates.plate_text": ("flask", "sqlalchemy"),
}


@pytest.mark.slow("starts a Python per module")
@pytest.mark.parametrize("module", LIGHT)
def test_importing_brings_nothing_heavy_and_opens_nothing(module: str) -> None:
    script = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('opened a socket')\n"
        "socket.socket.connect = refuse\n"
        f"import {module}\n"
        f"print([name for name in {LIGHT[module]!r} if name in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
