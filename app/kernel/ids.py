"""Row identifiers (UUIDv7, RFC 9562): they sort by creation and are for internal use."""

from __future__ import annotations

import os
import secrets
import time
import uuid


def new_id() -> uuid.UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then random bits. It shows its creation time: never a public secret."""
    millis = time.time_ns() // 1_000_000
    value = (millis & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return uuid.UUID(int=value)


def public_token(bits: int = 128) -> str:
    """An unguessable URL-safe token of at least `bits` bits."""
    return secrets.token_urlsafe(-(-bits // 8))
