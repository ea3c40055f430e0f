"""Run the benchmarks and print their JSON lines and a table: `python -m bench.run [name …]`.

Each benchmark is a module of this folder run as a process of its own; it prints one JSON object per line
`{"name", "value", "unit", "baseline", "ratio", "target", "ok"}`. Exit 0 when every target was met, 1 otherwise, 2 when one could not run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

FIELDS = ("name", "value", "unit", "baseline", "ratio", "target", "ok")
LIMIT_S = 1800


def available() -> list[str]:
    """Names of the benchmarks in this folder."""
    here = Path(__file__).parent
    return sorted(
        path.stem
        for path in here.glob("*.py")
        if path.stem not in {"run", "__init__"} and not path.stem.startswith("_")
    )


def run(name: str) -> tuple[list[dict[str, object]], bool]:
    """The result lines of one benchmark, printed as they come, and whether it ended well."""
    results = []
    process = subprocess.Popen([sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if not line.startswith("{"):
            continue
        result = json.loads(line)
        print(json.dumps({field: result.get(field) for field in FIELDS}, ensure_ascii=False), flush=True)
        results.append(result)
    return results, process.wait(timeout=LIMIT_S) == 0


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(available()))
    if unknown:
        print(
            f"No hay un banco de pruebas llamado {', '.join(unknown)}. Hay: {', '.join(available())}.", file=sys.stderr
        )
        return 2
    results, complete = [], True
    for name in names or available():
        lines, ended_well = run(name)
        results += lines
        complete = complete and ended_well
    table = Table(*FIELDS)
    for result in results:
        table.add_row(*(_cell(result.get(field)) for field in FIELDS))
    Console(width=150).print(table)
    if not complete:
        return 2
    return 0 if all(result.get("ok") for result in results) else 1


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "sí" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return "–" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
