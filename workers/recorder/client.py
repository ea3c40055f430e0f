"""Asks a recorder over its Unix socket: one JSON line out, one back."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT_S = 5.0


class RecorderUnavailable(Exception):
    """Nobody answers on the socket."""


class RecorderRefused(Exception):
    """The recorder answered that it cannot; the code is its reason."""


def ask(path: Path | str, message: Mapping[str, Any], timeout: float = TIMEOUT_S) -> dict[str, Any]:
    """Raises `RecorderUnavailable` or `RecorderRefused`."""
    return ask_with_body(path, message, timeout)[0]


def ask_with_body(
    path: Path | str, message: Mapping[str, Any], timeout: float = TIMEOUT_S
) -> tuple[dict[str, Any], bytes]:
    """The answer and the bytes it announces."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(str(path))
            connection.sendall(json.dumps(dict(message)).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
                body = answers.read(int(answer["bytes"])) if message.get("op") == "snapshot" and answer["ok"] else b""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecorderUnavailable(type(error).__name__) from None
    if not answer.get("ok"):
        raise RecorderRefused(str(answer.get("error", "")))
    return answer, body
