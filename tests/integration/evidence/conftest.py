"""A configured process on a clean database, with its ports plugged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import Plugs, plugged
from tests.support.world import World, configured


@pytest.fixture
def world(database_urls: dict[str, str]) -> Iterator[World]:
    with configured(database_urls) as made:
        yield made


@pytest.fixture
def plugs(world: World, tmp_path: Path) -> Plugs:
    return plugged(tmp_path)
