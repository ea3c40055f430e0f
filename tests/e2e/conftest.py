"""Journeys run against one product, in one worker (`xdist_group`), in a real browser."""

from tests.support.product import product  # noqa: F401  # fixture
