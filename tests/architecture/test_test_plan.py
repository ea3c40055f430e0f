"""What the tests themselves rely on."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("plan")
def test_a_group_reaches_the_scheduler(request: pytest.FixtureRequest) -> None:
    """Tests that share one server carry their group in their id; otherwise two workers would use it at once."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("only one worker runs, so nothing is shared")

    assert request.node.nodeid.endswith("@plan")
