"""Render the demonstration's scenes: `python -m workers.scenes <cache folder>`; one progress line per scene."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from workers.scenes.library import ensure


def main() -> None:
    """Print one JSON line per scene begun and a last one with the folder."""
    root = ensure(Path(sys.argv[1]), lambda done, total, name: _say({"done": done, "total": total, "scene": name}))
    _say({"folder": str(root)})


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
