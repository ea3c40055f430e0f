"""Signed notes of where each chain was, kept outside the database: what a rewritten or restored one is compared with."""

from __future__ import annotations

import base64
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from app.audit.types import Head


class ForgedCheckpoint(ValueError):
    """A checkpoint does not carry our signature; the message says in which line."""


class Checkpoints:
    """A folder with a signing key of its own (mode 0600) and one file a day to which lines are only added."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, heads: Iterable[Head], at: datetime) -> int:
        """Note the chains that moved since the last note. Returns how many."""
        newest = {tenant: max(points, key=lambda point: point.seq) for tenant, points in self.all().items()}
        moved = [head for head in heads if head.tenant_id not in newest or newest[head.tenant_id].hash != head.hash]
        if not moved:
            return 0
        key = self._key(make=True)
        lines = b"".join(_signed(head, key) + b"\n" for head in moved)
        path = self._folder / f"{at:%Y-%m-%d}.jsonl"
        with path.open("ab") as notes:
            notes.write(lines)
            notes.flush()
            os.fsync(notes.fileno())
        return len(moved)

    def all(self) -> Mapping[int, list[Head]]:
        """Every note by municipality. Raises `ForgedCheckpoint`."""
        found: dict[int, list[Head]] = defaultdict(list)
        for path in sorted(self._folder.glob("*.jsonl")):
            for number, line in enumerate(path.read_bytes().splitlines(), start=1):
                head = self._read(line, f"{path.name}:{number}")
                found[head.tenant_id].append(head)
        return found

    def _read(self, line: bytes, where: str) -> Head:
        try:
            note = json.loads(line)
            signature = base64.b64decode(note.pop("firma"))
            self._key().public_key().verify(signature, rfc8785.dumps(note))
            return Head(note["tenant"], note["seq"], datetime.fromisoformat(note["at"]), bytes.fromhex(note["hash"]))
        except (InvalidSignature, ValueError, KeyError, TypeError, OSError):
            raise ForgedCheckpoint(f"{where}: el punto de control no está firmado por este servicio") from None

    def _key(self, *, make: bool = False) -> Ed25519PrivateKey:
        path = self._folder / "key.pem"
        if make and not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("la clave de los puntos de control no es Ed25519")
        return key


def _signed(head: Head, key: Ed25519PrivateKey) -> bytes:
    note: dict[str, str | int] = {
        "at": head.occurred_at.isoformat(),
        "hash": head.hash.hex(),
        "seq": head.seq,
        "tenant": head.tenant_id,
    }
    signature = base64.b64encode(key.sign(rfc8785.dumps(note))).decode()
    note["firma"] = signature
    return rfc8785.dumps(note)
