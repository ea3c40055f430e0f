"""A broken rule, and how a line may be excused from one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "tenants", "lms", "workers")


@dataclass(frozen=True, order=True)
class Finding:
    """One place that breaks a rule."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


@dataclass(frozen=True)
class Module:
    """A parsed source file, by its path below the root."""

    path: str
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @property
    def name(self) -> str:
        """The dotted name: `app.audit.service`."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def excuses(self, line: int, rule: str) -> bool:
        """Whether that line says `# lint-skip <rule>: <reason>`, with a reason."""
        text = self.source.splitlines()[line - 1]
        _, found, reason = text.partition(f"# lint-skip {rule}:")
        return bool(found and reason.strip())


def modules(root: Path = ROOT) -> Iterator[Module]:
    """Every module of the product."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield Module(str(path.relative_to(root)), path.read_text(encoding="utf-8"))
