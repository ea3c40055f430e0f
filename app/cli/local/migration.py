"""The step that brings the database to this release; in a demonstration it opens its municipalities' doors as well."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tenants.core import migrations, seed
from tenants.data import demonstration


def main() -> int:
    """Exit status 0 when the database is as this release needs it."""
    status = migrations.main(os.environ)
    if status == 0 and os.environ.get("PIPC_DEMONSTRATION") == "1":
        url = Path(os.environ["PIPC_DB_MIGRATE_URL_FILE"]).read_text(encoding="utf-8").strip()
        seed.activate(url, demonstration.ACTIVE, demonstration=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
