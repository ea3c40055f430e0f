"""What a typed plate pattern means."""

from __future__ import annotations

import pytest

from app.monitoring.plates.pattern import Gram, parse


@pytest.mark.parametrize(
    ("text", "kind", "plain"),
    [
        ("ab 123-cd", "exact", "AB123CD"),
        ("AB1*", "prefix", "AB1*"),
        ("A?1*3", "wildcard", "A?1*3"),
        ("*", "any", ""),
        ("", "any", ""),
        ("AB1**", "prefix", "AB1*"),
        ("?B12*", "wildcard", "?B12*"),
    ],
)
def test_parse_tells_the_kind(text: str, kind: str, plain: str) -> None:
    pattern = parse(text)

    assert (pattern.kind, pattern.text) == (kind, plain)


def test_grams_know_their_position_until_the_first_star() -> None:
    assert parse("?B12*CD").grams == [Gram("B1", 2), Gram("12", 3), Gram("CD", None)]
    assert parse("A?1*3").grams == []
