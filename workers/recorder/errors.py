"""What can go wrong with a source, as the closed list of codes that screens know; library texts never leave this module."""

from __future__ import annotations

import re

import av

CODES = frozenset({
    "unreachable", "auth_failed", "not_found", "timeout", "no_keyframe", "unsupported_codec", "protocol_error",
    "network_not_allowed", "file_not_allowed", "disk_full", "io_error",
})  # fmt: skip

_CREDENTIALS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]*(?::[^\s/@]*)?@")
_SECRET_QUERY = re.compile(r"(?i)([?&](?:user|usr|username|pass|pwd|password|token|auth|key)=)[^&\s'\"]*")


class SourceError(Exception):
    """A source failed; `code` is one of `CODES` and the only thing that is shown."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def redact(text: str) -> str:
    """The text with every URL credential and secret query value replaced by stars."""
    return _SECRET_QUERY.sub(r"\1***", _CREDENTIALS.sub(r"\1***:***@", text))


def code_of(error: BaseException) -> str:
    """The code of a library error, judged by its type: its text holds the URL with the password."""
    if isinstance(error, SourceError):
        return error.code
    table: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
        ((av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError), "auth_failed"),
        ((av.error.HTTPNotFoundError, av.error.FileNotFoundError, FileNotFoundError), "not_found"),
        ((av.error.ExitError, av.error.TimeoutError, TimeoutError), "timeout"),
        ((av.error.InvalidDataError, av.error.HTTPError, av.error.EOFError), "protocol_error"),
    )
    for kinds, code in table:
        if isinstance(error, kinds):
            return code
    return "unreachable" if isinstance(error, OSError) else "protocol_error"


def describe(error: BaseException) -> str:
    """One line for the log: type and code, and the operating system's number; never the library's text."""
    number = getattr(error, "errno", None)
    return f"{type(error).__name__}({code_of(error)}{f', errno {number}' if number else ''})"
