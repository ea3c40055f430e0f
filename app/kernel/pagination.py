"""Keyset pages: a list is continued after the last row seen, so that it neither repeats nor skips."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.kernel.errors import Invalid

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows and the cursor after them (`None` when there are no more)."""

    items: list[T]
    cursor: str | None = None


def encode_cursor(*key: object) -> str:
    """An opaque cursor for the sort key of the last row."""
    return base64.urlsafe_b64encode(json.dumps([str(part) for part in key]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> tuple[str, ...]:
    """The sort key of a cursor. Raises `Invalid` when it is not one of ours."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        key = None
    if not isinstance(key, list) or len(key) != length or not all(isinstance(part, str) for part in key):
        raise Invalid(errors={"cursor": ["El cursor no es válido: volver a pedir la primera página."]})
    return tuple(key)
