"""The vote of a pass: several readings of one vehicle's plate become one text, how sure, and the reading that shows it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.monitoring.plates.plate_text import ALPHABETS, OTHER, classify
from workers.analytics.observation import PlateRead
from workers.analytics.plates.grammar import PRIORS

Strength = Literal["strong", "weak", "single"]

P_MIN, P_MAX = 0.01, 0.99
FULL_HEIGHT_PX, MIN_HEIGHT_WEIGHT = 30.0, 0.2
MIN_SHARPNESS = 0.05
STRONG_POSTERIOR, STRONG_READS = 0.98, 2
TEMPERATURE = 1.0
MAX_GAP = 30.0

Votes = list[tuple[float, dict[str, float]]]
"""What each reading says at one position: its weight, and the probabilities of its characters."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the readings of a pass say together; `raw` is what the shown reading said before any grammar."""

    text: str
    raw: str
    format: str
    country: str | None
    strength: Strength
    posterior: float
    char_conf: tuple[tuple[str, float], ...]
    shown: int
    reads: int


@dataclass(frozen=True, slots=True)
class _Vote:
    text: str
    score: float
    gap: float


def text_of(read: PlateRead) -> str:
    return "".join(slot[0][0] for slot in read.slots)


def distance(a: str, b: str) -> int:
    """Edit distance."""
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (char != other))
    return row[-1]


def weigh(reads: Sequence[PlateRead]) -> Consensus:
    """Vote. Needs at least one reading; readings of two vehicles must have been told apart before."""
    texts = [text_of(read) for read in reads]
    weights = [_weight(read) for read in reads]
    medoid = _medoid(texts, weights)
    votes = _votes(reads, texts, weights, medoid)
    text, posterior, char_conf = _best(votes, len(medoid))
    shown = _shown(reads, texts, text)
    layout = reads[shown].layout
    kind = classify(text, dark="d" in layout if layout else None, lines=int(layout[0]) if layout else None)
    return Consensus(
        text, reads[shown].raw or texts[shown], kind.format, kind.country if kind.format != OTHER else None,
        _strength(texts, posterior), posterior, char_conf, shown, len(reads),
    )


def _weight(read: PlateRead) -> float:
    height = min(1.0, max(MIN_HEIGHT_WEIGHT, read.height_px / FULL_HEIGHT_PX))
    return height * max(read.sharpness, MIN_SHARPNESS)


def _medoid(texts: Sequence[str], weights: Sequence[float]) -> str:
    """The text nearest to all others, heavier readings counting more; one that fits a format comes before a piece."""
    def cost(text: str) -> tuple[bool, float, int, int]:
        far = sum(weight * distance(text, other) for other, weight in zip(texts, weights, strict=True))
        return classify(text).format == OTHER, round(far, 6), -texts.count(text), texts.index(text)

    return min(texts, key=cost)


def _votes(reads: Sequence[PlateRead], texts: Sequence[str], weights: Sequence[float], medoid: str) -> list[Votes]:
    """Per position of the medoid, the slots that align with it and their weight.

    Weights are relative to the best reading, so that a small distant plate is not doubted for being small alone.
    """
    heaviest = max(weights)
    positions: list[Votes] = [[] for _ in medoid]
    for read, text, weight in zip(reads, texts, weights, strict=True):
        for target, source in _alignment(medoid, text):
            positions[target].append((weight / heaviest, dict(read.slots[source])))
    return positions


def _alignment(target: str, source: str) -> list[tuple[int, int]]:
    """Pairs of positions matched by a cheapest edit script; inserted and deleted characters pair with nothing."""
    if len(target) == len(source):
        return [(position, position) for position in range(len(target))]
    table = [[i + j if i * j == 0 else 0 for j in range(len(source) + 1)] for i in range(len(target) + 1)]
    for i, char in enumerate(target, start=1):
        for j, other in enumerate(source, start=1):
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (char != other))
    pairs, i, j = [], len(target), len(source)
    while i and j:
        if table[i][j] == table[i - 1][j - 1] + (target[i - 1] != source[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i][j] == table[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _best(votes: Sequence[Votes], length: int) -> tuple[str, float, tuple[tuple[str, float], ...]]:
    """The best text of the best mask of that length, its posterior against the runner-up, and each character's share."""
    ranked = sorted((_under(mask, votes) for mask in PRIORS if len(mask) == length), key=lambda item: -item.score)
    seen = [{char for _, slot in slots for char in slot} for slots in votes]
    if not ranked or any(char not in chars for char, chars in zip(ranked[0].text, seen, strict=True)):
        # The mask had to invent a character that no reading proposed: no format fits, and the vote is free.
        ranked = [_vote(0.0, votes, ["".join(sorted(chars)) for chars in seen])]
    best = ranked[0]
    gap = min([best.gap, *(best.score - other.score for other in ranked[1:] if other.text != best.text)])
    return best.text, round(1.0 / (1.0 + math.exp(-gap / TEMPERATURE)), 4), _shares(best.text, votes)


def _under(mask: str, votes: Sequence[Votes]) -> "_Vote":
    return _vote(PRIORS[mask], votes, [ALPHABETS[kind] for kind in mask])


def _vote(prior: float, votes: Sequence[Votes], alphabets: Sequence[str]) -> "_Vote":
    """The winner at each position, and how far the closest runner-up of any position is."""
    text, score, gap = "", prior, MAX_GAP
    for slots, alphabet in zip(votes, alphabets, strict=True):
        totals = _totals(slots, alphabet)
        order = sorted(alphabet, key=lambda char: (-totals[char], char))
        text += order[0]
        score += totals[order[0]]
        if len(order) > 1:
            gap = min(gap, totals[order[0]] - totals[order[1]])
    return _Vote(text, score, gap)


def _totals(slots: Votes, alphabet: str) -> dict[str, float]:
    """Summed log-probability of each character; most are in no slot and share the floor."""
    floor = math.log(P_MIN)
    totals = dict.fromkeys(alphabet, sum(weight for weight, _ in slots) * floor)
    for weight, slot in slots:
        for char, p in slot.items():
            if char in totals:
                totals[char] += weight * (math.log(min(P_MAX, max(P_MIN, p))) - floor)
    return totals


def _shares(text: str, votes: Sequence[Votes]) -> tuple[tuple[str, float], ...]:
    shares = []
    for char, slots in zip(text, votes, strict=True):
        total = sum(weight for weight, _ in slots)
        mean = sum(weight * slot.get(char, 0.0) for weight, slot in slots) / total if total else 0.0
        shares.append((char, round(mean, 4)))
    return tuple(shares)


def _strength(texts: Sequence[str], posterior: float) -> Strength:
    if len(texts) == 1:
        return "single"
    close = any(distance(a, b) <= 1 for i, a in enumerate(texts) for b in texts[i + 1:])
    return "strong" if close and posterior >= STRONG_POSTERIOR and len(texts) >= STRONG_READS else "weak"


def _shown(reads: Sequence[PlateRead], texts: Sequence[str], text: str) -> int:
    """The reading that says what was agreed, or comes nearest, with the largest and sharpest picture."""
    return min(range(len(reads)), key=lambda n: (distance(texts[n], text), -reads[n].height_px * reads[n].sharpness, n))
