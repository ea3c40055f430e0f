"""Processes are known by identity, die with who started them, and never run as root when they need not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from app.cli.local import process
from app.cli.local.process import ProcessRef, spawn, wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
ENV = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "child.log"


def test_reference_means_one_process_and_not_its_pid(log) -> None:
    child = spawn(SLEEP, log=log, env=ENV)
    ref = ProcessRef.of(child.pid)
    impostor = ProcessRef(child.pid, ref.started - 1)

    assert ref.alive()
    assert not impostor.alive()
    assert not impostor.send(signal.SIGKILL)
    assert child.poll() is None

    assert ref.end(timeout=5)
    assert child.wait() == -signal.SIGTERM
    assert not ref.alive()


def test_process_that_ignores_the_request_is_killed_after_the_timeout(log) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = spawn([sys.executable, "-c", deaf], log=log, env=ENV)
    wait_until(lambda: log.exists() and "deaf" in log.read_text(), 10)

    stopped_by_itself = ProcessRef.of(child.pid).end(timeout=0.2)

    assert not stopped_by_itself
    assert child.wait() == -signal.SIGKILL


def test_child_dies_with_the_process_that_started_it(tmp_path, log) -> None:
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from app.cli.local.process import spawn
        child = spawn({SLEEP!r}, log=Path({str(log)!r}), env={ENV!r}, death_signal=9)
        print(child.pid, flush=True)
        sys.stdin.read()
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = ProcessRef.of(int(parent.stdout.readline()))
    wait_until(lambda: "sleep" in _command(child.pid), 10)

    parent.kill()
    parent.communicate()

    assert child.wait(5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to drop")
def test_root_is_dropped_even_behind_a_folder_that_only_root_may_enter(tmp_path, log) -> None:
    closed = tmp_path / "closed"
    (closed / "inside").mkdir(parents=True)
    (closed / "inside" / "file").write_text("readable")
    closed.chmod(0o700)
    program = (
        f"import os; print(os.getuid(), open({str(closed / 'inside' / 'file')!r}).read(), os.access({str(closed)!r}, os.R_OK));"
        f"open({str(closed / 'new')!r}, 'w')"
    )

    child = spawn([sys.executable, "-c", program], log=log, env=ENV, unprivileged=True, reads=[closed / "inside"])

    assert child.wait() == 1
    said = log.read_text()
    assert "65534 readable True" in said
    assert "PermissionError" in said


def test_memory_of_a_family_leaves_out_who_is_counted_apart(log) -> None:
    program = (
        "import subprocess, sys, time; "
        "c = subprocess.Popen([sys.executable, '-c', 'x = bytearray(60 << 20); print(1, flush=True); import time; time.sleep(60)']);"
        "time.sleep(60)"
    )
    child = spawn([sys.executable, "-c", program], log=log, env=ENV)
    wait_until(lambda: log.exists() and log.read_text().startswith("1"), 10)
    (grandchild,) = process.children_of(child.pid)

    whole, alone = process.tree_rss_mb(child.pid), process.tree_rss_mb(child.pid, {grandchild})

    assert whole - alone >= 60
    ProcessRef.of(grandchild).end()
    ProcessRef.of(child.pid).end()
    child.wait()


def test_waiting_gives_up_when_the_time_is_over() -> None:
    before = time.monotonic()

    assert not wait_until(lambda: False, 0.2)
    assert 0.2 <= time.monotonic() - before < 2


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()
