"""Finds readings by pattern, interval and camera, choosing the index that answers each kind of pattern fast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, ColumnElement, any_, cast, delete, exists, func, insert, literal, select, tuple_

from app.kernel import clock, jobs
from app.kernel.actor import current
from app.kernel.db import session
from app.kernel.errors import Invalid
from app.kernel.pagination import decode_cursor, encode_cursor
from app.monitoring.plates.models import PLATE, PlateGram, PlateGramCount, PlateHit, PlateNumber, PlateRead
from app.monitoring.plates.pattern import Gram, Pattern, parse
from app.monitoring.plates.types import SearchQuery

# A wildcard first becomes a list of plates; beyond this many the search asks for more characters.
MAX_NUMBERS = 500
ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
NIGHT = timedelta(hours=3, minutes=40)
COUNTS_AGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of readings, the cursor after it, and whether the wildcard matched more plates than were looked at."""

    rows: list[tuple[PlateRead, bool]]
    cursor: str | None
    is_broad: bool = False


def find(query: SearchQuery, cursor: str | None, limit: int) -> Found:
    """The newest readings of `query` after `cursor`, each with whether its plate met a list."""
    pattern = parse(query.plate)
    wanted, is_broad = _inside(query), False
    if pattern.kind == "exact":
        wanted.append(PlateRead.plate == pattern.text)
    elif pattern.kind == "prefix":
        wanted += _beginning(pattern.prefix)
    elif pattern.kind == "wildcard":
        numbers = _numbers(pattern, query.seen_from)
        is_broad = len(numbers) > MAX_NUMBERS
        wanted.append(PlateRead.plate == any_(cast(literal(numbers[:MAX_NUMBERS]), ARRAY(PLATE))))
    after = _decoded(cursor) if cursor else None
    if after:
        # An index serves this one; the pair below settles readings of the same instant.
        wanted.append(PlateRead.seen_at <= after[0])
    if pattern.kind in ("prefix", "wildcard"):
        wanted.append(PlateRead.seen_at >= _oldest(query, wanted, after, limit + 1))
    page = select(PlateRead, _met().label("is_hit")).where(*wanted)
    if after:
        page = page.where(tuple_(PlateRead.seen_at, PlateRead.id) < after)
    page = page.order_by(PlateRead.seen_at.desc(), PlateRead.id.desc()).limit(limit + 1)
    rows: list[tuple[PlateRead, bool]] = [(read, is_hit) for read, is_hit in session().execute(page)]
    last = rows[limit - 1][0] if len(rows) > limit else None
    return Found(rows[:limit], encode_cursor(last.seen_at.isoformat(), last.id) if last else None, is_broad)


def _inside(query: SearchQuery) -> list[ColumnElement[bool]]:
    """The interval and the camera."""
    wanted = [PlateRead.seen_at >= query.seen_from, PlateRead.seen_at <= query.seen_until]
    return wanted if query.camera_id is None else [*wanted, PlateRead.camera_id == query.camera_id]


def _beginning(prefix: str) -> list[ColumnElement[bool]]:
    """Plates that begin so, as an interval of the index: asking each of thousands with `^@` takes twice as long."""
    return [PlateRead.plate >= prefix, PlateRead.plate < prefix[:-1] + chr(ord(prefix[-1]) + 1)]


def _met() -> ColumnElement[bool]:
    return exists().where(
        PlateHit.tenant_id == PlateRead.tenant_id,
        PlateHit.read_id == PlateRead.id,
        PlateHit.seen_at == PlateRead.seen_at,
    )


def _oldest(
    query: SearchQuery, wanted: list[ColumnElement[bool]], after: tuple[datetime, UUID] | None, count: int
) -> datetime:
    """An instant since which there are `count` readings, so that few rows more than a page are fetched and sorted.

    Many plates match and few readings are asked for: the index alone says when each was seen, thirty times cheaper than
    fetching them. The last day is looked at first, since it usually has enough.
    """
    newest = select(PlateRead.seen_at).where(*wanted).order_by(PlateRead.seen_at.desc()).limit(count)
    if after:
        newest = newest.where(PlateRead.seen_at < after[0])
    day_before = (after[0] if after else query.seen_until) - timedelta(days=1)
    for one in (newest.where(PlateRead.seen_at >= day_before), newest):
        instants = session().scalars(one).all()
        if len(instants) == count:
            return instants[-1]
    return query.seen_from


def _decoded(cursor: str) -> tuple[datetime, UUID]:
    seen_at, read_id = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(seen_at), UUID(read_id)
    except ValueError:
        raise Invalid(errors={"cursor": ["El cursor no es válido: volver a pedir la primera página."]}) from None


def _numbers(pattern: Pattern, seen_from: datetime) -> list[str]:
    """The seen plates that match, at most one more than the limit."""
    day = seen_from.date()
    gram = _rarest(pattern.grams)
    if gram is None:
        alone = select(PlateNumber.plate).where(PlateNumber.plate.like(pattern.like), PlateNumber.last_day >= day)
        if pattern.prefix:
            alone = alone.where(PlateNumber.plate.op("^@")(pattern.prefix))
        return list(session().scalars(alone.order_by(PlateNumber.plate).limit(MAX_NUMBERS + 1)))
    paired = select(PlateGram.plate).where(PlateGram.g == gram.text, PlateGram.plate.like(pattern.like))
    if gram.pos is not None:
        paired = paired.where(PlateGram.pos == gram.pos)
    return list(session().scalars(paired.distinct().order_by(PlateGram.plate).limit(MAX_NUMBERS + 1)))


def _rarest(grams: list[Gram]) -> Gram | None:
    """The pair that fewest plates have; a position narrows as much as a rarer pair would."""
    if len(grams) < 2:
        return grams[0] if grams else None
    counts = _gram_counts()
    return min(grams, key=lambda gram: (counts.get(gram.text, 0) // (1 if gram.pos is None else 6), gram.pos is None))


# They change once a night, and asking for them would cost as much as the search itself.
_known_counts: dict[int | None, tuple[datetime, dict[str, int]]] = {}


def _gram_counts() -> dict[str, int]:
    """How common each pair is in this municipality, at most `COUNTS_AGE` old."""
    tenant_id, now = current().tenant_id, clock.now()
    read_at, counts = _known_counts.get(tenant_id, (datetime.min.replace(tzinfo=ZONE), {}))
    if now - read_at > COUNTS_AGE:
        counts = dict(session().execute(select(PlateGramCount.g, PlateGramCount.n)).all())
        _known_counts[tenant_id] = (now, counts)
    return counts


def count_grams_tonight() -> None:
    """Ask for the pairs to be counted again in the next small hours; asked once however many batches bring new plates."""
    midnight = datetime.combine(clock.now().astimezone(ZONE).date() + timedelta(days=1), time.min, ZONE)
    jobs.after_commit("plates.count_grams", dedupe="nightly", run_at=midnight + NIGHT)


def count_grams() -> int:
    """Count again how common each pair is in this municipality. Returns how many pairs there are."""
    session().execute(delete(PlateGramCount))
    counted = select(PlateGram.tenant_id, PlateGram.g, func.count()).group_by(PlateGram.tenant_id, PlateGram.g)
    pairs = insert(PlateGramCount).from_select(["tenant_id", "g", "n"], counted).returning(PlateGramCount.g)
    return len(session().scalars(pairs).all())
