"""Accessibility of a page as it stands, by axe-core; every page of every role is measured with this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"notebook": (1366, 768), "desk": (1920, 1080), "phone": (320, 700)}


def violations(page: Page) -> list[str]:
    """What axe finds on `page`, one line per rule with the first element. The script runs with the policy on."""
    page.evaluate(SOURCE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run({runOnly: tags}).then(result => result.violations)", TAGS
    )
    return [
        f"{rule['id']} ×{len(rule['nodes'])}: {rule['nodes'][0]['target']} {rule['nodes'][0]['failureSummary']}"
        for rule in found
    ]


def overflow(page: Page) -> int:
    """How many pixels of the page fall outside the width of the window."""
    extra: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return extra
