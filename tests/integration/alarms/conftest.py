"""A configured process on a clean database with the 135 municipalities."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import World, configured


@pytest.fixture
def world(database_urls: dict[str, str]) -> Iterator[World]:
    with configured(database_urls) as made:
        yield made
