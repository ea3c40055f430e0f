"""The spool: nothing leaves without an answer, nothing is sent under two names, what is refused is set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workers.node.spool import BATCH, Blob, Origin, Spool

ORIGIN = Origin("55555555-5555-4555-8555-555555555555", 3, 1)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.sqlite")
    yield made
    made.close()


def event(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "event", "key": name, **more}


def numbers(spool: Spool) -> list[int]:
    batch = spool.next_batch()
    return [item["n"] for item in batch.items] if batch else []


def test_unanswered_batch_is_repeated_word_for_word(spool: Spool) -> None:
    spool.put(event("a"))
    first = spool.next_batch()
    spool.put(event("b"))

    again = spool.next_batch()

    assert first is not None
    assert again is not None
    assert again.message() == first.message()


def test_unanswered_batch_survives_a_restart(spool: Spool, tmp_path: Path) -> None:
    spool.put(event("a"))
    first = spool.next_batch()
    other = Spool(tmp_path / "spool.sqlite")

    again = other.next_batch()
    other.close()

    assert first == again


def test_accepted_items_leave_and_refused_ones_are_set_aside(spool: Spool) -> None:
    for name in "abc":
        spool.put(event(name))
    batch = spool.next_batch()
    assert batch is not None
    taken, refused, silent = [item["n"] for item in batch.items]

    spool.settle(batch, [taken], [{"n": refused, "code": "malformed", "title": "Mal"}])

    assert numbers(spool) == [silent]
    assert [tuple(row) for row in spool.execute("SELECT n, code, title FROM rejected")] == [
        (refused, "malformed", "Mal")
    ]


def test_item_that_is_never_mentioned_is_not_sent_for_ever(spool: Spool) -> None:
    spool.put(event("a"))
    for _ in range(5):
        batch = spool.next_batch()
        assert batch is not None
        spool.settle(batch, [], [])

    assert spool.next_batch() is None
    assert spool.execute("SELECT code FROM rejected")[0]["code"] == "unanswered"


def test_same_key_is_kept_once(spool: Spool) -> None:
    assert spool.put(event("a"), key="event:a")
    assert not spool.put(event("a"), key="event:a")

    assert spool.waiting() == 1


def test_batch_has_one_origin_and_the_order_of_arrival(spool: Spool) -> None:
    spool.put(event("mine"))
    spool.put(event("first"), origin=ORIGIN)
    spool.put(event("also mine"))
    spool.put(event("other run"), origin=Origin(ORIGIN.session_id, 3, 2))

    seen = []
    while batch := spool.next_batch():
        seen.append((batch.message()["session"], [item["key"] for item in batch.items]))
        spool.settle(batch, [item["n"] for item in batch.items], [])

    assert seen == [
        (None, ["mine", "also mine"]),
        ({"session_id": ORIGIN.session_id, "epoch": 3, "run": 1}, ["first"]),
        ({"session_id": ORIGIN.session_id, "epoch": 3, "run": 2}, ["other run"]),
    ]


def test_batch_is_at_most_five_hundred(spool: Spool) -> None:
    with spool._transaction() as db:
        db.executemany(
            "INSERT INTO items (type, body, bytes, created_us) VALUES ('event', '{}', 2, 0)", [()] * (BATCH + 1)
        )

    assert len(numbers(spool)) == BATCH


def test_bad_batch_is_taken_apart_to_find_its_bad_row(spool: Spool) -> None:
    for name in "ab":
        spool.put(event(name))
    batch = spool.next_batch()
    assert batch is not None

    spool.isolate(batch)
    alone = spool.next_batch()

    assert alone is not None
    assert [item["key"] for item in alone.items] == ["a"]
    spool.refuse(alone, "malformed")
    assert [row["code"] for row in spool.execute("SELECT code FROM rejected")] == ["malformed"]
    following = spool.next_batch()
    assert following is not None
    assert [item["key"] for item in following.items] == ["b"]


def test_stale_epoch_marks_the_session_and_keeps_the_rows_aside(spool: Spool) -> None:
    spool.execute(
        "INSERT INTO sessions (session_id, state, config_version, epoch, updated_us) VALUES (?, 'running', 1, 3, 0)",
        (ORIGIN.session_id,),
    )
    spool.put(event("late"), origin=ORIGIN)
    batch = spool.next_batch()
    assert batch is not None

    spool.refuse(batch, "stale_epoch")

    assert spool.execute("SELECT stale FROM sessions")[0]["stale"] == 1
    assert json.loads(spool.execute("SELECT body FROM rejected")[0]["body"])["key"] == "late"


def test_picture_is_kept_while_an_item_needs_it_and_sent_once(spool: Spool, tmp_path: Path) -> None:
    picture = tmp_path / "crop.jpg"
    picture.write_bytes(b"jpeg")
    blob = Blob("a" * 64, picture)
    spool.put(event("a", crop_sha=blob.sha256), blobs=[blob])
    spool.put(event("b", crop_sha=blob.sha256), origin=ORIGIN, blobs=[blob])

    first = spool.next_batch()
    assert first is not None
    assert spool.pending_blobs(first) == [blob]
    spool.blob_sent(blob.sha256)
    spool.settle(first, [item["n"] for item in first.items], [])
    assert picture.exists()

    second = spool.next_batch()
    assert second is not None
    assert spool.pending_blobs(second) == []
    spool.settle(second, [item["n"] for item in second.items], [])
    assert not picture.exists()


def test_item_whose_picture_vanished_goes_without_it(spool: Spool, tmp_path: Path) -> None:
    spool.put(event("a", crop_sha="a" * 64, kind="dwell"), blobs=[Blob("a" * 64, tmp_path / "gone.jpg")])

    spool.blob_lost("a" * 64)

    batch = spool.next_batch()
    assert batch is not None
    assert batch.items[0]["crop_sha"] is None
    assert batch.items[0]["kind"] == "dwell"


def test_full_spool_gives_up_stills_then_reads_and_never_alarms(spool: Spool) -> None:
    for number in range(5):
        spool.put({"type": "snapshot", "sha256": None, "pad": "x" * 1000})
        spool.put({"type": "plate_read", "plate": f"AA{number}", "pad": "x" * 1000})
        spool.put(event(f"alarm {number}", pad="x" * 1000))
        spool.put({"type": "gap", "gap_id": str(number)})

    assert spool.trim(limit=11_000) == 5
    assert spool.trim(limit=100) == 5

    assert {row["type"]: row["n"] for row in spool.execute("SELECT type, count(*) AS n FROM items GROUP BY type")} == {
        "event": 5, "gap": 5,
    }  # fmt: skip
