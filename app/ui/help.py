"""The help of /ayuda: plain Markdown of docs/ayuda, rendered without raw HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "ayuda"
_ORDER = re.compile(r"^\d+-")


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One page: its address, its title (the first heading), what it answers (the first paragraph) and its body."""

    slug: str
    title: str
    summary: str
    body: Markup


@cache
def help_pages(folder: Path = FOLDER) -> dict[str, HelpPage]:
    """Every page by slug, in the order of the numbers before their names."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    pages = (_page(path, renderer) for path in sorted(folder.glob("*.md")))
    return {page.slug: page for page in pages}


def _page(path: Path, renderer: MarkdownIt) -> HelpPage:
    heading, _, rest = path.read_text("utf-8").partition("\n")
    summary = rest.strip().partition("\n\n")[0].replace("\n", " ")
    return HelpPage(
        slug=_ORDER.sub("", path.stem),
        title=heading.removeprefix("# ").strip(),
        summary=summary,
        body=Markup(renderer.render(rest)),  # noqa: S704 - rendered from files of the repository, with raw HTML off
    )
