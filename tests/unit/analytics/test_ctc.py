"""The constrained decoder against brute force, on small outputs that can be enumerated."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.analytics.plates.ctc import COLUMN, SYMBOLS, decode, greedy, slots


def output(*rows: dict[str, float]) -> np.ndarray:
    """Time steps given by their symbols' probabilities; what is missing is blank."""
    table = np.zeros((len(rows), len(SYMBOLS) + 1), np.float32)
    for step, row in enumerate(rows):
        for char, p in row.items():
            table[step, COLUMN[char]] = p
        table[step, 0] = 1 - sum(row.values())
    return table


def spell(text: str, p: float = 0.9) -> np.ndarray:
    rows: list[dict[str, float]] = []
    for char in text:
        rows += [{char: p}, {}]
    return output(*rows)


def test_decode_clear_text_is_read():
    best = decode(spell("AB123CD"), {"LLNNNLL": 0.0, "LLLNNN": 0.0})[0]

    assert (best.text, best.mask) == ("AB123CD", "LLNNNLL")
    assert best.score == pytest.approx(7 * math.log(0.9), abs=1e-4)


def test_decode_position_decides_between_letter_and_digit():
    rows = [{"A": 0.9}, {}, {"8": 0.6, "B": 0.3}, {}, {"I": 0.6, "1": 0.3}, {}, {"2": 0.9}, {}, {"3": 0.9}, {},
            {"C": 0.9}, {}, {"O": 0.5, "0": 0.4}]

    assert greedy(output(*rows))[0] == "A8I23CO"
    assert decode(output(*rows), {"LLNNNLL": 0.0})[0].text == "AB123CO"


def test_decode_doubled_character_needs_a_blank_between():
    joined, parted = output({"A": 0.9}, {"A": 0.9}), output({"A": 0.9}, {}, {"A": 0.9})

    assert decode(joined, {"L": 0.0})[0].text == "A"
    assert decode(parted, {"LL": 0.0})[0].text == "AA"


def test_decode_prior_holds_back_a_foreign_mask_until_the_evidence_is_better():
    doubtful = output({"A": 0.9}, {}, {"B": 0.9}, {}, {"C": 0.9}, {}, {"1": 0.9}, {}, {"2": 0.9}, {}, {"3": 0.9}, {}, {"4": 0.2})

    assert decode(doubtful, {"LLLNNN": 0.0, "LLLNNNN": -3.0})[0].text == "ABC123"
    assert decode(spell("ABC1234", 0.99), {"LLLNNN": 0.0, "LLLNNNN": -3.0})[0].text == "ABC1234"


def test_decode_nothing_that_fits_is_empty_or_improbable():
    assert all(item.score < -8 for item in decode(spell("HOLA"), {"LLNNNLL": 0.0}))
    assert decode(output({}, {}), {"LL": 0.0}) == []


def all_paths(table: np.ndarray, text: str) -> float:
    """The probability of a text by summing over every path: exponential, and certainly right."""
    symbols = ["", *SYMBOLS]
    used = [0, *sorted({COLUMN[char] for char in "AB12"})]
    total = 0.0
    for path in product(used, repeat=len(table)):
        collapsed = "".join(symbols[c] for n, c in enumerate(path) if c and (n == 0 or path[n - 1] != c))
        if collapsed == text:
            total += math.prod(float(table[step, column]) for step, column in enumerate(path))
    return total


probabilities = st.lists(st.lists(st.floats(0.05, 1.0), min_size=5, max_size=5), min_size=2, max_size=5)


@settings(max_examples=40, deadline=None)
@given(probabilities)
def test_decode_scores_are_the_sum_over_all_paths(weights):
    rows = [{char: w / sum(row) for char, w in zip("AB12", row, strict=False)} for row in weights]
    table = output(*rows)

    for found in decode(table, {"LN": 0.0}):
        assert math.exp(found.score) == pytest.approx(all_paths(table, found.text), rel=0.02)


def test_slots_give_each_position_its_alternatives_of_the_right_kind():
    rows = [{"A": 0.9}, {}, {"D": 0.6, "O": 0.3, "0": 0.05}, {}, {"1": 0.9}]

    first, second, third = slots(output(*rows), "AD1", "LLN")

    assert first[0][0] == "A"
    assert [char for char, _ in second[:2]] == ["D", "O"]
    assert second[0][1] == pytest.approx(2 / 3, abs=0.05)
    assert third[0] == ("1", pytest.approx(1.0, abs=0.01))


def test_greedy_of_nothing_is_nothing():
    assert greedy(output({}, {}, {})) == ("", 0.0)
