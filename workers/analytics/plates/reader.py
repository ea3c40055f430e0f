"""Reading of plates in a picture of a vehicle: find lines of text, read each under the grammar, keep what is a plate."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from workers.analytics.observation import Box
from workers.analytics.pictures import Picture, grey, sharpness
from workers.analytics.plates.ctc import Hypothesis, Probabilities, Slots, decode, greedy, slots
from workers.analytics.plates.detector import TextDetector, TextLine, are_stacked, merge_collinear, straighten
from workers.analytics.plates.grammar import SINGLE_MASKS, STACKED_MASKS
from workers.analytics.plates.recogniser import Recogniser

MIN_SCORE = -4.0
CERTAIN = -0.2
UNSEEN_MARGIN = 8.0
MIN_OTHER_CONFIDENCE = 0.85
ASPECT_SINGLE, ASPECT_STACKED_ROW = (1.8, 6.5), (0.8, 4.0)
MIN_HEIGHT_PX = 8.0
MAX_LINES = 6

SINGLE_VIEWS = ((192, 0.08), (224, -0.12))
STACKED_VIEWS = ((128, 0.0), (160, 0.08))
SEPARATOR = np.eye(1, 37, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Reading:
    """One plate in one picture; `score` is the log-probability of the text.

    `mask` is empty when no format fits and the text is the recogniser's own.
    """

    text: str
    raw: str
    mask: str
    score: float
    slots: Slots
    box: Box
    height_px: float
    sharpness: float
    lines: int
    dark: bool
    strip: Picture

    @property
    def confidence(self) -> float:
        """Geometric mean of the characters' probabilities."""
        return math.exp(self.score / max(1, len(self.text)))

    @property
    def layout(self) -> str:
        return f"{self.lines}{'d' if self.dark else 'l'}"


@dataclass(frozen=True, slots=True)
class _Candidate:
    rows: tuple[TextLine, ...]

    @property
    def height(self) -> float:
        return min(row.height for row in self.rows)


class PlateReader:
    """Holds the two models; one per process, used from one thread."""

    def __init__(self) -> None:
        self._detector = TextDetector()
        self._recogniser = Recogniser()

    def read(self, picture: Picture, *, side: int = 480) -> list[Reading]:
        """The plates of a picture, best first; nothing is refused for lacking a format."""
        found = self._detector.find(picture, side)[:MAX_LINES]
        readings = [self._read(picture, candidate) for candidate in _candidates(found)]
        return _without_overlaps(reading for reading in readings if reading is not None)

    def read_plate(self, strip: Picture) -> Reading | None:
        """Read a picture that is already the plate and little else, such as a stored crop."""
        height, width = strip.shape[:2]
        top = 0.18 * height
        whole = TextLine(width / 2, (top + height) / 2, width, height - top, 0.0, 1.0)
        readings = [self._read(strip, _Candidate((whole,)))]
        if width / height < 1.9:
            rows = ((0.2, 0.62), (0.55, 1.0))
            stacked = tuple(TextLine(width / 2, (a + b) / 2 * height, width, (b - a) * height, 0.0, 1.0) for a, b in rows)
            readings.append(self._read(strip, _Candidate(stacked)))
        return max((reading for reading in readings if reading), key=lambda reading: reading.score, default=None)

    def _read(self, picture: Picture, candidate: _Candidate) -> Reading | None:
        stacked = len(candidate.rows) == 2
        masks, views = (STACKED_MASKS, STACKED_VIEWS) if stacked else (SINGLE_MASKS, SINGLE_VIEWS)
        outputs, hypotheses = [], []
        for width, grow in views:
            outputs.append(self._output(picture, candidate, width, grow))
            hypotheses.append(decode(outputs[-1], masks))
            if hypotheses[0] and hypotheses[0][0].score > CERTAIN:
                break
        best = _agreed(hypotheses)
        raw, raw_confidence = greedy(outputs[0])
        if best is None or best.score - masks[best.mask] < MIN_SCORE:
            if not _may_be_a_plate(raw, raw_confidence):
                return None
            own = tuple(((char, round(raw_confidence, 4)),) for char in raw)
            return _reading(picture, candidate, Hypothesis(raw, "", len(raw) * math.log(raw_confidence)), raw, own)
        votes = [slots(output, best.text, best.mask) for output in outputs]
        evidence = replace(best, score=best.score - masks[best.mask])
        return _reading(picture, candidate, evidence, raw, _mean_slots(votes))

    def _output(self, picture: Picture, candidate: _Candidate, width: int, grow: float) -> Probabilities:
        outputs: list[Probabilities] = []
        for row in candidate.rows:
            line = straighten(picture, row.corners(0.0, grow, grow))
            outputs += [self._recogniser.probabilities(line, width), SEPARATOR]
        return np.concatenate(outputs[:-1])


def _candidates(found: list[TextLine]) -> list[_Candidate]:
    singles = [_Candidate((line,)) for line in merge_collinear(found)
               if ASPECT_SINGLE[0] <= line.length / line.height <= ASPECT_SINGLE[1]]
    low, high = ASPECT_STACKED_ROW
    rows = [line for line in found if low <= line.length / line.height <= high]
    pairs = [_Candidate((upper, lower)) for upper in rows for lower in rows if are_stacked(upper, lower)]
    return [candidate for candidate in singles + pairs if candidate.height >= MIN_HEIGHT_PX]


def _agreed(views: list[list[Hypothesis]]) -> Hypothesis | None:
    """The text best on average over the views; one that a view does not list counts there well below its best."""
    if len(views) == 1:
        return views[0][0] if views[0] else None
    texts = {(item.text, item.mask) for view in views for item in view}
    best = None
    for text, mask in sorted(texts):
        total = 0.0
        for view in views:
            scores = {(item.text, item.mask): item.score for item in view}
            worst = view[0].score - UNSEEN_MARGIN if view else -2 * UNSEEN_MARGIN
            total += max(scores.get((text, mask), worst), worst)
        if best is None or total / len(views) > best.score:
            best = Hypothesis(text, mask, total / len(views))
    return best


def _may_be_a_plate(raw: str, confidence: float) -> bool:
    digits = sum(char.isdigit() for char in raw)
    return 5 <= len(raw) <= 9 and 2 <= digits < len(raw) and confidence >= MIN_OTHER_CONFIDENCE


def _mean_slots(votes: list[Slots]) -> Slots:
    merged = []
    for position in zip(*votes, strict=True):
        total: dict[str, float] = {}
        for slot in position:
            for char, p in slot:
                total[char] = total.get(char, 0.0) + p / len(votes)
        merged.append(tuple(sorted(((c, round(p, 4)) for c, p in total.items()), key=lambda item: (-item[1], item[0]))))
    return tuple(merged)


def _reading(picture: Picture, candidate: _Candidate, best: Hypothesis, raw: str, votes: Slots) -> Reading:
    corners = np.concatenate([row.corners(0.15, 0.1, 0.1) for row in candidate.rows])
    height, width = picture.shape[:2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    x1, y1, x2, y2 = (int(max(0, low[0])), int(max(0, low[1])), int(min(width, math.ceil(high[0]))),
                      int(min(height, math.ceil(high[1]))))
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    strip = picture[y1:y2, x1:x2].copy()
    return Reading(
        best.text, raw, best.mask, best.score, votes, Box(x1 / width, y1 / height, x2 / width, y2 / height),
        candidate.height, sharpness(strip), len(candidate.rows), _is_dark(strip), strip,
    )


def _is_dark(strip: Picture) -> bool:
    """Bright characters on a dark field: characters cover less than their background."""
    _, binary = cv2.threshold(grey(strip), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return bool(binary.mean() < 127.5)


def _without_overlaps(readings: Iterable[Reading]) -> list[Reading]:
    """Of readings of the same place the one with a format wins, then the better score."""
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda item: (not item.mask, -item.score, item.text)):
        if not any(_overlap(reading.box, other.box) for other in kept):
            kept.append(reading)
    return kept


def _overlap(a: Box, b: Box) -> bool:
    wide = min(a.x2, b.x2) - max(a.x1, b.x1)
    tall = min(a.y2, b.y2) - max(a.y1, b.y1)
    return wide > 0 and tall > 0 and wide * tall > 0.25 * min(a.width * a.height, b.width * b.height)
