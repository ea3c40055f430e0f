"""Passwords that are guessed first, as the file that Keycloak reads: `python -m app.adapters.keycloak.blocked_passwords`."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from importlib.resources import files

from tenants.data.municipalities import spellings

MIN_LENGTH = 12
FILE_NAME = "blocked-passwords.txt"
_YEARS = [str(year) for year in range(2020, 2036)]
_COUNTING = ["123456789"[:length] for length in range(1, 10)]
_ENDINGS = ["", "!", *_COUNTING, *_YEARS]


def blocked_passwords() -> list[str]:
    """Every refused password, in lower case as Keycloak compares them. Shorter ones are refused by their length."""
    refused = {form + ending for word in _words() for form in _forms(word.lower()) for ending in _ENDINGS}
    return sorted(password for password in refused if len(password) >= MIN_LENGTH)


def _words() -> Iterator[str]:
    text = files(__package__).joinpath("blocked_passwords.txt").read_text(encoding="utf-8")
    yield from (line for line in text.splitlines() if line and not line.startswith("#"))
    yield from spellings()


def _forms(word: str) -> set[str]:
    """The ways of writing it: with and without accents, in one word or as it is."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return {form.replace(" ", joint) for form in (word, plain) for joint in (" ", "")}


if __name__ == "__main__":
    sys.stdout.write("\n".join(blocked_passwords()) + "\n")
