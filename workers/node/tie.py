"""Binds the life of this process to its parent's, so that nothing is left running when a supervisor is killed."""

from __future__ import annotations

import ctypes
import os

_PR_SET_PDEATHSIG = 1


def tie_to_parent(signum: int, parent: int | None = None) -> None:
    """Ask the kernel for this signal when the parent ends; with `parent` given, exit if it ended before the asking."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)
