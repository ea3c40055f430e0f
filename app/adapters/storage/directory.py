"""Blobs in a folder, named by their content, whole on disk or absent."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from app.kernel.ports import StoredObject

CHUNK = 256 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DirectoryStorage:
    """`<root>/<municipality>/<first two digits>/<sha256>`: a name that is there names a complete, synced file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, tenant: UUID, sha256: str, chunks: Iterator[bytes]) -> StoredObject:
        """Store and verify; storing the same content again is harmless. Raises `ValueError` when the digest is another."""
        target = self._path(tenant, sha256)
        _make(target.parent)
        temporary = target.with_name(f".{sha256[:16]}.{secrets.token_hex(6)}.part")
        try:
            size = _write(temporary, sha256, chunks)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(target.parent)
        return StoredObject(sha256, size)

    def open(self, tenant: UUID, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Stream the content, or `length` bytes of it. Raises `FileNotFoundError` before the first byte is asked for."""
        path = self._path(tenant, sha256)
        path.stat()
        return _read(path, start, length)

    def stat(self, tenant: UUID, sha256: str) -> StoredObject | None:
        try:
            return StoredObject(sha256, self._path(tenant, sha256).stat().st_size)
        except FileNotFoundError:
            return None

    def _path(self, tenant: UUID, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError("un objeto se nombra con su SHA-256 en hexadecimal")
        return self._root / str(tenant) / sha256[:2] / sha256


def _read(path: Path, start: int, length: int | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = length
        while left is None or left > 0:
            chunk = file.read(CHUNK if left is None else min(CHUNK, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk


def _write(path: Path, sha256: str, chunks: Iterator[bytes]) -> int:
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != sha256:
        raise ValueError("el contenido no corresponde a su SHA-256")
    return size


def _make(folder: Path) -> None:
    """Make the folder and its parents, each one known to its own parent after a power cut."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
