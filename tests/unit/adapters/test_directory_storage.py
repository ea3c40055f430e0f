"""Blobs named by their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.adapters.storage.directory import DirectoryStorage

TENANT, OTHER = uuid4(), uuid4()
CONTENT = bytes(range(256)) * 4096
SHA = hashlib.sha256(CONTENT).hexdigest()


def chunks(content: bytes = CONTENT) -> Iterator[bytes]:
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


@pytest.fixture
def storage(tmp_path: Path) -> DirectoryStorage:
    return DirectoryStorage(tmp_path / "objects")


def test_stored_content_comes_back_whole_and_by_parts(storage: DirectoryStorage) -> None:
    stored = storage.put(TENANT, SHA, chunks())

    assert stored.size == len(CONTENT)
    assert b"".join(storage.open(TENANT, SHA)) == CONTENT
    assert b"".join(storage.open(TENANT, SHA, 100, 50)) == CONTENT[100:150]
    assert b"".join(storage.open(TENANT, SHA, len(CONTENT) - 3)) == CONTENT[-3:]


def test_content_with_another_digest_leaves_nothing(storage: DirectoryStorage, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        storage.put(TENANT, "0" * 64, chunks())

    assert storage.stat(TENANT, "0" * 64) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_upload_cut_in_the_middle_leaves_nothing(storage: DirectoryStorage, tmp_path: Path) -> None:
    def cut() -> Iterator[bytes]:
        yield CONTENT[:1000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        storage.put(TENANT, SHA, cut())

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_storing_twice_is_harmless(storage: DirectoryStorage) -> None:
    storage.put(TENANT, SHA, chunks())

    assert storage.put(TENANT, SHA, chunks()).sha256 == SHA


def test_another_municipality_does_not_have_it(storage: DirectoryStorage) -> None:
    storage.put(TENANT, SHA, chunks())

    assert storage.stat(OTHER, SHA) is None
    with pytest.raises(FileNotFoundError):
        storage.open(OTHER, SHA)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "ABC", "g" * 64, SHA.upper(), f"{SHA}/"])
def test_name_that_is_no_digest_never_reaches_the_disk(storage: DirectoryStorage, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        storage.stat(TENANT, name)


def test_file_and_folders_are_synced_before_the_name_exists(
    storage: DirectoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda old, new: (steps.append("rename"), replace(old, new)))

    storage.put(TENANT, SHA, chunks())

    assert steps.index("rename") > 0
    assert steps[steps.index("rename") - 1] == "fsync"
    assert steps[-1] == "fsync"
