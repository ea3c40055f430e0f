"""Recomputes a hash chain and names the first entry that does not hold. Pure: no database, no clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import groupby
from uuid import UUID

import rfc8785

from app.audit.types import Entry, Fault, Head, Verdict


def genesis(tenant: UUID) -> bytes:
    """What the first entry of a municipality hangs from."""
    return hashlib.sha256(f"pipc:{tenant}".encode()).digest()


def verify(first: bytes, entries: Iterable[Entry], head: Head, checkpoints: Iterable[Head]) -> Verdict:
    """Walk `entries` (in order of number) from `first` to `head`, comparing with what `checkpoints` saw at the time.

    The verdict names the first bad entry; for a missing one, the number that was expected.
    """
    seen = {point.seq: point.hash for point in checkpoints}
    previous, checked = first, 0
    for group, following in _with_next(groupby(entries, key=lambda entry: entry.seq)):
        expected = checked + 1
        if group[0].seq > expected:
            return Verdict(head.tenant_id, checked, expected, Fault.DELETED)
        entry = group[0]
        fault = Fault.INSERTED if len(group) > 1 or entry.seq < expected else _fault(entry, following, previous)
        if fault is None and seen.get(entry.seq, entry.hash) != entry.hash:
            fault = Fault.RESTORED
        if fault is not None:
            return Verdict(head.tenant_id, checked, entry.seq, fault)
        previous, checked = entry.hash, expected
    if checked < max(head.seq, *seen, 0):
        return Verdict(head.tenant_id, checked, checked + 1, Fault.TRUNCATED)
    if checked > head.seq:
        return Verdict(head.tenant_id, head.seq, head.seq + 1, Fault.INSERTED)
    if head.hash != previous:
        return Verdict(head.tenant_id, checked, checked, Fault.EDITED)
    return Verdict(head.tenant_id, checked)


def _with_next(groups: Iterable[tuple[int, Iterable[Entry]]]) -> Iterator[tuple[list[Entry], Entry | None]]:
    """The entries of each number, with the only entry of the next one (None when there is none or more than one)."""
    waiting: list[Entry] = []
    for _, members in groups:
        current = list(members)
        if waiting:
            yield waiting, current[0] if len(current) == 1 else None
        waiting = current
    if waiting:
        yield waiting, None


def _fault(entry: Entry, following: Entry | None, previous: bytes) -> Fault | None:
    number = _number(entry)
    if number is None:
        return Fault.EDITED
    after = _number(following) if following is not None else None
    if number < entry.seq:
        # Every earlier number is in its place already: this is one more.
        return Fault.INSERTED
    if number > entry.seq:
        # Removing an entry and renumbering the rest moves all of them by one; an exchange moves only two.
        return Fault.DELETED if number == entry.seq + 1 and after in (None, number + 1) else Fault.REORDERED
    if following is not None and after == number and following.prev == previous and following.hash != entry.hash:
        return Fault.INSERTED
    if entry.prev != previous:
        return Fault.EDITED
    rewritten = following is not None and after == number + 1 and following.prev != entry.hash
    return Fault.EDITED if rewritten else None


def _number(entry: Entry) -> int | None:
    """The number inside the signed text; None unless text, columns and hashes tell the same story."""
    digest = hashlib.sha256(entry.canon.encode()).digest()
    if digest != entry.digest or hashlib.sha256(entry.prev + digest).digest() != entry.hash:
        return None
    try:
        written = json.loads(entry.canon)
        if rfc8785.dumps(written).decode() != entry.canon:
            return None
    except (ValueError, rfc8785.CanonicalizationError):
        return None
    columns = {
        "accion": entry.action,
        "actor": entry.actor,
        "at": entry.occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "objetivo": entry.target,
        "tenant": entry.tenant_id,
    }
    same = isinstance(written, dict) and all(written.get(name) == value for name, value in columns.items())
    return written["seq"] if same and isinstance(written.get("seq"), int) else None
