"""A worker's process: its database role, an empty Redis, and jobs of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import Engine

from app.kernel.actor import acting_as, system_actor
from tests.support import probe_jobs
from tests.support.world import World, configured

assert probe_jobs


@pytest.fixture
def world(database_urls: dict[str, str]) -> Iterator[World]:
    with configured(database_urls, default_role="worker") as made:
        yield made


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def clock_engine(world: World) -> Iterator[Engine]:
    """The clock's own role, acting as the clock."""
    with acting_as(system_actor("clock")):
        yield world.databases.engine("clock")
