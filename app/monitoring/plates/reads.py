"""Accepts readings: refuses one by one what cannot be stored, stores the rest at once, and notes which met a listed plate."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden
from app.kernel.permissions import Permission
from app.monitoring.cameras import service as cameras
from app.monitoring.plates import hits, intake, near, plate_text, search
from app.monitoring.plates.intake import Key
from app.monitoring.plates.types import (
    API_OLDEST,
    FUTURE,
    MAX_PLATE,
    MAX_RAW,
    Read,
    ReadBatch,
    ReadOutcome,
)


def accept_reads(actor: Actor, reads: Sequence[Read]) -> ReadBatch:
    """Store final readings; the open unit commits them. Each gets its own outcome and none fails the others.

    Readings at most five minutes old whose plate is listed become pending hits: hand `hits` to `raise_hits` after the commit.
    """
    _require_submitter(actor)
    batch = _screen(actor, reads)
    if not batch.kept:
        return ReadBatch(batch.finished())
    stored = intake.store(list(batch.kept.values()))
    pending = hits.record(stored.listed, batch.kept, is_final=True)
    batch.tell(stored)
    if stored.has_new_plates:
        search.count_grams_tonight()
    near.look_later([read for key, read in batch.kept.items() if key in stored.new])
    return ReadBatch(batch.finished(), pending)


def accept_provisional(actor: Actor, reads: Sequence[Read]) -> ReadBatch:
    """Match readings of passes still open, which are not stored: a hit may alarm at once and its final reading joins it."""
    _require_submitter(actor)
    batch = _screen(actor, reads)
    if not batch.kept:
        return ReadBatch(batch.finished())
    listed = intake.match(list(batch.kept.values()))
    pending = hits.record(listed, batch.kept, is_final=False)
    batch.tell(intake.Stored(set(batch.kept), listed))
    return ReadBatch(batch.finished(), pending)


def _require_submitter(actor: Actor) -> None:
    if not (actor.can(Permission.PLATE_READ_SUBMIT) or actor.can(Permission.NODE_REPORT)):
        raise Forbidden(code_permission=Permission.PLATE_READ_SUBMIT.value)


# The same vehicles pass every day, and telling a format costs more than storing a reading.
_classify = lru_cache(maxsize=50_000)(plate_text.classify)


class _Screened:
    """A batch being accepted: the outcome of each reading and, by key, the ones worth storing."""

    def __init__(self, size: int) -> None:
        self._outcomes: list[ReadOutcome | None] = [None] * size
        self._places: list[tuple[int, Read]] = []
        self.kept: dict[Key, Read] = {}

    def refuse(self, index: int, read: Read, code: str, title: str) -> None:
        self._outcomes[index] = ReadOutcome(read.id, "rejected", code, title)

    def keep(self, index: int, read: Read) -> None:
        self._places.append((index, read))
        self.kept.setdefault((read.id, read.seen_at), read)

    def tell(self, stored: intake.Stored) -> None:
        """Fill in what the database did. The first reading of a key is the one stored; others repeat it or misuse its id."""
        listed = {key for key, _ in stored.listed}
        if len(stored.new) == len(self._places):
            for index, read in self._places:
                self._outcomes[index] = ReadOutcome(read.id, "accepted", is_hit=(read.id, read.seen_at) in listed)
            return
        old = [read for key, read in self.kept.items() if key not in stored.new]
        facts = {key: (read.plate, read.camera_id) for key, read in self.kept.items()}
        facts |= intake.stored_facts(old) if old else {}
        for index, read in self._places:
            key = (read.id, read.seen_at)
            if key in stored.new and self.kept[key] is read:
                self._outcomes[index] = ReadOutcome(read.id, "accepted", is_hit=key in listed)
            elif facts[key] == (read.plate, read.camera_id):
                self._outcomes[index] = ReadOutcome(read.id, "duplicate")
            else:
                self.refuse(index, read, "client_id_reused", "Ese identificador ya se usó para otra lectura.")

    def finished(self) -> list[ReadOutcome]:
        return [outcome for outcome in self._outcomes if outcome is not None]


def _screen(actor: Actor, reads: Sequence[Read]) -> _Screened:
    known = cameras.names_by_id(actor, {read.camera_id for read in reads})
    now = clock.now()
    batch = _Screened(len(reads))
    for index, read in enumerate(reads):
        normal = plate_text.normalise(read.plate) if len(read.plate) <= MAX_RAW else ""
        refusal = _refusal(read, normal, known, now)
        if refusal:
            batch.refuse(index, read, *refusal)
        else:
            batch.keep(index, _classified(read, normal))
    return batch


def _refusal(read: Read, normal: str, known: Collection[UUID], now: datetime) -> tuple[str, str] | None:
    if read.camera_id not in known:
        return "camera_not_found", "La cámara no existe en este municipio."
    if not 2 <= len(normal) <= MAX_PLATE:
        return "plate_invalid", f"La patente debe tener entre 2 y {MAX_PLATE} letras o números."
    if read.seen_at > now + FUTURE:
        return "seen_at_in_future", "El instante de la lectura está en el futuro."
    if read.source == "api" and read.seen_at < now - API_OLDEST:
        return "seen_at_too_old", "Se aceptan lecturas de hasta 7 días."
    return None


def _classified(read: Read, normal: str) -> Read:
    raw = read.raw or read.plate
    kind = None if read.format else _classify(normal)
    return Read(
        read.id,
        read.camera_id,
        read.seen_at,
        normal,
        read.confidence,
        read.consensus,
        read.source,
        "" if raw == normal else raw,
        kind.format if kind else read.format,
        kind.country if kind else read.country,
        read.char_conf,
        read.crop_sha,
        read.image_sha,
        read.direction,
    )
