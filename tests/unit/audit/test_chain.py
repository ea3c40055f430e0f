"""Verification of a chain: each kind of tampering is named at its first bad entry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import rfc8785

from app.audit import chain
from app.audit.types import Entry, Fault, Head, Verdict

TENANT = UUID(int=7)
START = datetime(2026, 3, 1, tzinfo=UTC)
Entries = list[Entry]


def entry(seq: int, prev: bytes, *, target: str = "alarma/1", written_seq: int | None = None) -> Entry:
    at = START + timedelta(seconds=seq)
    written = {
        "accion": "room:alarm:close", "actor": "p", "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "detalle": {},
        "objetivo": target, "seq": written_seq or seq, "tenant": 448,
    }  # fmt: skip
    canon = rfc8785.dumps(written).decode()
    digest = hashlib.sha256(canon.encode()).digest()
    link = hashlib.sha256(prev + digest).digest()
    return Entry(448, seq, at, "p", "room:alarm:close", target, canon, prev, digest, link)


def sound(length: int = 6) -> Entries:
    entries: Entries = []
    previous = chain.genesis(TENANT)
    for seq in range(1, length + 1):
        entries.append(entry(seq, previous))
        previous = entries[-1].hash
    return entries


def judge(entries: Entries, head: Head | None = None, points: list[Head] | None = None) -> Verdict:
    last = sound()[-1]
    return chain.verify(chain.genesis(TENANT), entries, head or Head(448, 6, last.occurred_at, last.hash), points or [])


def point(of: Entry) -> Head:
    return Head(448, of.seq, of.occurred_at, of.hash)


def test_a_sound_chain_holds() -> None:
    entries = sound()

    verdict = judge(entries, points=[point(entries[2]), point(entries[5])])

    assert verdict.is_sound
    assert verdict.checked == 6
    assert str(verdict) == "íntegro: 6 asientos verificados"


def test_an_empty_chain_holds() -> None:
    assert judge([], Head(448, 0, START, chain.genesis(TENANT))).is_sound


def edited_text(entries: Entries) -> Entries:
    entries[2] = replace(entries[2], canon=entries[2].canon.replace("alarma/1", "alarma/2"))
    return entries


def edited_column(entries: Entries) -> Entries:
    entries[2] = replace(entries[2], target="alarma/2")
    return entries


def edited_with_its_hashes(entries: Entries) -> Entries:
    entries[2] = entry(3, entries[1].hash, target="alarma/2")
    return entries


def edited_first_with_its_hashes(entries: Entries) -> Entries:
    entries[0] = entry(1, bytes(32))
    return entries


def edited_last_with_its_hashes(entries: Entries) -> Entries:
    entries[5] = entry(6, entries[4].hash, target="alarma/2")
    return entries


def not_json(entries: Entries) -> Entries:
    return _resealed(entries, "{")


def not_canonical(entries: Entries) -> Entries:
    return _resealed(entries, entries[2].canon.replace(",", ", "))


def not_an_object(entries: Entries) -> Entries:
    return _resealed(entries, "[]")


def _resealed(entries: Entries, canon: str) -> Entries:
    digest = hashlib.sha256(canon.encode()).digest()
    link = hashlib.sha256(entries[2].prev + digest).digest()
    entries[2] = replace(entries[2], canon=canon, digest=digest, hash=link)
    return entries


def deleted(entries: Entries) -> Entries:
    return entries[:2] + entries[3:]


def deleted_and_renumbered(entries: Entries) -> Entries:
    return entries[:2] + [replace(later, seq=later.seq - 1) for later in entries[3:]]


def inserted_beside(entries: Entries) -> Entries:
    return [*entries[:3], entry(3, entries[1].hash, target="falso"), *entries[3:]]


def inserted_and_renumbered(entries: Entries) -> Entries:
    forged = entry(3, entries[1].hash, target="falso")
    return entries[:2] + [forged] + [replace(later, seq=later.seq + 1) for later in entries[2:]]


def inserted_before_the_first(entries: Entries) -> Entries:
    return [entry(-1, chain.genesis(TENANT)), *entries]


def inserted_at_the_end(entries: Entries) -> Entries:
    return [*entries, entry(7, entries[5].hash)]


def copied_at_the_end(entries: Entries) -> Entries:
    return [*entries, replace(entries[5], seq=7)]


def exchanged(entries: Entries) -> Entries:
    entries[2], entries[3] = replace(entries[3], seq=3), replace(entries[2], seq=4)
    return entries


def exchanged_far(entries: Entries) -> Entries:
    entries[1], entries[4] = replace(entries[4], seq=2), replace(entries[1], seq=5)
    return entries


def truncated(entries: Entries) -> Entries:
    return entries[:4]


@pytest.mark.parametrize(("tamper", "seq", "fault"), [
    (edited_text, 3, Fault.EDITED),
    (edited_column, 3, Fault.EDITED),
    (edited_with_its_hashes, 3, Fault.EDITED),
    (edited_first_with_its_hashes, 1, Fault.EDITED),
    (edited_last_with_its_hashes, 6, Fault.EDITED),
    (not_json, 3, Fault.EDITED),
    (not_canonical, 3, Fault.EDITED),
    (not_an_object, 3, Fault.EDITED),
    (deleted, 3, Fault.DELETED),
    (deleted_and_renumbered, 3, Fault.DELETED),
    (inserted_beside, 3, Fault.INSERTED),
    (inserted_and_renumbered, 3, Fault.INSERTED),
    (inserted_before_the_first, -1, Fault.INSERTED),
    (inserted_at_the_end, 7, Fault.INSERTED),
    (copied_at_the_end, 7, Fault.INSERTED),
    (exchanged, 3, Fault.REORDERED),
    (exchanged_far, 2, Fault.REORDERED),
    (truncated, 5, Fault.TRUNCATED),
])  # fmt: skip
def test_tampering_is_named_at_the_first_bad_entry(
    tamper: Callable[[Entries], Entries], seq: int, fault: Fault
) -> None:
    verdict = judge(tamper(sound()))

    assert (verdict.seq, verdict.fault) == (seq, fault)
    assert str(verdict).startswith(f"asiento {seq}: ")


def test_a_truncation_that_also_moved_the_head_is_seen_by_a_checkpoint() -> None:
    entries = sound()

    hidden = judge(entries[:4], point(entries[3]))
    seen = judge(entries[:4], point(entries[3]), [point(entries[5])])

    assert hidden.is_sound
    assert (seen.seq, seen.fault) == (5, Fault.TRUNCATED)


def test_a_history_written_again_is_seen_by_a_checkpoint() -> None:
    before = sound()
    after = before[:3]
    for seq in range(4, 7):
        after.append(entry(seq, after[-1].hash, target="otra"))

    verdict = judge(after, point(after[-1]), [point(before[4])])

    assert (verdict.seq, verdict.fault) == (5, Fault.RESTORED)
