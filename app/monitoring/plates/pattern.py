"""What a plate pattern means and which index answers it; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.kernel.errors import Invalid

Kind = Literal["any", "exact", "prefix", "wildcard"]

_ALLOWED = re.compile(r"[A-Z0-9?*]{1,24}")
_SEPARATORS = re.compile(r"[\s.\-·]+")
_KNOWN_PAIR = re.compile(r"(?=([A-Z0-9]{2}))")
MAX_STARS = 4


@dataclass(frozen=True, slots=True)
class Gram:
    """A known pair of neighbouring characters; `pos` counts from 1 and is None after a `*`."""

    text: str
    pos: int | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """`?` stands for one character and `*` for any number of them, none included."""

    text: str
    kind: Kind

    @property
    def prefix(self) -> str:
        """The known characters before the first wildcard."""
        return re.split(r"[?*]", self.text, maxsplit=1)[0]

    @property
    def like(self) -> str:
        """The same pattern for LIKE; plates hold neither `%` nor `_` nor a backslash."""
        return self.text.replace("?", "_").replace("*", "%")

    @property
    def grams(self) -> list[Gram]:
        """Every pair of neighbouring known characters."""
        star = self.text.find("*")
        return [
            Gram(found[1], found.start() + 1 if star < 0 or found.start() < star else None)
            for found in _KNOWN_PAIR.finditer(self.text)
        ]


def parse(text: str) -> Pattern:
    """The pattern somebody typed, spaces and dashes aside. Raises `Invalid` for anything but letters, digits, `?` and `*`."""
    plain = re.sub(r"\*+", "*", _SEPARATORS.sub("", text).upper())
    if plain in {"", "*"}:
        return Pattern("", "any")
    if not _ALLOWED.fullmatch(plain) or plain.count("*") > MAX_STARS:
        raise Invalid(
            errors={"plate": ["Usar letras, números, «?» por un carácter y «*» por varios: AB123CD, AB1*, A?1*3."]}
        )
    if "?" not in plain and "*" not in plain:
        return Pattern(plain, "exact")
    if "?" not in plain and plain.endswith("*") and plain.count("*") == 1:
        return Pattern(plain, "prefix")
    return Pattern(plain, "wildcard")
