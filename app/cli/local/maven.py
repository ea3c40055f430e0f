"""Where Maven artifacts come from on this machine, in order; no repository is named by the project itself."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from pathlib import Path

_SETTINGS = ("~/.m2/settings.xml", "/etc/maven/settings.xml")


def repositories(env: Mapping[str, str], settings: tuple[str, ...] = _SETTINGS) -> Iterator[str]:
    """`PIPC_MAVEN_REPO` alone when given; else the machine's mirrors of central, then central as the resolver knows it."""
    if own := env.get("PIPC_MAVEN_REPO"):
        yield own
        return
    for path in settings:
        yield from _mirrors(Path(path).expanduser())
    from jgo.constants import MAVEN_CENTRAL_URL  # a quarter of a second that only a download is worth

    yield MAVEN_CENTRAL_URL


def _mirrors(path: Path) -> Iterator[str]:
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314  # the user's own Maven settings
    except (OSError, ElementTree.ParseError):
        return
    space = root.tag[: root.tag.find("}") + 1] if root.tag.startswith("{") else ""
    for mirror in root.iter(f"{space}mirror"):
        values = {name: (mirror.findtext(space + name) or "").strip() for name in ("url", "mirrorOf", "blocked")}
        of = {part.strip() for part in values["mirrorOf"].split(",")}
        # Debian ships a blocking mirror of every plain-HTTP repository: it serves nothing.
        if (
            values["blocked"] != "true"
            and values["url"]
            and "!central" not in of
            and of & {"*", "central", "external:*"}
        ):
            yield values["url"]
