"""The default detector: what moves, found by background subtraction at 320 pixels. It needs no model file."""

from dataclasses import dataclass

import cv2
import numpy as np

from workers.analytics.observation import Box
from workers.analytics.pictures import Picture

GATE_WIDTH = 160
GATE_LEVEL, GATE_SHARE, GATE_RATE = 16, 0.0008, 0.04
HISTORY, VARIANCE = 300, 20.0
IDLE_EVERY = 6
FLOOD_SHARE, FLOOD_FRAMES, FLOOD_RATE = 0.30, 25, 0.05
FOREGROUND = 200
MIN_AREA = 0.0004
VEHICLE_MIN_WIDTH, VEHICLE_MIN_HEIGHT, VEHICLE_MIN_ASPECT = 0.035, 0.035, 0.72
LARGE_AREA, LARGE_MIN_ASPECT = 0.015, 0.5
WARM_FRAMES = 15
PERSON_MIN_HEIGHT = 0.03


@dataclass(frozen=True, slots=True)
class Blob:
    """Something that moves. `is_vehicle` says that its size and shape are a vehicle's."""

    box: Box
    is_vehicle: bool


class MotionDetector:
    """A cheap gate on a 160-pixel background decides whether the mixture model runs on this frame."""

    def __init__(self) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(HISTORY, VARIANCE, detectShadows=True)
        self._gate: Picture | None = None
        self._open = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        self._join = cv2.getStructuringElement(cv2.MORPH_RECT, (7, 7))
        self._seen = self._idle = self._flood = 0
        self.ran = 0

    def find(self, small: Picture, *, awake: bool) -> list[Blob]:
        """The blobs of this frame. `awake` keeps the detector running while something is being followed."""
        self._seen += 1
        if not self._moves(small) and not awake and self._seen > WARM_FRAMES:
            self._idle += 1
            if self._idle % IDLE_EVERY:
                return []
        else:
            self._idle = 0
        self.ran += 1
        foreground = self._foreground(small)
        if foreground is None or self._seen <= WARM_FRAMES:
            return []
        return _blobs(foreground, self._open, self._join)

    def _moves(self, small: Picture) -> bool:
        height = max(1, round(small.shape[0] * GATE_WIDTH / small.shape[1]))
        tiny = cv2.resize(small, (GATE_WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._gate is None or self._gate.shape != tiny.shape:
            self._gate = tiny
            return True
        blue, green, red = cv2.split(cv2.absdiff(tiny, self._gate))
        changed = np.count_nonzero(cv2.max(cv2.max(blue, green), red) > GATE_LEVEL)
        cv2.accumulateWeighted(tiny, self._gate, GATE_RATE)
        return bool(changed > GATE_SHARE * GATE_WIDTH * height)

    def _foreground(self, small: Picture) -> Picture | None:
        """The moving pixels; None while most of the picture changed, which is the light or the camera, not things."""
        mask = self._model.apply(small, learningRate=self._rate())
        solid: Picture = np.where(mask >= FOREGROUND, 255, 0).astype(np.uint8)
        if np.count_nonzero(solid) > FLOOD_SHARE * solid.size:
            self._flood += 1
            return None
        self._flood = 0
        return solid


    def _rate(self) -> float:
        """How fast the background is learned: at once while new, and not at all during a flash of light."""
        if self._flood:
            return FLOOD_RATE if self._flood > FLOOD_FRAMES else 0.0
        return -1.0 if self.ran <= WARM_FRAMES else 1.0 / HISTORY


def _blobs(foreground: Picture, opening: Picture, joining: Picture) -> list[Blob]:
    cleaned = cv2.morphologyEx(foreground, cv2.MORPH_OPEN, opening)
    joined = cv2.morphologyEx(cleaned, cv2.MORPH_CLOSE, joining)
    height, width = joined.shape
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for x, y, w, h, area in stats[1:count]:
        if area < MIN_AREA * width * height or h < PERSON_MIN_HEIGHT * height:
            continue
        box = Box(x / width, y / height, min(1.0, (x + w) / width), min(1.0, (y + h) / height))
        found.append(Blob(box, _is_vehicle(w, h, width, height)))
    return found


def _is_vehicle(w: int, h: int, width: int, height: int) -> bool:
    """Wide rather than tall and not small; seen from above a large one may be longer than wide, a person never is."""
    if w < VEHICLE_MIN_WIDTH * width or h < VEHICLE_MIN_HEIGHT * height:
        return False
    is_large = w * h >= LARGE_AREA * width * height
    return bool(w / h >= (LARGE_MIN_ASPECT if is_large else VEHICLE_MIN_ASPECT))
