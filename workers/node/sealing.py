"""Opens camera credentials that the province sealed to this node's public key; nobody else can, the province included."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_INFO = b"pipc-seal-v1"
_KEY, _NONCE = 32, 12


class SealError(Exception):
    """The sealed value is not for this node and camera."""


@dataclass(frozen=True)
class Credentials:
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    query: str = field(default="", repr=False)

    def applied_to(self, url: str) -> str:
        """The URL as the camera wants it."""
        parts = urlsplit(url)
        if not parts.hostname:
            return url
        netloc = parts.netloc.rpartition("@")[2]
        if self.user or self.password:
            netloc = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@{netloc}"
        query = "&".join(one for one in (parts.query, self.query) if one)
        return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def open_sealed(seal_key: Path, sealed: str, tenant: UUID, camera: UUID) -> Credentials:
    """Raises `SealError`."""
    try:
        private = X25519PrivateKey.from_private_bytes(base64.b64decode(seal_key.read_text(encoding="ascii").strip()))
        raw = base64.b64decode(sealed, validate=True)
        ephemeral, nonce, secret = raw[:_KEY], raw[_KEY : _KEY + _NONCE], raw[_KEY + _NONCE :]
        shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        key = HKDF(hashes.SHA256(), _KEY, ephemeral + private.public_key().public_bytes_raw(), _INFO).derive(shared)
        plain = ChaCha20Poly1305(key).decrypt(nonce, secret, f"{tenant}/{camera}".encode("ascii"))
        row = json.loads(plain)
        return Credentials(str(row.get("user", "")), str(row.get("password", "")), str(row.get("query", "")))
    except (OSError, ValueError, binascii.Error, InvalidTag, AttributeError) as error:
        raise SealError(type(error).__name__) from None
