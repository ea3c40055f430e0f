"""Fixtures: small videos of the tests' own and a recorder process over a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.recorder_rig import RecorderRig
from tests.support.video import make_video


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a moving bar, H.264, one keyframe a second."""
    return make_video(tmp_path_factory.mktemp("video") / "bar.mp4")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RecorderRig]:
    made = RecorderRig(tmp_path / "node")
    yield made
    made.stop()
