"""Starting, watching and ending processes by their identity (pid and start time), never by name."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessRef:
    """One process for ever: a pid alone may be reused, a pid with its start tick may not."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessRef | None:
        """The process that holds this pid, or None when it is gone or a zombie."""
        fields = _stat(pid)
        if fields is None or fields[0] in ("Z", "X"):
            return None
        return cls(pid, int(fields[19]))

    def alive(self) -> bool:
        """True while this very process exists and is not a zombie."""
        return ProcessRef.of(self.pid) == self

    def send(self, signum: int) -> bool:
        """Signal exactly this process; False when it is already gone."""
        fd = self._pidfd()
        if fd is None:
            return False
        try:
            signal.pidfd_send_signal(fd, signum)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(fd)

    def wait(self, timeout: float) -> bool:
        """Wait for the end of a process that need not be our child; True when it ended."""
        fd = self._pidfd()
        if fd is None:
            return True
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        try:
            return bool(poll.poll(timeout * 1000))
        finally:
            os.close(fd)

    def end(self, first: int = signal.SIGTERM, timeout: float = 10.0) -> bool:
        """Ask it to stop, insist with SIGKILL after the timeout; True when it stopped by itself."""
        if not self.send(first) or self.wait(timeout):
            return True
        self.send(signal.SIGKILL)
        self.wait(5.0)
        return False

    def _pidfd(self) -> int | None:
        try:
            fd = os.pidfd_open(self.pid)
        except OSError:
            return None
        if self.alive():  # checked after the open: from here on the descriptor cannot mean anybody else
            return fd
        os.close(fd)
        return None


def rss_mb(pid: int) -> int:
    """Resident memory of one process in MiB, shared pages counted proportionally when the kernel tells them."""
    for name, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
                if line.startswith(key):
                    return int(line.split()[1]) // 1024
    return 0


def tree_rss_mb(pid: int, apart: Collection[int] = ()) -> int:
    """Memory of a process and its descendants, without the ones that are counted apart."""
    return rss_mb(pid) + sum(tree_rss_mb(child, apart) for child in children_of(pid) if child not in apart)


def children_of(pid: int) -> list[int]:
    """Direct children of a process, as the kernel lists them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(word) for word in (task / "children").read_text().split()]
    return found


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    death_signal: int | None = None,
    unprivileged: bool = False,
    reads: Sequence[Path] = (),
    nice: int = 0,
) -> subprocess.Popen[bytes]:
    """Start a process in its own session, its output appended to `log`.

    `death_signal` is what the kernel sends it when this thread dies; `unprivileged` drops root first
    (no effect for an ordinary user); `reads` are paths that the unprivileged user must be able to reach.
    """
    full = [*launcher(death_signal, unprivileged=unprivileged, reads=reads, nice=nice), *command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            full, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=dict(env), cwd=cwd or "/",
            start_new_session=True, close_fds=True,
        )  # fmt: skip


def launcher(death_signal: int | None, *, unprivileged: bool, reads: Sequence[Path] = (), nice: int = 0) -> list[str]:
    """The prefix that makes a command die with its parent and run without root (see `launch`)."""
    drop = unprivileged and os.geteuid() == 0
    if death_signal is None and not drop and not nice:
        return []
    options = [] if death_signal is None else [f"--die={int(death_signal)}", f"--parent={os.getpid()}"]
    if nice:
        options.append(f"--nice={nice}")
    if drop:
        options += ["--drop", *(f"--reads={path}" for path in reads)]
    return [sys.executable, "-I", str(Path(__file__).with_name("launch.py")), *options, "--"]


def wait_until(ready: Callable[[], bool], timeout: float, *, every: float = 0.05) -> bool:
    """Poll `ready()` until it is true; False when the time is over."""
    limit = time.monotonic() + timeout
    while time.monotonic() < limit:
        if ready():
            return True
        time.sleep(every)
    return False


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rsplit(")", 1)[1].split()
