"""Where the third-party test material lies, and the models, opened once."""

import os
from pathlib import Path

import pytest

from workers.analytics.plates.reader import PlateReader


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of real material; tests that need it are skipped where it is absent."""
    default = Path(__file__).parents[3].parent / "shared" / "testdata"
    folder = Path(os.environ.get("PIPC_TESTDATA") or default)
    if not folder.is_dir():
        pytest.skip(f"PIPC_TESTDATA: no existe {folder}")
    return folder


@pytest.fixture(scope="session")
def plate_reader() -> PlateReader:
    return PlateReader()
