"""The vote of a pass: calibrated, never worse than one reading, robust to insertions and to other masks (A9)."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.monitoring.plates.plate_text import ALPHABETS, FORMATS, alternatives, repair
from workers.analytics.observation import Box, PlateRead
from workers.analytics.plates.consensus import distance, text_of, weigh
from workers.analytics.plates.grammar import PRIORS

BOX = Box(0.1, 0.1, 0.2, 0.2)


def read(text, p=0.95, height=30.0, sharpness=0.8, raw=None, layout="1l", doubts=()):
    """A reading; `doubts` are (position, second character, its probability)."""
    slots = [[(char, p)] for char in text]
    for position, char, doubt in doubts:
        slots[position] = sorted([(text[position], 1 - doubt), (char, doubt)], key=lambda item: -item[1])
    frozen = tuple(tuple(slot) for slot in slots)
    return PlateRead(raw or text, frozen, p, BOX, height, sharpness, None, layout)


def test_weigh_two_equal_readings_are_strong():
    agreed = weigh([read("ZA123BC"), read("ZA123BC")])

    assert (agreed.text, agreed.format, agreed.country, agreed.strength) == ("ZA123BC", "AR_AUTO_MERCOSUR", "AR", "strong")
    assert agreed.posterior >= 0.98
    assert [char for char, _ in agreed.char_conf] == list("ZA123BC")


def test_weigh_one_reading_is_single_however_sure():
    assert weigh([read("ZA123BC", p=0.99)]).strength == "single"


def test_weigh_readings_that_contradict_each_other_are_weak():
    agreed = weigh([read("ZA123BC", p=0.6), read("ZA728XC", p=0.6)])

    assert agreed.strength == "weak"


def test_weigh_doubtful_character_is_outvoted():
    wrong = read("ZO123BC", doubts=[(1, "D", 0.45)])

    agreed = weigh([wrong, read("ZD123BC"), read("ZD123BC", p=0.9)])

    assert agreed.text == "ZD123BC"
    assert agreed.shown == 1


def test_weigh_large_sharp_reading_outweighs_two_distant_blurred_ones():
    near = read("ZA123BC", p=0.97, height=40, sharpness=0.9)
    far = [read("ZA128BC", p=0.6, height=8, sharpness=0.2, doubts=[(4, "3", 0.3)]) for _ in range(2)]

    assert weigh([near, *far]).text == "ZA123BC"


@pytest.mark.parametrize("broken", ["ZA23BC", "ZA1123BC", "A123BC"])
def test_weigh_inserted_and_missing_characters_are_aligned(broken):
    agreed = weigh([read("ZA123BC"), read(broken, p=0.8), read("ZA123BC")])

    assert (agreed.text, agreed.strength) == ("ZA123BC", "strong")


def test_weigh_text_without_format_is_kept_as_other():
    agreed = weigh([read("WA56660"), read("WA56660")])

    assert (agreed.text, agreed.format, agreed.country, agreed.strength) == ("WA56660", "OTRA", None, "strong")


def test_weigh_keeps_what_the_recogniser_said():
    assert weigh([read("ZA123BC", raw="ZAI23BC")]).raw == "ZAI23BC"


@pytest.mark.parametrize(("layout", "country"), [("1d", "AR"), ("1l", None), ("", None)])
def test_weigh_layout_settles_the_country_of_an_ambiguous_mask(layout, country):
    assert weigh([read("ABC123", layout=layout)]).country == country


def test_priors_cover_every_mask_of_the_formats():
    assert set(PRIORS) == {form.mask for form in FORMATS} - {"NNNLLLNNN", "NNNLLNNNLL"}


@given(st.text("ABC1", max_size=8), st.text("ABC1", max_size=8))
def test_distance_is_a_metric_on_small_texts(a, b):
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))


@settings(deadline=None)
@given(st.lists(st.text("ABCZ0123", min_size=1, max_size=9), min_size=1, max_size=6), st.integers(0, 100))
def test_weigh_any_readings_give_a_text_and_probabilities(texts, seed):
    chance = random.Random(seed)
    reads = [read(text, p=chance.uniform(0.3, 1.0), height=chance.uniform(5, 60), sharpness=chance.random()) for text in texts]

    agreed = weigh(reads)

    assert 0.0 <= agreed.posterior <= 1.0
    assert len(agreed.char_conf) == len(agreed.text)
    assert 0 <= agreed.shown < len(reads)
    assert text_of(reads[agreed.shown])


def noisy_read(truth: str, mask: str, chance: random.Random) -> PlateRead:
    """What an honest recogniser says: when it gives a character 0.8, it is right four times out of five."""
    slots = []
    for char, kind in zip(truth, mask, strict=True):
        others = [other for other in alternatives(char) if other in ALPHABETS[kind]] or [
            other for other in ALPHABETS[kind] if other != char]
        sure = chance.choice([0.6, 0.8, 0.9, 0.97, 0.97, 0.99, 0.99])
        first = char if chance.random() < sure else chance.choice(others)
        rest = [other for other in {char, *others} if other != first]
        slots.append(((first, sure), *((other, (1 - sure) / len(rest)) for other in rest)))
    text = "".join(slot[0][0] for slot in slots)
    return PlateRead(text, tuple(slots), 0.9, BOX, 30.0, 0.8, None, "1l")


@pytest.mark.slow("votes hundreds of passes of every format")
def test_weigh_pass_beats_its_single_readings_and_its_posterior_is_calibrated():
    chance, count = random.Random(7), 300
    claimed: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for mask in ("LLNNNLL", "LLLNNN", "LNNNLLL", "NNNLLL", "LLLNLNN"):
        single = passed = 0
        for _ in range(count):
            truth = "".join(chance.choice(ALPHABETS[kind]) for kind in mask)
            reads = [noisy_read(truth, mask, chance) for _ in range(chance.choice([2, 3, 4]))]
            agreed = weigh(reads)
            single += text_of(reads[0]) == truth
            passed += agreed.text == truth
            claimed[int(agreed.posterior * 10)] += agreed.posterior
            right[int(agreed.posterior * 10)] += agreed.text == truth
        assert passed >= single + count / 4, mask

    error = sum(abs(claimed[slot] - right[slot]) for slot in claimed) / (5 * count)

    assert error <= 0.05


def test_repair_and_vote_agree_on_a_typed_confusion():
    fixed = repair("A8I23CO")

    assert fixed is not None
    assert fixed.text == weigh([read("AB123CO", raw="A8I23CO")]).text
