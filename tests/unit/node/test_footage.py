"""Hours, chain, holds, and the one predicate by which footage may be deleted."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.fake_province import contract
from workers.node.clocks import ClockInDoubtError, trusted_now
from workers.node.footage import GENESIS, Footage, chain
from workers.node.retention import Retention, RetentionReport, StorageThresholds, retain
from workers.node.settings import NodeSettings
from workers.node.spool import Spool
from workers.recorder.clock import SECOND, Clock, from_iso, hour_of, iso
from workers.recorder.index import INSERT_SEGMENT, Segment, open_index, pack_index, segment_values

CAMERA = "22222222-2222-4222-8222-222222222222"
NOW = from_iso("2026-03-10T12:30:00+00:00")
DAY = 86_400 * SECOND


class Still(Clock):
    def __init__(self, wall: int = NOW, mono: int = 10**12) -> None:
        self.wall, self.mono = wall, mono

    def wall_us(self) -> int:
        return self.wall

    def mono_us(self) -> int:
        return self.mono


class Node:
    """An index with files of given ages, without any video."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.volume = folder, folder / "volume"
        self.volume.mkdir(parents=True)
        (self.volume / "volume.json").write_text("{}")
        self.clock = Still()
        self.db = open_index(folder / "index.sqlite")
        self.db.execute("INSERT INTO volumes VALUES ('v', ?, 'ok', NULL, 1)", (str(self.volume),))
        self.spool = Spool(folder / "spool.sqlite")
        self.footage = Footage(folder / "index.sqlite", self.spool, self.clock)
        self._made = 0

    def segment(self, start_us: int, *, size: int = 1000, camera: str = CAMERA) -> str:
        self._made += 1
        name = f"s{self._made:04d}"
        (self.volume / f"{name}.mp4").write_bytes(bytes(size))
        sha = hashlib.sha256(name.encode()).hexdigest()
        self.db.execute(INSERT_SEGMENT, segment_values(Segment(
            id=name, camera=camera, volume_id="v", relpath=f"{name}.mp4", run_id="r", seq=self._made, start_us=start_us,
            end_us=start_us + 60 * SECOND, duration_ms=60_000, fragment_index=pack_index([]), bytes=size,
            usable_bytes=size, sha256=sha, digest=sha, codec="h264", width=1, height=1, timescale=1, clock_state="ok",
            note=None, hour_us=hour_of(start_us),
        )))  # fmt: skip
        return name

    def retain(
        self, *, quota: int = 0, early: bool = True, waived: bool = True, holds: list[dict[str, Any]] | None = None
    ) -> RetentionReport:
        report = Retention(
            self.folder, quota_bytes=quota, early=early, minimum_days=0, segment_s=60, waived=waived, clock=self.clock,
            holds=holds,
        ).run()  # fmt: skip
        assert report is not None
        return report

    def states(self) -> dict[str, str]:
        return {row["id"]: row["state"] for row in self.db.execute("SELECT id, state FROM segments ORDER BY id")}

    def files(self) -> set[str]:
        return {path.stem for path in self.volume.glob("*.mp4")}

    def check(self) -> None:
        """Files and rows agree, and every absent file lies inside a finished tombstone."""
        assert self.files() == {name for name, state in self.states().items() if state != "deleted"}
        gone = self.db.execute("SELECT camera, start_us, end_us FROM segments WHERE state='deleted'").fetchall()
        for row in gone:
            assert self.db.execute(
                "SELECT 1 FROM purge_ranges WHERE camera=? AND from_us<=? AND to_us>=? AND state='done'", tuple(row)
            ).fetchone()

    def items(self) -> list[dict[str, Any]]:
        batch = self.spool.next_batch()
        return list(batch.items) if batch else []

    def close(self) -> None:
        self.footage.close()
        self.db.close()
        self.spool.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.close()


def hold(camera: str, from_us: int, to_us: int, **more: Any) -> dict[str, Any]:
    return {"id": f"h{from_us}", "camera_id": camera, "from": iso(from_us), "to": iso(to_us), **more}


def test_hour_is_closed_once_three_minutes_after_it_ended_and_chained(node: Node) -> None:
    first, second = NOW - 2 * 3600 * SECOND, NOW - 3600 * SECOND
    for start in (first, first + 60 * SECOND, second):
        node.segment(start)
    digests = [row["digest"] for row in node.db.execute("SELECT digest FROM segments ORDER BY start_us")]

    assert node.footage.close_hours(30) == 4
    assert node.footage.close_hours(30) == 0

    items = node.items()
    assert [item["segments"] for item in items] == [2, 1]
    assert [item["prev_sha"] for item in items] == [GENESIS, items[0]["chain_sha"]]
    assert items[0]["chain_sha"] == chain(GENESIS, digests[:2])
    assert items[1]["chain_sha"] == chain(items[0]["chain_sha"], digests[2:])
    assert items[0]["hour"] == "2026-03-10T10:00:00.000000+00:00"


def test_hour_that_just_ended_waits_for_its_last_segment(node: Node) -> None:
    node.clock.wall = from_iso("2026-03-10T13:02:59+00:00")
    node.segment(from_iso("2026-03-10T12:59:30+00:00"))
    assert node.footage.close_hours(30) == 0

    node.clock.wall += SECOND

    assert node.footage.close_hours(30) == 2


def test_file_recovered_later_goes_into_a_further_part(node: Node) -> None:
    start = NOW - 3 * 3600 * SECOND
    node.segment(start)
    node.footage.close_hours(30)
    node.segment(start + 120 * SECOND)
    node.footage.close_hours(30)

    assert [(item["part"], item["segments"]) for item in node.items()] == [(0, 1), (1, 1)]


def test_gap_is_told_when_it_opens_and_when_it_closes(node: Node) -> None:
    insert = "INSERT INTO gaps (id, camera, from_us, to_us, cause, code) VALUES ('g', ?, 0, NULL, 'red', 'network')"
    node.db.execute(insert, (CAMERA,))
    node.footage.ship_gaps()
    node.footage.ship_gaps()
    node.db.execute("UPDATE gaps SET to_us=?, version=version+1", (5 * SECOND,))
    node.footage.ship_gaps()

    assert [(item["gap_id"], item["to_at"]) for item in node.items()] == [("g", None), ("g", iso(5 * SECOND))]


def test_expired_footage_goes_with_its_tombstone_and_the_rest_stays(node: Node) -> None:
    old = [node.segment(NOW - 40 * DAY + number * 60 * SECOND) for number in range(3)]
    young = [node.segment(NOW - 5 * DAY)]
    node.footage.close_hours(30)

    report = node.retain()

    assert (report.expired, report.bytes) == (3, 3000)
    assert node.files() == set(young)
    assert [node.states()[name] for name in old] == ["deleted"] * 3
    row = node.db.execute("SELECT cause, segments FROM purge_ranges").fetchone()
    assert tuple(row) == ("vencimiento", 3)
    node.check()


def tombstones(node: Node) -> list[tuple[int, int, int]]:
    rows = node.db.execute("SELECT from_us, to_us, segments FROM purge_ranges ORDER BY from_us").fetchall()
    return [tuple(row) for row in rows]


def test_tombstone_spans_neither_what_stays_nor_what_was_never_recorded(node: Node) -> None:
    begin, minute = NOW - 20 * 3600 * SECOND, 60 * SECOND
    for number in (0, 1, 2, 3, 10, 11):  # from 4 to 9 nothing was recorded
        node.segment(begin + number * minute)
    node.footage.keep_holds([hold(CAMERA, begin + minute, begin + minute + SECOND)])

    assert node.retain(quota=1).pressed == 5

    assert tombstones(node) == [
        (begin, begin + minute, 1), (begin + 2 * minute, begin + 4 * minute, 2), (begin + 10 * minute, begin + 12 * minute, 2),
    ]  # fmt: skip
    node.check()


def test_tombstone_is_told_once_and_in_order(node: Node) -> None:
    for number in range(4):
        node.segment(NOW - (20 - number) * 3600 * SECOND)
    node.retain(quota=3000)
    assert node.footage.ship_purges() == 2
    assert node.footage.ship_purges() == 0
    node.retain(quota=1)
    node.footage.ship_purges()

    items = node.items()

    assert [item["from_at"] for item in items] == [iso(NOW - hours * 3600 * SECOND) for hours in (20, 19, 18, 17)]
    assert {item["type"] for item in items} == {"purge"}
    assert {item["cause"] for item in items} == {"presion"}
    assert contract("batch").is_valid({"schema": 1, "batch_id": str(UUID(int=1)), "session": None, "items": items})


def test_tombstone_whose_files_are_still_there_is_not_told_yet(node: Node) -> None:
    node.db.execute(
        "INSERT INTO purge_ranges VALUES (?, ?, 0, 9, 1, 10, 'vencimiento', 'deleting', 0, NULL)",
        (str(UUID(int=5)), CAMERA),
    )

    assert node.footage.ship_purges() == 0
    node.retain()
    assert node.footage.ship_purges() == 1


def test_footage_of_an_hour_that_is_not_closed_is_never_expired(node: Node) -> None:
    node.segment(NOW - 400 * DAY)

    assert node.retain().expired == 0


def test_quota_takes_the_oldest_unheld_and_no_more_than_needed(node: Node) -> None:
    names = [node.segment(NOW - (20 - number) * 3600 * SECOND) for number in range(10)]
    node.footage.keep_holds([hold(CAMERA, NOW - 20 * 3600 * SECOND, NOW - 20 * 3600 * SECOND + SECOND)])

    report = node.retain(quota=7500)

    assert node.files() == {names[0], *names[4:]}
    assert report.pressed == 3
    node.check()


def test_quota_without_permission_to_delete_early_deletes_nothing_and_says_so(node: Node) -> None:
    for number in range(5):
        node.segment(NOW - (20 - number) * 3600 * SECOND)

    report = node.retain(quota=2000, early=False)

    assert (report.pressed, report.only_held) == (0, True)
    assert len(node.files()) == 5
    assert node.footage.only_held()


def test_when_only_held_footage_is_left_nothing_goes_and_recording_must_stop(node: Node) -> None:
    for number in range(5):
        node.segment(NOW - (20 - number) * 3600 * SECOND)
    node.footage.keep_holds([hold(CAMERA, NOW - DAY, NOW)])

    report = node.retain(quota=2000)

    assert report.only_held
    assert len(node.files()) == 5
    node.footage.keep_holds([])
    assert not node.retain(quota=2000).only_held


def test_hold_that_ended_protects_no_longer(node: Node) -> None:
    node.segment(NOW - 20 * 3600 * SECOND)
    node.footage.keep_holds([hold(CAMERA, NOW - DAY, NOW, expires_at=iso(NOW - SECOND))])

    assert node.retain(quota=1).pressed == 1


def test_hold_may_cover_several_stretches_of_a_camera(node: Node) -> None:
    for hours in (20, 10, 5):
        node.segment(NOW - hours * 3600 * SECOND)
    stretches = [hold(CAMERA, NOW - hours * 3600 * SECOND, NOW - hours * 3600 * SECOND + SECOND, id="h") for hours in (20, 5)]
    node.footage.keep_holds(stretches)

    assert node.retain(quota=1).pressed == 1
    assert [state for _, state in sorted(node.states().items())] == ["sealed", "deleted", "sealed"]


def test_pass_takes_the_holds_it_is_given_before_it_deletes(node: Node) -> None:
    node.segment(NOW - 20 * 3600 * SECOND)

    report = node.retain(quota=1, holds=[hold(CAMERA, NOW - DAY, NOW)])
    assert (report.pressed, report.only_held) == (0, True)
    assert node.retain(quota=1, holds=[]).pressed == 1


def test_pass_without_a_desired_state_deletes_nothing(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = UUID(int=9)
    monkeypatch.setenv("PIPC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIPC_PROVINCE_URL", "http://127.0.0.1:8000")
    folder = NodeSettings.from_env(os.environ).folder(tenant)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(node.folder)
    node.segment(NOW - 40 * DAY)
    node.footage.close_hours(30)

    assert retain(str(tenant)) == {"frozen": "desired"}
    assert len(node.files()) == 1
    desired = {"schema": 1, "version": 1, "demonstration": True, "holds": [], "policy": {}}
    (node.folder / "desired.json").write_text(json.dumps(desired))
    assert retain(str(tenant))["expired"] == 1


def test_file_that_was_just_closed_is_never_eligible(node: Node) -> None:
    node.segment(NOW - 150 * SECOND)

    assert node.retain(quota=1).pressed == 0


def test_removing_a_quarter_at_once_stops_for_a_person(node: Node) -> None:
    for number in range(80):
        node.segment(NOW - 40 * DAY + number * 60 * SECOND)
    for number in range(20):
        node.segment(NOW - DAY + number * 60 * SECOND)
    node.footage.close_hours(30)

    report = node.retain()

    assert (report.frozen, report.expired) == ("guard", 0)
    assert len(node.files()) == 100


def test_volume_that_is_not_ours_freezes_retention(node: Node) -> None:
    node.segment(NOW - 20 * 3600 * SECOND)
    (node.volume / "volume.json").unlink()

    assert node.retain(quota=1).frozen == "volume"
    assert len(node.files()) == 1


def test_killed_pass_finishes_its_tombstones_at_the_next_one(node: Node) -> None:
    names = [node.segment(NOW - 40 * DAY + number * 60 * SECOND) for number in range(3)]
    node.db.execute(
        "INSERT INTO purge_ranges VALUES ('p', ?, ?, ?, 2, 2000, 'vencimiento', 'deleting', 0, NULL)", (CAMERA, 0, NOW)
    )
    node.db.execute("UPDATE segments SET state='deleting' WHERE id IN (?, ?)", (names[0], names[1]))
    (node.volume / f"{names[0]}.mp4").unlink()

    node.retain()

    assert node.files() == {names[2]}
    node.check()


def test_predicate_equals_a_plain_model_on_random_indexes(node: Node) -> None:
    chance = random.Random(7)
    starts = {node.segment(NOW - chance.randrange(1, 60 * 86_400) * SECOND): None for _ in range(60)}
    rows = {row["id"]: row for row in node.db.execute("SELECT id, start_us, end_us FROM segments")}
    holds = []
    for number in range(12):
        begin = NOW - chance.randrange(1, 60 * 86_400) * SECOND
        expires = NOW + chance.choice([-1, 1]) * DAY if chance.random() < 0.5 else None
        length = chance.randrange(1, 5 * 86_400) * SECOND
        holds.append({"id": f"h{number}", "camera_id": CAMERA, "from": iso(begin), "to": iso(begin + length),
                      "expires_at": iso(expires) if expires else None})  # fmt: skip
    node.footage.keep_holds(holds)

    def protected(row: sqlite3.Row) -> bool:
        young = row["end_us"] >= NOW - 120 * SECOND
        held = any(
            from_iso(one["from"]) < row["end_us"] and from_iso(one["to"]) > row["start_us"]
            and (one["expires_at"] is None or from_iso(one["expires_at"]) > NOW)
            for one in holds
        )  # fmt: skip
        return young or held

    node.retain(quota=1)

    assert node.files() == {name for name in starts if protected(rows[name])}
    node.check()


def test_clock_that_went_back_or_jumped_ahead_freezes_deletion(node: Node) -> None:
    clock = Still()
    assert trusted_now(node.db, clock, waived=False) == NOW

    clock.wall, clock.mono = NOW + DAY, clock.mono + SECOND
    with pytest.raises(ClockInDoubtError, match="ahead"):
        trusted_now(node.db, clock, waived=False)

    clock.wall = NOW - SECOND
    with pytest.raises(ClockInDoubtError, match="behind"):
        trusted_now(node.db, clock, waived=True)


def test_frozen_clock_deletes_nothing(node: Node) -> None:
    node.segment(NOW - 20 * 3600 * SECOND)
    node.retain(waived=False)
    node.clock.wall -= DAY

    assert node.retain(quota=1).frozen == "clock_behind"
    assert len(node.files()) == 1


@pytest.mark.parametrize(("used", "expected"), [(0, 0), (100, 0), (101, 4), (200, 103)])
def test_quota_is_freed_with_a_margin(tmp_path: Path, used: int, expected: int) -> None:
    assert StorageThresholds(100, 0).excess(tmp_path, used) == expected


def test_space_that_cannot_be_measured_is_unknown_not_infinite() -> None:
    with pytest.raises(OSError, match="No such file"):
        StorageThresholds.of(Path("/does/not/exist"), 0)
