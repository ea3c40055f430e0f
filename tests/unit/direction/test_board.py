"""The levels of the map and the order of the table of the Dirección's board."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from tenants.admin.board import board, level
from tenants.admin.types import Counts, Overview, Summary
from tenants.core.service import Tenant


def summary(name: str, counts: Counts, state: str = "active") -> Summary:
    tenant = Tenant(
        id=1, uuid=uuid.uuid4(), kind="municipality", slug=name.lower(), code="06001", name=name, kc_alias=None, kc_org_id=None,
        kc_state_hash=None, state=state, section=1, head_town="", lat=0.0, lon=0.0, population=1, is_demo=False, accent=None, version=1,
    )  # fmt: skip
    return Summary(tenant, counts, True)


@pytest.mark.parametrize(
    ("share", "expected"), [(None, 0), (1.0, 1), (0.99, 1), (0.98, 2), (0.95, 3), (0.90, 4), (0.89, 5), (0.0, 5)]
)
def test_level_follows_the_share_online(share: float | None, expected: int) -> None:
    assert level(share) == expected


def test_the_worst_come_first_and_inactive_ones_are_left_out() -> None:
    seen = Overview(
        datetime(2026, 11, 22, tzinfo=UTC),
        [
            summary("Bien", Counts(cameras=10, wired=10, online=10)),
            summary("Mal", Counts(cameras=10, wired=10, online=5)),
            summary("Nada", Counts(), state="inactive"),
            summary("Vacío", Counts()),
        ],
        [0] * 24,
        None,
    )

    names = [row["name"] for row in board(seen, sort="", may_add=False)["worst"]["rows"]]
    by_name = [row["name"] for row in board(seen, sort="-name", may_add=False)["worst"]["rows"]]

    assert names == ["Mal", "Bien", "Vacío"]
    assert by_name == ["Vacío", "Mal", "Bien"]
