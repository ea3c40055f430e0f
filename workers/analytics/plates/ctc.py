"""Decoding of a CTC output under the grammar of plates: only texts that some format allows compete.

Columns of the folded output: 0 is blank, 1-26 the letters, 27-36 the digits. Both cases of a letter are summed and every
other symbol counts as blank before this module sees them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.monitoring.plates.plate_text import ALPHABETS, DIGITS, LETTERS

SYMBOLS = LETTERS + DIGITS
COLUMN = {char: index + 1 for index, char in enumerate(SYMBOLS)}
BEAM, FLOOR = 12, 5e-4
TOP_SLOTS = 4

Probabilities = NDArray[np.float32]
Slots = tuple[tuple[tuple[str, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A text that fits `mask`. `score` is the log-probability of the text plus the prior of its mask."""

    text: str
    mask: str
    score: float


@lru_cache(maxsize=16)
def _grammar(masks: tuple[str, ...]) -> tuple[tuple[dict[str, int], ...], tuple[int, ...]]:
    """For each position, which masks (as bits) allow each symbol; and which masks end at each length."""
    longest = max(map(len, masks))
    allowed: list[dict[str, int]] = []
    for position in range(longest):
        bits: dict[str, int] = {}
        for number, mask in enumerate(masks):
            if position < len(mask):
                for char in ALPHABETS[mask[position]]:
                    bits[char] = bits.get(char, 0) | 1 << number
        allowed.append(bits)
    ends = tuple(sum(1 << number for number, mask in enumerate(masks) if len(mask) == length)
                 for length in range(longest + 1))
    return tuple(allowed), ends


def decode(output: Probabilities, priors: Mapping[str, float]) -> list[Hypothesis]:
    """Prefix beam search over the texts that the masks of `priors` (mask → log prior) allow, best first."""
    masks = tuple(priors)
    allowed, ends = _grammar(masks)
    beams: dict[str, tuple[float, float, int]] = {"": (1.0, 0.0, (1 << len(masks)) - 1)}
    scale = 0.0
    for row in output.astype(float):
        candidates = [(SYMBOLS[i], float(row[i + 1])) for i in np.flatnonzero(row[1:] > FLOOR)]
        beams, total = _advance(beams, row, candidates, allowed)
        if total <= 0.0:
            return []
        scale += math.log(total)
    found = []
    for text, (blank, other, alive) in beams.items():
        complete = alive & ends[len(text)] if text else 0
        for number, mask in enumerate(masks):
            if complete >> number & 1:
                found.append(Hypothesis(text, mask, math.log(blank + other) + scale + priors[mask]))
    return sorted(found, key=lambda item: (-item.score, item.text, item.mask))


def _advance(
    beams: Mapping[str, tuple[float, float, int]], row: NDArray[np.float64], candidates: Sequence[tuple[str, float]],
    allowed: Sequence[Mapping[str, int]],
) -> tuple[dict[str, tuple[float, float, int]], float]:
    """One time step: every prefix stays, or grows by a symbol its grammar allows; the best are kept, normalised."""
    grown: dict[str, tuple[float, float, int]] = {}
    p_blank = float(row[0])
    for prefix, (blank, other, alive) in beams.items():
        both = blank + other
        last = prefix[-1:]
        stay = grown.get(prefix, (0.0, 0.0, alive))
        repeat = other * float(row[COLUMN[last]]) if last else 0.0
        grown[prefix] = (stay[0] + both * p_blank, stay[1] + repeat, alive)
        if len(prefix) == len(allowed):
            continue
        here = allowed[len(prefix)]
        for char, p in candidates:
            still = alive & here.get(char, 0)
            if still:
                text = prefix + char
                before = grown.get(text, (0.0, 0.0, still))
                grown[text] = (before[0], before[1] + (blank if char == last else both) * p, still)
    kept = sorted(grown.items(), key=lambda item: (-(item[1][0] + item[1][1]), item[0]))[:BEAM]
    total = sum(blank + other for _, (blank, other, _) in kept)
    if total <= 0.0:
        return {}, 0.0
    return {text: (blank / total, other / total, alive) for text, (blank, other, alive) in kept}, total


def greedy(output: Probabilities) -> tuple[str, float]:
    """The text without any grammar, and the geometric mean of its symbols' probabilities."""
    best = output.argmax(axis=1)
    text, logs, last = [], [], 0
    for row, column in zip(output, best, strict=True):
        if column and column != last:
            text.append(SYMBOLS[column - 1])
            logs.append(math.log(max(float(row[column]), 1e-9)))
        last = column
    return "".join(text), math.exp(sum(logs) / len(logs)) if logs else 0.0


def slots(output: Probabilities, text: str, mask: str) -> Slots:
    """For each position of `text`, the best symbols its mask allows, weighed by where the text lies in the output."""
    weights = _occupancy(output.astype(float), text)
    found = []
    for position, kind in enumerate(mask):
        columns = [COLUMN[char] for char in ALPHABETS[kind]]
        mass = weights[:, position] @ output[:, columns]
        mass = np.maximum(mass, 1e-6)
        mass /= mass.sum()
        order = np.argsort(-mass, kind="stable")[:TOP_SLOTS]
        found.append(tuple((ALPHABETS[kind][i], round(float(mass[i]), 4)) for i in order))
    return tuple(found)


def _occupancy(output: NDArray[np.float64], text: str) -> NDArray[np.float64]:
    """Forward-backward: how likely each time step belongs to each position of the text."""
    path = np.zeros(2 * len(text) + 1, dtype=int)
    path[1::2] = [COLUMN[char] for char in text]
    emitted = output[:, path] + 1e-12
    skip = np.zeros(len(path))
    skip[2:] = (path[2:] != 0) & (path[2:] != path[:-2])
    ahead = _sweep(emitted, skip)
    behind = _sweep(emitted[::-1, ::-1], _mirrored(skip))[::-1, ::-1]
    joint = ahead * behind / emitted
    joint /= joint.sum(axis=1, keepdims=True)
    weights: NDArray[np.float64] = joint[:, 1::2]
    return weights


def _mirrored(skip: NDArray[np.float64]) -> NDArray[np.float64]:
    mirrored = np.zeros_like(skip)
    mirrored[2:] = skip[2:][::-1]
    return mirrored


def _sweep(emitted: NDArray[np.float64], skip: NDArray[np.float64]) -> NDArray[np.float64]:
    alpha = np.zeros_like(emitted)
    row = np.zeros(emitted.shape[1])
    row[:2] = emitted[0, :2]
    alpha[0] = row / row.sum()
    for step in range(1, len(emitted)):
        before = alpha[step - 1]
        row = before.copy()
        row[1:] += before[:-1]
        row[2:] += before[:-2] * skip[2:]
        row *= emitted[step]
        alpha[step] = row / row.sum()
    return alpha
