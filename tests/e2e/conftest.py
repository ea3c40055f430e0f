"""Journeys run against one product, in one worker, in a real browser."""

from __future__ import annotations

import pytest

from tests.support.product import product  # noqa: F401  # fixture


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that uses the product runs in the worker that started it."""
    for item in items:
        if "product" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("product"))
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow("uses the whole running product"))
