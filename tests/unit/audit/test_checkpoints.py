"""Signed checkpoints: kept once per move of a chain, and worthless to whoever edits them."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.audit.checkpoints import Checkpoints, ForgedCheckpoint
from app.audit.types import Head

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def head(tenant: int = 448, seq: int = 3) -> Head:
    return Head(tenant, seq, AT, bytes([seq]) * 32)


def test_only_chains_that_moved_are_noted(tmp_path: Path) -> None:
    notes = Checkpoints(tmp_path / "audit")

    added = [notes.add([head(), head(805)], AT), notes.add([head(), head(805, 4)], AT), notes.add([head()], AT)]

    assert added == [2, 1, 0]
    assert notes.all() == {448: [head()], 805: [head(805), head(805, 4)]}


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    Checkpoints(tmp_path / "audit").add([head()], AT)

    assert stat.S_IMODE((tmp_path / "audit/key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"seq":1}', b'{"at":"x","firma":"AAAA","hash":"","seq":1,"tenant":1}'])
def test_a_forged_line_is_refused_with_its_place(tmp_path: Path, line: bytes) -> None:
    notes = Checkpoints(tmp_path)
    notes.add([head()], AT)
    path = tmp_path / "2026-03-01.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")

    with pytest.raises(ForgedCheckpoint, match=r"2026-03-01\.jsonl:2"):
        notes.all()


def test_an_edited_checkpoint_is_refused(tmp_path: Path) -> None:
    notes = Checkpoints(tmp_path)
    notes.add([head()], AT)
    path = tmp_path / "2026-03-01.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"seq":3', b'"seq":2'))

    with pytest.raises(ForgedCheckpoint):
        notes.all()


def test_checkpoints_without_their_key_are_refused(tmp_path: Path) -> None:
    notes = Checkpoints(tmp_path)
    notes.add([head()], AT)
    (tmp_path / "key.pem").unlink()

    with pytest.raises(ForgedCheckpoint):
        notes.all()


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)

    with pytest.raises(ValueError, match="Ed25519"):
        Checkpoints(tmp_path).add([head()], AT)
