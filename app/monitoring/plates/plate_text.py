"""The text of a number plate: formats, normal form, typed repair, near variants and how it is shown. Pure.

Shared by the province (search, hot lists) and the node (recogniser), so it depends on nothing. Every letter A-Z occurs
in plates, so the position, not the alphabet, tells O from 0. A text that fits no format is kept, as class `OTRA`.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
CHILEAN = "BCDFGHJKLPRSTVWXYZ"
ALPHABETS = {"L": LETTERS, "N": DIGITS, "C": CHILEAN}
OTHER = "OTRA"
TRAILER_PREFIX = "101"

@dataclass(frozen=True, slots=True)
class PlateFormat:
    """A format in force somewhere in the region. Mask: L letter, N digit, C Chilean consonant; `display` with blanks."""

    code: str
    country: str
    mask: str
    display: str
    lines: int = 1
    dark: bool = False

    def fits(self, text: str) -> bool:
        return len(text) == len(self.mask) and all(
            char in ALPHABETS[kind] for char, kind in zip(text, self.mask, strict=True))


FORMATS = (
    PlateFormat("AR_AUTO_MERCOSUR", "AR", "LLNNNLL", "LL NNN LL"),
    PlateFormat("AR_AUTO_1995", "AR", "LLLNNN", "LLL NNN", dark=True),
    PlateFormat("AR_MOTO_MERCOSUR", "AR", "LNNNLLL", "L NNN LLL", lines=2),
    PlateFormat("AR_MOTO_1995", "AR", "NNNLLL", "NNN LLL", lines=2, dark=True),
    PlateFormat("AR_TRAILER_101", "AR", "NNNLLLNNN", "NNN LLL NNN"),
    PlateFormat("AR_TRAILER_101", "AR", "NNNLLNNNLL", "NNN LL NNN LL"),
    PlateFormat("AR_MAVI", "AR", "LLLNN", "LLL NN"),
    PlateFormat("AR_ANTIGUA", "AR", "LNNNNNN", "L NNN NNN"),
    PlateFormat("AR_ANTIGUA", "AR", "LNNNNNNN", "L N NNN NNN"),
    PlateFormat("BR_MERCOSUR", "BR", "LLLNLNN", "LLLNLNN"),
    PlateFormat("BR_1990", "BR", "LLLNNNN", "LLL NNNN"),
    PlateFormat("UY_MERCOSUR", "UY", "LLLNNNN", "LLL NNNN"),
    PlateFormat("PY_1999", "PY", "LLLNNN", "LLL NNN"),
    PlateFormat("UY_MOTO", "UY", "LLLNNN", "LLL NNN"),
    PlateFormat("PY_MERCOSUR", "PY", "LLLLNNN", "LLLL NNN"),
    PlateFormat("PY_MOTO_MERCOSUR", "PY", "NNNLLLL", "NNN LLLL"),
    PlateFormat("CL_2007", "CL", "CCCCNN", "LLLL NN"),
    PlateFormat("CL_1985", "CL", "LLNNNN", "LL NNNN"),
    PlateFormat("CL_MOTO", "CL", "LLLNN", "LLL NN"),
    PlateFormat("BO_ACTUAL", "BO", "NNNNLLL", "NNNN LLL"),
    PlateFormat("BO_ANTERIOR", "BO", "NNNLLL", "NNN LLL"),
)
_BY_LENGTH = {size: tuple(form for form in FORMATS if len(form.mask) == size) for size in {len(form.mask) for form in FORMATS}}

_GROUPS = ("0ODQ", "1ILT", "2Z", "4A", "5S", "6G", "7T", "8B", "38", "MNHW", "UV", "CG", "EF", "KX")


def _confusions() -> dict[str, str]:
    table = dict.fromkeys(LETTERS + DIGITS, "")
    for group in _GROUPS:
        for char in group:
            table[char] += "".join(other for other in group if other != char and other not in table[char])
    return table


CONFUSIONS = _confusions()
"""Characters that recognisers and people take for each other."""


@dataclass(frozen=True, slots=True)
class PlateClass:
    """What a text can be. `country` is None while the mask alone does not decide it."""

    format: str
    country: str | None
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """The nearest text that fits a format, and at what cost; the raw reading is kept elsewhere, always."""

    text: str
    format: str
    cost: int


def normalise(text: str) -> str:
    """Upper case without accents, keeping only A-Z and 0-9."""
    plain = unicodedata.normalize("NFKD", text).upper()
    return "".join(char for char in plain if char in CONFUSIONS)


def classify(text: str, *, dark: bool | None = None, lines: int | None = None) -> PlateClass:
    """The formats a normalised text fits. The layout seen (dark field, number of lines) settles ambiguous masks."""
    fitting = [form for form in _BY_LENGTH.get(len(text), ()) if form.fits(text) and not _is_false_trailer(form, text)]
    if not fitting:
        return PlateClass(OTHER, None, ())
    chosen = [form for form in fitting if (dark is None or form.dark == dark) and (lines is None or form.lines == lines)]
    chosen = chosen or fitting
    countries = {form.country for form in chosen}
    country = next(iter(countries)) if len(countries) == 1 else None
    return PlateClass(chosen[0].code, country, tuple(form.code for form in fitting))


def _is_false_trailer(form: PlateFormat, text: str) -> bool:
    return form.code == "AR_TRAILER_101" and not text.startswith(TRAILER_PREFIX)


def towing_plate(text: str) -> str | None:
    """The plate that a light trailer repeats after its prefix, or None for anything else."""
    is_trailer = classify(text).format == "AR_TRAILER_101"
    return text[len(TRAILER_PREFIX):] if is_trailer else None


def display(text: str) -> str:
    """As people write it: `AB 123 CD`. A text without format is shown as it is."""
    kind = classify(text).format
    form = next((form for form in FORMATS if form.code == kind and form.fits(text)), None)
    if form is None:
        return text
    chars = iter(text)
    return "".join(" " if mark == " " else next(chars) for mark in form.display)


def is_synthetic(text: str) -> bool:
    """Whether the plate is in a series never issued: Mercosur `Z…`, 1995 `ZZ…`. Demonstrations and canaries use them."""
    return bool(re.fullmatch(r"Z[A-Z]\d{3}[A-Z]{2}|ZZ[A-Z]\d{3}", text))


def repair(raw: str) -> Repair | None:
    """The cheapest typed repair of a reading: 1 for a known confusion, 2 for any other change; None when none fits."""
    text = normalise(raw)
    best: Repair | None = None
    for form in FORMATS:
        if len(form.mask) != len(text) or form.code == "AR_TRAILER_101":
            continue
        fixed = [_repair_char(char, ALPHABETS[kind]) for char, kind in zip(text, form.mask, strict=True)]
        cost = sum(price for _, price in fixed)
        if best is None or cost < best.cost:
            best = Repair("".join(char for char, _ in fixed), form.code, cost)
    return best


def _repair_char(char: str, allowed: str) -> tuple[str, int]:
    if char in allowed:
        return char, 0
    likely = [other for other in CONFUSIONS[char] if other in allowed]
    return (likely[0], 1) if likely else (allowed[0], 2)


def alternatives(char: str) -> str:
    """The characters of the same kind, letter or digit, that this one is taken for."""
    kind = LETTERS if char in LETTERS else DIGITS
    return "".join(other for other in CONFUSIONS.get(char, "") if other in kind)


def variants(
    plate: str, char_conf: Sequence[tuple[str, float]] = (), floor: float = 0.2, *, confidence: float = 0.9
) -> list[tuple[str, float]]:
    """Texts one confusion away that a reading may stand for, with their posterior, likeliest first.

    `char_conf` is each character read with its probability; what is missing to one is shared by the characters it is
    taken for. Variants are of the reading: a hot list is never expanded.
    """
    sure = char_conf if len(char_conf) == len(plate) else [(char, confidence) for char in plate]
    odds: dict[str, float] = {}
    for position, (char, (_, probability)) in enumerate(zip(plate, sure, strict=True)):
        others = alternatives(char)
        for other in others:
            share = max(1.0 - probability, 0.0) / len(others) / max(probability, 0.01)
            odds[plate[:position] + other + plate[position + 1:]] = share
    total = 1.0 + sum(odds.values())
    found = ((variant, value / total) for variant, value in odds.items() if value / total >= floor)
    return sorted(found, key=lambda item: (-item[1], item[0]))
