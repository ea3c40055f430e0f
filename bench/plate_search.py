"""Plate search over ten million readings of 30 days in one municipality: p95 at the client of the database, planning included.

`PIPC_BENCH_READS` makes it smaller. The baseline is the same statements, with the same parameters, run without row security.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event

from app.kernel import unit_of_work
from app.kernel.actor import Actor
from app.kernel.db import Databases
from app.kernel.permissions import permissions_of
from app.monitoring.plates import search, service
from bench._database import CAMERA, TENANT, database, database_urls, percentile, report

READS = int(os.environ.get("PIPC_BENCH_READS", "10000000"))
PLATES = max(READS // 13, 1_000)
QUERIES, PAGE, CHUNK = 120, 50, 500_000

# Four letters and three digits from the row's number, spread so that neighbours in time are not neighbours in the alphabet.
_PLATE = """'A' || chr(65 + mod(k, 8)::int) || lpad(mod(k / 8, 1000)::text, 3, '0') || chr(65 + mod(k / 8000, 26)::int)
  || chr(65 + mod(k / 208000, 26)::int)"""
# In the order of time, as cameras bring them.
_LOAD = f"""
insert into app.plate_reads (tenant_id, seen_at, id, camera_id, plate, format, country, confidence, consensus, source, received_at)
select %(tenant)s, now() - interval '30 days' * (1 - n::float8 / %(reads)s), gen_random_uuid(), %(camera)s, {_PLATE},
  'AR_AUTO_MERCOSUR', 'AR', 0.95, 'strong', 'node', now()
from (select n, (random() * (%(plates)s - 1))::bigint as k from generate_series(%(start)s + 1, %(end)s) n offset 0)"""
_NUMBERS = """
insert into app.plate_numbers (tenant_id, plate, last_day) select tenant_id, plate, max(seen_at)::date from app.plate_reads group by 1, 2"""
_GRAMS = """
insert into app.plate_grams (tenant_id, g, pos, plate)
  select tenant_id, substr(plate, k, 2), k, plate from app.plate_numbers cross join generate_series(1, 6) k order by 1, 2, 3, 4"""
_COUNTS = """
insert into app.plate_gram_counts (tenant_id, g, n) select tenant_id, g, count(*) from app.plate_grams group by 1, 2"""
_INDEXES = """
select indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON '), conname, pg_get_constraintdef(c.oid)
from pg_index left join pg_constraint c on c.conindid = indexrelid and c.contype = 'p'
where indrelid = 'app.plate_reads'::regclass"""

# Of a plate `AB123CD`: the pattern of each kind and the figure to reach, in milliseconds.
KINDS = {
    "exact": (lambda plate: plate, 1.5),
    "prefix": (lambda plate: f"{plate[:4]}*", 3.0),
    "four_known": (lambda plate: f"*{plate[2:6]}*", 5.0),
    "three_known": (lambda plate: f"?{plate[1:4]}*", 25.0),
}


class _Silent:
    def publish(self, channel: str, message: bytes) -> None:
        """Nobody listens to a benchmark."""


def _prepare(url: str) -> list[str]:
    """Fill the tables without their foreign keys, and index the readings once they are all there; returns some plates to look for."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute("set maintenance_work_mem = '512MB'")
        admin.execute("set work_mem = '512MB'")
        with _indexed_afterwards(admin):
            for start in range(0, READS, CHUNK):
                end = min(start + CHUNK, READS)
                admin.execute(
                    _LOAD,
                    {"tenant": TENANT, "camera": CAMERA, "plates": PLATES, "reads": READS, "start": start, "end": end},
                )
                _say(f"{end:,} readings")
        for statement in (_NUMBERS, _GRAMS, _COUNTS):
            admin.execute(statement)
        _say("dictionary")
        admin.execute("vacuum (analyze) app.plate_reads, app.plate_numbers, app.plate_grams, app.plate_gram_counts")
        found = admin.execute("select plate from app.plate_numbers order by random() limit %s", (QUERIES,)).fetchall()
    return [plate for (plate,) in found]


@contextmanager
def _indexed_afterwards(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """The table of readings without any index inside the block and with the same ones after it: ten million rows load in minutes."""
    indexes = admin.execute(_INDEXES).fetchall()
    for name, _, constraint, _ in indexes:
        admin.execute(
            f"alter table app.plate_reads drop constraint {constraint}" if constraint else f"drop index {name}"
        )
    yield
    for name, index, constraint, primary_key in indexes:
        admin.execute(f"alter table app.plate_reads add constraint {constraint} {primary_key}" if constraint else index)
        _say(name)


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


@contextmanager
def _recorded(engines: Databases) -> Iterator[list[tuple[str, Any, float]]]:
    """Every statement sent inside the block, with its parameters and how long the client waited for it."""
    sent: list[tuple[str, Any, float]] = []
    started = [0.0]

    def before(*_: object) -> None:
        started[0] = time.perf_counter()

    def after(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        sent.append((statement, parameters, time.perf_counter() - started[0]))

    engine = engines.engine("rw")
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    yield sent
    event.remove(engine, "before_cursor_execute", before)
    event.remove(engine, "after_cursor_execute", after)


def _measure(
    engines: Databases, admin: psycopg.Connection[Any], patterns: list[str]
) -> tuple[list[float], list[float]]:
    """Milliseconds of each search under row security, and of the same statements without it."""
    actor = Actor(
        kind="municipal",
        tenant_id=TENANT,
        user_id="banco",
        permissions=permissions_of(("supervisor",), kind="municipal"),
    )
    ours, bare = [], []
    for pattern in patterns:
        query = service.make_query(pattern, None, None, None)
        with unit_of_work.unit_of_work(actor, read_only=True), _recorded(engines) as sent:
            search.find(query, None, PAGE)
        asked = [one for one in sent if "set_config" not in one[0] and "read only" not in one[0]]
        ours.append(1e3 * sum(spent for _, _, spent in asked))
        started = time.perf_counter()
        for statement, parameters, _ in asked:
            admin.execute(statement, parameters).fetchall()
        bare.append(1e3 * (time.perf_counter() - started))
    return ours, bare


def main() -> None:
    with database() as urls:
        plates = _prepare(urls["admin"])
        engines = Databases(database_urls(urls), default_role="rw")
        unit_of_work.configure(engines, _Silent())
        try:
            with psycopg.connect(urls["admin"], autocommit=True, prepare_threshold=None) as admin:
                for pattern, _ in KINDS.values():
                    _measure(engines, admin, [pattern(plate) for plate in plates])
                for kind, (pattern, target) in KINDS.items():
                    ours, bare = _measure(engines, admin, [pattern(plate) for plate in plates])
                    value = percentile(ours, 0.95)
                    report(
                        f"plate_search_{kind}",
                        value,
                        "ms p95",
                        baseline=percentile(bare, 0.95),
                        target=target,
                        ok=value <= target,
                    )
        finally:
            engines.dispose()


if __name__ == "__main__":
    main()
