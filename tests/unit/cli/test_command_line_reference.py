"""The reference names every verb, and no verb that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

from app.cli.verbs import VERBS, Group

PAGE = Path(__file__).parents[3] / "docs/reference/command-line.md"
GROUPS = {"tenant", "camera", "identity", "audit"}


def test_every_verb_is_in_the_reference_and_nothing_else() -> None:
    words = re.findall(r"`([a-z]+)(?: ([a-z]+))?[^`]*`", "\n".join(
        line.split("|")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ))  # fmt: skip
    written = {
        first if second == "" or first not in GROUPS | {"demo"} else f"{first} {second}" for first, second in words
    }
    listed = {
        name if not isinstance(verb, Group) else f"{name} {inner}"
        for name, verb in VERBS.items()
        for inner in (verb.verbs if isinstance(verb, Group) else [""])
    }

    assert {word.split()[0] for word in written} == {word.split()[0] for word in listed}
    assert {word for word in listed if word.startswith("demo")} <= written
