"""Encrypts the tokens that a session keeps: the database alone does not give them away."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class Sealer:
    """Seals text to one session: a sealed token copied to another row does not open."""

    def __init__(self, secret: str) -> None:
        if len(secret) < 32:
            raise ValueError("PIPC_SECRET_KEY debe tener 32 caracteres o más: `pipc init` la crea.")
        derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"pipc-web-session-v1")
        self._cipher = AESGCM(derivation.derive(secret.encode()))

    def seal(self, text: str, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), key)

    def open(self, sealed: bytes | None, key: bytes) -> str:
        """The text, or empty when there is none or it was sealed with another secret or for another session."""
        if not sealed:
            return ""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], key).decode()
        except InvalidTag:
            return ""
