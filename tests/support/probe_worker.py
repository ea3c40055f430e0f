"""The workers' parent with the tests' own jobs: `python -m tests.support.probe_worker --all`."""

from __future__ import annotations

import sys

from tests.support import probe_jobs
from workers.run import main

assert probe_jobs

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
