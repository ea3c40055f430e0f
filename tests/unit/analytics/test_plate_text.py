"""Formats, normal form, typed repair, near variants and display of plates (A10)."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitoring.plates.plate_text import (
    ALPHABETS,
    CONFUSIONS,
    DIGITS,
    FORMATS,
    LETTERS,
    classify,
    display,
    is_synthetic,
    normalise,
    repair,
    towing_plate,
    variants,
)


@pytest.mark.parametrize(("text", "expected"), [
    ("ab 123-cd", "AB123CD"), ("  Z·A.123/bc ", "ZA123BC"), ("ñandú 12", "NANDU12"), ("", ""), ("———", ""), ("１２３", "123"),
    ("a" * 200, "A" * 200),
])
def test_normalise_keeps_letters_and_digits_in_upper_case(text, expected):
    assert normalise(text) == expected


@given(st.text())
def test_normalise_is_stable_and_plain_for_any_text(text):
    once = normalise(text)

    assert normalise(once) == once
    assert re.fullmatch(r"[A-Z0-9]*", once)


@pytest.mark.parametrize(("text", "code", "country"), [
    ("AB123CD", "AR_AUTO_MERCOSUR", "AR"), ("A123BCD", "AR_MOTO_MERCOSUR", "AR"), ("ABC1D23", "BR_MERCOSUR", "BR"),
    ("ABC1234", "BR_1990", None), ("ABC123", "AR_AUTO_1995", None), ("123ABC", "AR_MOTO_1995", None),
    ("101ABC123", "AR_TRAILER_101", "AR"), ("101AB123CD", "AR_TRAILER_101", "AR"), ("102ABC123", "OTRA", None),
    ("ABC12", "AR_MAVI", None), ("B1234567", "AR_ANTIGUA", "AR"), ("B123456", "AR_ANTIGUA", "AR"),
    ("ABCD123", "PY_MERCOSUR", "PY"), ("123ABCD", "PY_MOTO_MERCOSUR", "PY"), ("BCDF12", "CL_2007", "CL"),
    ("ABCD12", "OTRA", None), ("AB1234", "CL_1985", "CL"), ("1234ABC", "BO_ACTUAL", "BO"), ("CD1", "OTRA", None),
    ("", "OTRA", None), ("X" * 200, "OTRA", None),
])
def test_classify_mask_decides_format_and_country_when_it_can(text, code, country):
    found = classify(text)

    assert (found.format, found.country) == (code, country)


@pytest.mark.parametrize(("text", "layout", "code", "country"), [
    ("ABC123", {"dark": True}, "AR_AUTO_1995", "AR"), ("ABC123", {"dark": False}, "PY_1999", None),
    ("123ABC", {"dark": True, "lines": 2}, "AR_MOTO_1995", "AR"), ("123ABC", {"dark": False}, "BO_ANTERIOR", "BO"),
    ("AB123CD", {"dark": True}, "AR_AUTO_MERCOSUR", "AR"),
])
def test_classify_layout_settles_what_the_mask_leaves_open(text, layout, code, country):
    found = classify(text, **layout)

    assert (found.format, found.country) == (code, country)
    assert code in found.candidates


def test_formats_are_the_nineteen_codes_and_each_fits_its_own_display():
    assert len({form.code for form in FORMATS}) == 19
    for form in FORMATS:
        example = "".join({"L": "A", "N": "1", "C": "B"}[kind] for kind in form.mask)
        if form.code == "AR_TRAILER_101":
            example = "101" + example[3:]
        assert form.fits(example)
        assert form.code in classify(example).candidates
        assert form.display.replace(" ", "") == form.mask.replace("C", "L")


@pytest.mark.parametrize(("text", "shown"), [
    ("AB123CD", "AB 123 CD"), ("ABC123", "ABC 123"), ("A123BCD", "A 123 BCD"), ("101AB123CD", "101 AB 123 CD"),
    ("ABC1D23", "ABC1D23"), ("RARA", "RARA"),
])
def test_display_groups_as_people_write(text, shown):
    assert display(text) == shown


def test_towing_plate_of_a_trailer_is_the_rest():
    assert towing_plate("101AB123CD") == "AB123CD"
    assert towing_plate("AB123CD") is None


@pytest.mark.parametrize(("text", "expected"), [("ZA123BC", True), ("ZZA123", True), ("AZ123BC", False), ("ZAB123", False)])
def test_is_synthetic_only_series_never_issued(text, expected):
    assert is_synthetic(text) is expected


@pytest.mark.parametrize(("raw", "text", "code", "cost"), [
    ("A8I23CO", "AB123CO", "AR_AUTO_MERCOSUR", 2), ("AB123CD", "AB123CD", "AR_AUTO_MERCOSUR", 0),
    ("ABCI23", "ABC123", "AR_AUTO_1995", 1), ("ab i23 cd", "AB123CD", "AR_AUTO_MERCOSUR", 1),
])
def test_repair_changes_only_what_the_format_forbids(raw, text, code, cost):
    fixed = repair(raw)

    assert fixed is not None
    assert (fixed.text, fixed.format, fixed.cost) == (text, code, cost)


@pytest.mark.parametrize("raw", ["", "AB", "ABCDEFGHIJKLM"])
def test_repair_of_an_impossible_length_is_none(raw):
    assert repair(raw) is None


@given(st.sampled_from(FORMATS), st.data())
def test_repair_never_touches_a_text_that_fits(form, data):
    text = "".join(data.draw(st.sampled_from(ALPHABETS[kind])) for kind in form.mask)
    if form.code == "AR_TRAILER_101":
        return

    fixed = repair(text)

    assert fixed is not None
    assert (fixed.text, fixed.cost) == (text, 0)


def test_confusions_are_mutual_and_never_reflexive():
    assert set(CONFUSIONS) == set(LETTERS + DIGITS)
    for char, others in CONFUSIONS.items():
        assert char not in others
        assert all(char in CONFUSIONS[other] for other in others)


def test_variants_doubtful_character_comes_first_with_its_posterior():
    sure = [(char, 0.99) for char in "ZA123BC"]
    sure[3] = ("2", 0.97)
    sure[6] = ("C", 0.55)

    found = variants("ZA123BC", sure, floor=0.2)

    assert [text for text, _ in found] == ["ZA123BG"]
    assert 0.3 < found[0][1] < 0.5


def test_variants_of_a_sure_reading_are_below_the_floor():
    assert variants("ZO123BC", [(char, 0.99) for char in "ZO123BC"]) == []
    assert variants("ZO123BC", [(char, 0.99) for char in "ZO123BC"], floor=0.0) != []


def test_variants_keep_the_kind_of_every_position():
    for variant, _ in variants("OB308DQ", floor=0.0):
        assert classify(variant).format == "AR_AUTO_MERCOSUR"
        assert sum(a != b for a, b in zip(variant, "OB308DQ", strict=True)) == 1


@given(st.text(alphabet=LETTERS + DIGITS, max_size=9), st.floats(0.01, 1.0))
def test_variants_posteriors_are_probabilities(text, confidence):
    found = variants(text, floor=0.0, confidence=confidence)

    assert sum(p for _, p in found) <= 1.0
    assert len({variant for variant, _ in found}) == len(found)


def test_plate_text_imports_neither_flask_nor_sqlalchemy():
    code = "import sys, json, app.monitoring.plates.plate_text; print(json.dumps(sorted(sys.modules)))"

    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)

    assert not {"flask", "sqlalchemy"} & set(loaded)
