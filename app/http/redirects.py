"""Where a person may be sent back to: paths of this site and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit


def local_path(target: str) -> str:
    """`target` when it is a path of this site; empty for other origins, `//host`, backslashes and control characters."""
    if (
        not target.startswith("/")
        or target.startswith("//")
        or "\\" in target
        or any(ord(char) < 32 for char in target)
    ):
        return ""
    parts = urlsplit(target)
    return "" if parts.scheme or parts.netloc else target
