"""Last step before exec of an engine: drop root, then bind its life to its parent's.

Run by path with `python -I` so that nothing of the product is imported: it must start in milliseconds.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import struct
import sys

_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _AMBIENT_RAISE = 1, 28, 47, 2
_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_READ_SEARCH = 2
_CAP_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def drop_root(user: pwd.struct_passwd, *, keep_search: bool) -> None:
    """Become `user`; with `keep_search` it may still walk folders that only root may enter.

    A checkout under a home folder of mode 0700 is ordinary; PostgreSQL refuses to run as root, so the
    one capability that reads a path is kept, and none that writes.
    """
    if keep_search:  # without this bit access(2) ignores the capability, and Java asks access(2) first
        _libc.prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    if not keep_search:
        return
    mask = 1 << _CAP_DAC_READ_SEARCH
    header = struct.pack("Ii", _CAP_VERSION_3, 0)
    data = struct.pack("6I", mask, mask, mask, 0, 0, 0)
    if _libc.capset(header, data) != 0 or _libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0):
        sys.exit("No se puede dejar de ser root conservando el acceso a esta carpeta: usá PIPC_HOME en otra.")


def reachable_by_others(path: str) -> bool:
    """True when any user may walk to this path and read it."""
    path = os.path.realpath(path)
    if not os.stat(path).st_mode & 0o004:
        return False
    while (path := os.path.dirname(path)) != "/":
        if not os.stat(path).st_mode & 0o001:
            return False
    return True


def main() -> None:
    """Parse the few options, change what the process is, and become the command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--reads", action="append", default=[])
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--die", type=int)
    parser.add_argument("--parent", type=int)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    os.nice(options.nice)
    if options.drop:
        drop_root(pwd.getpwnam("nobody"), keep_search=not all(map(reachable_by_others, options.reads)))
    if options.die is not None:  # after the change of user, which clears it
        _libc.prctl(_PR_SET_PDEATHSIG, options.die, 0, 0, 0)
        if os.getppid() != options.parent:  # the parent died before the line above
            sys.exit(1)
    os.execvp(options.command[0], options.command)  # noqa: S606  # becoming the command is the purpose


if __name__ == "__main__":
    main()
