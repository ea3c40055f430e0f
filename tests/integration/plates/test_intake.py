"""Readings are stored once, each with its own outcome, in their own municipality."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.kernel import clock
from app.kernel.errors import Forbidden
from app.kernel.ids import new_id
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.plates import service as plates
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS, World, actor


def _scalar(world: World, query: str, *values: object) -> object:
    with world.admin() as conn:
        row = conn.execute(query, values).fetchone()
    return row[0] if row else None


def test_accept_reads_stores_them_with_their_dictionary(world: World) -> None:
    camera = make_camera(world)

    batch = submit(node(), read(camera, "za 482-qk", raw="za 482-qk"), read(camera, "ABC123"))

    assert [outcome.status for outcome in batch.outcomes] == ["accepted", "accepted"]
    assert _scalar(world, "select string_agg(plate || ' ' || format, ',' order by plate) from app.plate_reads") == (
        "ABC123 AR_AUTO_1995,ZA482QK AR_AUTO_MERCOSUR"
    )
    assert _scalar(world, "select count(*) from app.plate_numbers") == 2
    assert _scalar(world, "select string_agg(g, ',' order by pos) from app.plate_grams where plate = 'ZA482QK'") == (
        "ZA,A4,48,82,2Q,QK"
    )


def test_accept_reads_twice_stores_them_once(world: World) -> None:
    camera = make_camera(world)
    reads = [read(camera), read(camera, "AB123CD")]
    submit(node(), *reads)

    again = submit(node(), *reads, reads[0])

    assert [outcome.status for outcome in again.outcomes] == ["duplicate"] * 3
    assert _scalar(world, "select count(*) from app.plate_reads") == 2


def test_accept_reads_with_an_id_used_for_another_plate_refuses_it(world: World) -> None:
    first = read(make_camera(world))
    submit(node(), first)

    again = submit(node(), first._replace(plate="AB123CD"))

    assert [(outcome.status, outcome.code) for outcome in again.outcomes] == [("rejected", "client_id_reused")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda one: one._replace(plate="A" * 200), "plate_invalid"),
        (lambda one: one._replace(plate="¿?"), "plate_invalid"),
        (lambda one: one._replace(camera_id=new_id()), "camera_not_found"),
        (lambda one: one._replace(seen_at=clock.now() + timedelta(minutes=3)), "seen_at_in_future"),
        (lambda one: one._replace(seen_at=clock.now() - timedelta(days=8)), "seen_at_too_old"),
    ],
)
def test_accept_reads_with_a_bad_one_rejects_it_and_stores_the_rest(
    world: World, change: Callable[[plates.Read], plates.Read], code: str
) -> None:
    camera = make_camera(world)

    batch = submit(node(), read(camera, "AB123CD"), change(read(camera)))

    assert [(outcome.status, outcome.code) for outcome in batch.outcomes] == [("accepted", ""), ("rejected", code)]
    assert _scalar(world, "select count(*) from app.plate_reads") == 1


def test_accept_reads_with_a_camera_of_another_municipality_rejects_it_as_unknown(world: World) -> None:
    ours, theirs = make_camera(world, OURS), make_camera(world, THEIRS)

    batch = submit(node(OURS), read(theirs), read(ours))

    assert [outcome.code for outcome in batch.outcomes] == ["camera_not_found", ""]
    assert _scalar(world, "select count(*) from app.plate_reads where tenant_id = %s", THEIRS) == 0


def test_accept_reads_by_an_operator_is_refused_and_by_the_administrator_accepted(world: World) -> None:
    one = read(make_camera(world))

    with pytest.raises(Forbidden):
        submit(actor(OURS, "operador-municipal"), one)

    assert submit(actor(OURS, "admin-municipal"), one).outcomes[0].status == "accepted"


def test_accept_reads_bumps_the_last_day_only_forwards(world: World) -> None:
    camera = make_camera(world)
    submit(node(), read(camera, age_s=60))
    newest = _scalar(world, "select last_day from app.plate_numbers")

    submit(node(), read(camera, age_s=3 * 86_400))

    assert _scalar(world, "select last_day from app.plate_numbers") == newest
    assert _scalar(world, "select count(*) from app.plate_grams") == 6


def test_accept_reads_at_once_from_several_nodes_never_deadlocks_nor_doubles(world: World) -> None:
    camera = make_camera(world)
    plates_seen = [f"A{chr(65 + n % 26)}{n:03d}ZZ" for n in range(120)]
    reads = [read(camera, plate, age_s=n) for n, plate in enumerate(plates_seen)]
    failures: list[BaseException] = []

    def send(order: int) -> None:
        try:
            for start in range(0, 120, 40):
                part = reads[start : start + 40]
                submit(node(), *(part if order % 2 else part[::-1]))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert _scalar(world, "select count(*) from app.plate_reads") == 120
    assert _scalar(world, "select count(*) from app.plate_numbers") == 120
    assert _scalar(world, "select count(*) from app.plate_grams") == 120 * 6


def test_a_listed_plate_makes_a_hit_in_its_own_municipality_only(world: World) -> None:
    ours, theirs = make_camera(world, OURS), make_camera(world, THEIRS)
    make_hotlist(THEIRS, "ZA482QK")

    unlisted = submit(node(OURS), read(ours, consensus="strong"))
    listed = submit(node(THEIRS), read(theirs, consensus="strong"))

    assert (unlisted.hits, unlisted.outcomes[0].is_hit) == ([], False)
    assert (len(listed.hits), listed.outcomes[0].is_hit) == (1, True)
    assert _scalar(world, "select string_agg(tenant_id::text, ',') from app.plate_hits") == str(THEIRS)


def test_an_old_listed_reading_is_counted_and_never_alarms(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482QK")

    batch = submit(node(), read(camera, age_s=301))

    assert (batch.hits, batch.outcomes[0].is_hit) == ([], True)
    assert _scalar(world, "select state from app.plate_hits") == "counted"
    assert _scalar(world, "select count(*) from app.alarms") == 0


@pytest.mark.parametrize(
    "entry",
    [
        {"plate": "ZA482QK", "revoked_at": True},
        {"plate": "ZA482QK", "expires_at": "2020-01-01"},
        {"plate": "ZA482QK", "valid_from": "2999-01-01"},
    ],
)
def test_an_entry_out_of_force_makes_no_hit(world: World, entry: dict[str, object]) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, entry)

    assert submit(node(), read(camera)).hits == []
    assert _scalar(world, "select count(*) from app.plate_hits") == 0


def test_a_provisional_hit_and_its_final_reading_are_one_alarm(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482QK")
    one = read(camera, consensus="strong", source="node")
    with unit_of_work(node()):
        provisional = plates.accept_provisional(node(), [one])
    plates.raise_hits(node(), provisional.hits)

    final = submit(node(), one._replace(seen_at=one.seen_at + timedelta(milliseconds=400)))

    assert len(provisional.hits) == 1
    assert final.hits == []
    assert _scalar(world, "select count(*) from app.alarms") == 1
    assert _scalar(world, "select is_final from app.plate_hits")


def test_raising_a_hit_twice_raises_one_alarm(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482QK")
    batch = submit(node(), read(camera))

    plates.raise_hits(node(), batch.hits)

    assert _scalar(world, "select count(*) from app.alarms") == 1
    assert _scalar(world, "select count from app.alarms") == 1


def test_a_hit_leaves_a_job_as_its_net(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482QK")
    with unit_of_work(node()):
        batch = plates.accept_reads(node(), [read(camera)])

    with world.admin() as conn:
        kinds = conn.execute(
            "select kind, args ->> 'hit_id' from app.outbox where kind = 'plates.raise_hit'"
        ).fetchall()

    assert kinds == [("plates.raise_hit", str(batch.hits[0]))]
