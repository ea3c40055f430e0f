"""Fixtures: a fake province and a node's home that points at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_province import FakeProvince
from tests.support.node_rig import NodeRig
from tests.support.video import make_video


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "bar.mp4")


@pytest.fixture
def province() -> Iterator[FakeProvince]:
    with FakeProvince() as fake:
        yield fake
        assert fake.violations == []


@pytest.fixture
def node(tmp_path: Path, province: FakeProvince) -> Iterator[NodeRig]:
    rig = NodeRig(tmp_path / "home", province)
    yield rig
    rig.close()


@pytest.fixture
def queued_node(tmp_path: Path, province: FakeProvince, redis_url: str) -> Iterator[NodeRig]:
    """A node whose queues live in a real Valkey."""
    rig = NodeRig(tmp_path / "home", province, redis_url)
    yield rig
    rig.close()
