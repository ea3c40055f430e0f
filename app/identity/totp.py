"""The six digits of a second factor (RFC 6238), for the demonstration's people."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

PERIOD_S = 30
DIGITS = 6


def code_at(secret: str, seconds: float) -> str:
    """The digits of a base32 `secret` at that Unix time."""
    counter = struct.pack(">Q", int(seconds) // PERIOD_S)
    mac = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"
