"""`python -m tools.lint`: exit 1 when a rule of the project is broken."""

from __future__ import annotations

import sys

from tools.lint.finding import modules
from tools.lint.rules import RULES


def main() -> int:
    """Print every finding and how many lines are excused."""
    findings, excused = [], 0
    for module in modules():
        excused += module.source.count("# lint-skip ")
        for rule in RULES:
            findings += rule(module)
    for finding in sorted(findings):
        print(finding)
    print(f"Reglas propias: {len(findings)} faltas, {excused} líneas excusadas con su motivo.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
