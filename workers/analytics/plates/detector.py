"""The text detector: where lines of text lie in a picture, as straightened strips."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.analytics.pictures import Picture
from workers.analytics.plates.models import DETECTOR, open_session

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
BINARY, BOX_SCORE, GROW = 0.3, 0.5, 1.6
MIN_SIDE_PX = 3.0
SAME_LINE_ANGLE, MAX_GAP_HEIGHTS = math.radians(12), 1.4


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text: centre, size along and across its direction (pixels), angle in radians, detector's score."""

    cx: float
    cy: float
    length: float
    height: float
    angle: float
    score: float

    @property
    def direction(self) -> tuple[float, float]:
        return math.cos(self.angle), math.sin(self.angle)

    def corners(self, grow_x: float = 0.0, grow_up: float = 0.0, grow_down: float = 0.0) -> NDArray[np.float32]:
        """Top left, top right, bottom right, bottom left; grown by fractions of its height."""
        dx, dy = self.direction
        half = self.length / 2 + grow_x * self.height
        up, down = self.height * (0.5 + grow_up), self.height * (0.5 + grow_down)
        ends = ((-half, -up), (half, -up), (half, down), (-half, down))
        return np.array([(self.cx + a * dx - b * dy, self.cy + a * dy + b * dx) for a, b in ends], np.float32)


class TextDetector:
    """PP-OCR's detector on ONNX Runtime."""

    def __init__(self) -> None:
        self._session = open_session(DETECTOR)
        self._input = self._session.get_inputs()[0].name

    def find(self, picture: Picture, side: int) -> list[TextLine]:
        """Lines found with the longer side of the picture brought to `side` pixels, best first."""
        height, width = picture.shape[:2]
        scale = side / max(height, width)
        across, down = (max(32, round(value * scale / 32) * 32) for value in (width, height))
        colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
        resized = cv2.resize(colour, (across, down), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        tensor = ((resized.astype(np.float32) / 255.0 - MEAN) / STD).transpose(2, 0, 1)[None]
        heat = self._session.run(None, {self._input: tensor.astype(np.float32)})[0][0, 0]
        lines = _lines(heat, width / across, height / down)
        return sorted(lines, key=lambda line: (-line.score, line.cx, line.cy))


def _lines(heat: NDArray[Any], scale_x: float, scale_y: float) -> list[TextLine]:
    contours, _ = cv2.findContours((heat > BINARY).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        (cx, cy), (w, h), _ = rect = cv2.minAreaRect(contour)
        if min(w, h) < MIN_SIDE_PX or _score(heat, contour) < BOX_SCORE:
            continue
        grow = w * h * GROW / (2 * (w + h))
        grown = ((cx, cy), (w + 2 * grow, h + 2 * grow), rect[2])
        corners = cv2.boxPoints(grown) * np.array([scale_x, scale_y], np.float32)
        found.append(_line(corners, _score(heat, contour)))
    return found


def _score(heat: NDArray[Any], contour: NDArray[Any]) -> float:
    x, y, w, h = cv2.boundingRect(contour)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [contour - np.array([[x, y]])], 1)
    return float(cv2.mean(heat[y:y + h, x:x + w], mask)[0])


def _line(corners: NDArray[Any], score: float) -> TextLine:
    """From four corners in turn; the text runs along the side nearest to horizontal."""
    first, second = corners[1] - corners[0], corners[2] - corners[1]
    along, across = (first, second) if abs(first[0]) >= abs(second[0]) else (second, first)
    if along[0] < 0:
        along = -along
    cx, cy = corners.mean(axis=0)
    angle = math.atan2(float(along[1]), float(along[0]))
    return TextLine(float(cx), float(cy), float(np.hypot(*along)), float(np.hypot(*across)), angle, score)


def straighten(picture: Picture, corners: NDArray[np.float32]) -> Picture:
    """The quadrilateral as an upright rectangle."""
    width = max(8, round(float(np.hypot(*(corners[1] - corners[0])))))
    height = max(4, round(float(np.hypot(*(corners[3] - corners[0])))))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    transform = cv2.getPerspectiveTransform(corners, target)
    return cv2.warpPerspective(picture, transform, (width, height), borderMode=cv2.BORDER_REPLICATE)


def merge_collinear(lines: list[TextLine]) -> list[TextLine]:
    """Add the unions of neighbours on one line: at large sizes the detector splits the groups of a plate."""
    unions = []
    for index, a in enumerate(lines):
        for b in lines[index + 1:]:
            if _are_neighbours(a, b):
                unions.append(_union(a, b))
    return lines + unions


def _are_neighbours(a: TextLine, b: TextLine) -> bool:
    height = max(a.height, b.height)
    if min(a.height, b.height) < 0.6 * height or abs(a.angle - b.angle) > SAME_LINE_ANGLE:
        return False
    dx, dy = a.direction
    along = (b.cx - a.cx) * dx + (b.cy - a.cy) * dy
    across = abs(-(b.cx - a.cx) * dy + (b.cy - a.cy) * dx)
    gap = abs(along) - (a.length + b.length) / 2
    return across < 0.35 * height and gap < MAX_GAP_HEIGHTS * height


def _union(a: TextLine, b: TextLine) -> TextLine:
    left, right = (a, b) if a.cx <= b.cx else (b, a)
    angle = math.atan2(right.cy - left.cy, right.cx - left.cx)
    dx, dy = math.cos(angle), math.sin(angle)
    start, end = -left.length / 2, math.hypot(right.cx - left.cx, right.cy - left.cy) + right.length / 2
    middle = (start + end) / 2
    return TextLine(left.cx + middle * dx, left.cy + middle * dy, end - start, max(a.height, b.height), angle,
                    min(a.score, b.score))


def are_stacked(upper: TextLine, lower: TextLine) -> bool:
    """Whether two lines are the two rows of a motorcycle's plate."""
    if min(upper.height, lower.height) < 0.55 * max(upper.height, lower.height):
        return False
    dx, dy = upper.direction
    along = (lower.cx - upper.cx) * dx + (lower.cy - upper.cy) * dy
    down = -(lower.cx - upper.cx) * dy + (lower.cy - upper.cy) * dx
    height = (upper.height + lower.height) / 2
    return 0.5 * height < down < 1.8 * height and abs(along) < 0.5 * max(upper.length, lower.length)
