"""Approximate matching: uncertain readings against small lists that ask for it, in memory, in the `alarms` worker.

Variants are made of the *reading* (its doubtful characters), never of the list: each list entry tried would be one more
chance of stopping the wrong car.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.kernel import actor as acting
from app.kernel import jobs
from app.monitoring.plates import hits, intake, plate_text, queries
from app.monitoring.plates.types import Read

FLOOR = 0.2
# A character read with more certainty than this leaves every one-character variant below the floor.
DOUBT = 1 - FLOOR


@dataclass(frozen=True, slots=True)
class NearIndex:
    """The tolerant entries of one municipality as of `version`."""

    version: str
    entries: dict[str, tuple[UUID, ...]]


_indexes: dict[int, NearIndex] = {}


def look_later(reads: Sequence[Read]) -> None:
    """Ask the worker to compare the uncertain ones of these stored readings, when any list is tolerant."""
    doubtful = [read for read in reads if _least_certain(read) < DOUBT]
    if doubtful and queries.tolerant_version():
        keys = ",".join(f"{read.id}@{read.seen_at.isoformat()}" for read in doubtful)
        jobs.after_commit("plates.match_near", reads=keys)


def match_near(keys: str) -> list[UUID]:
    """Record the possible hits of the readings in `keys`, as `look_later` wrote them. Returns the pending ones."""
    index = _current()
    if index is None:
        return []
    reads = queries.reads_by_key([_parse(part) for part in keys.split(",")])
    found = [
        ((read.id, read.seen_at), entry_id)
        for read in reads
        for variant, _ in plate_text.variants(read.plate, characters(read), FLOOR)
        for entry_id in index.entries.get(variant, ())
    ]
    return hits.record(found, {(read.id, read.seen_at): read for read in reads}, is_final=True, match="possible")


def characters(read: Read) -> Sequence[tuple[str, float]]:
    """Each character with its probability; a reading with one score lends it to all of them."""
    return read.char_conf or [(char, read.confidence) for char in read.plate]


def _least_certain(read: Read) -> float:
    return min(p for _, p in read.char_conf) if read.char_conf else read.confidence


def _parse(part: str) -> intake.Key:
    read_id, _, seen_at = part.partition("@")
    return UUID(read_id), datetime.fromisoformat(seen_at)


def _current() -> NearIndex | None:
    """The index of this municipality, rebuilt when any tolerant list changed since."""
    tenant_id = acting.current().tenant_id
    version = queries.tolerant_version()
    if tenant_id is None or not version:
        return None
    known = _indexes.get(tenant_id)
    if known is None or known.version != version:
        known = _indexes[tenant_id] = NearIndex(version, queries.tolerant_entries())
    return known
