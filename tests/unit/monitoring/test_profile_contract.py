"""The province and the node's programs know one table of default profiles."""

from __future__ import annotations

from app.monitoring.cameras.profiles import PROFILES
from app.monitoring.cameras.types import PLACES
from workers.analytics import profiles as node_side


def test_default_profiles_are_the_same_on_both_sides() -> None:
    assert dict(PROFILES) == node_side.PROFILES


def test_every_kind_of_place_has_a_profile() -> None:
    assert set(PROFILES) == set(PLACES)
