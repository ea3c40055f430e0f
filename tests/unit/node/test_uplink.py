"""What the uplink does with each answer of the province."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from workers.node.province import LinkDownError, RefusedError
from workers.node.spool import Blob, Spool
from workers.node.uplink import Uplink


class Province:
    """Answers what the test wants and remembers the order of things."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.done: list[str] = []
        self.bad_blob: Exception | None = None

    def batch(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.done.append("batch " + ",".join(str(item.get("key")) for item in message["items"]))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or {"accepted": [item["n"] for item in message["items"]], "rejected": [], "orders": ["order"]}

    def put_blob(self, sha256: str, path: Path, content_type: str) -> None:
        if self.bad_blob:
            raise self.bad_blob
        path.read_bytes()
        self.done.append(f"blob {content_type}")


@pytest.fixture
def province() -> Province:
    return Province()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.sqlite")
    yield made
    made.close()


@pytest.fixture
def orders() -> list[Any]:
    return []


@pytest.fixture
def uplink(spool: Spool, province: Province, orders: list[Any]) -> Uplink:
    return Uplink("test", spool, province, orders.extend)  # type: ignore[arg-type]  # the part of it that is used


def put(spool: Spool, *names: str) -> None:
    for name in names:
        spool.put({"type": "event", "key": name})


def test_pictures_go_before_the_items_that_name_them(
    spool: Spool, uplink: Uplink, province: Province, tmp_path: Path, orders: list[Any]
) -> None:
    crop = tmp_path / "crop"
    crop.write_bytes(b"x")
    spool.put({"type": "event", "key": "a", "crop_sha": "a" * 64}, blobs=[Blob("a" * 64, crop)])

    assert uplink.ship_one()

    assert province.done == ["blob image/jpeg", "batch a"]
    assert orders == ["order"]
    assert spool.waiting() == 0


def test_nothing_to_ship_is_not_an_error(uplink: Uplink) -> None:
    assert not uplink.ship_one()


@pytest.mark.parametrize("failure", [LinkDownError("cut"), RefusedError(404, "not_found"), RefusedError(405, "")])
def test_province_that_is_away_or_lacks_the_route_loses_nothing(
    spool: Spool, uplink: Uplink, province: Province, failure: Exception
) -> None:
    put(spool, "a", "b")
    province.answers = [failure]

    assert not uplink.ship_one()
    assert uplink.link_up is False
    assert uplink.ship_one()

    assert province.done == ["batch a,b", "batch a,b"]
    assert uplink.link_up


def test_one_bad_row_is_found_and_the_others_arrive(spool: Spool, uplink: Uplink, province: Province) -> None:
    put(spool, "a", "bad", "c")
    province.answers = [RefusedError(422, "malformed"), None, RefusedError(422, "malformed"), None]

    for _ in range(4):
        uplink.ship_one()

    assert province.done == ["batch a,bad,c", "batch a", "batch bad", "batch c"]
    assert [row["code"] for row in spool.execute("SELECT code FROM rejected")] == ["malformed"]
    assert spool.waiting() == 0


def test_refused_picture_does_not_hold_its_item_back(
    spool: Spool, uplink: Uplink, province: Province, tmp_path: Path
) -> None:
    crop = tmp_path / "crop"
    crop.write_bytes(b"x")
    spool.put({"type": "event", "key": "a", "crop_sha": "a" * 64}, blobs=[Blob("a" * 64, crop)])
    province.bad_blob = RefusedError(413, "too_large")

    assert uplink.ship_one()

    assert province.done == ["batch a"]
    assert spool.waiting() == 0
