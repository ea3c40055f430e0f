"""The text recogniser: an image of one line of text in, probabilities of plate symbols over time out."""

import cv2
import numpy as np

from workers.analytics.pictures import Picture
from workers.analytics.plates.ctc import SYMBOLS, Probabilities
from workers.analytics.plates.models import RECOGNISER, open_session

HEIGHT = 48
MIN_WIDTH, MAX_WIDTH = 32, 320


class Recogniser:
    """PP-OCR's recogniser on ONNX Runtime, its eighteen thousand symbols folded into blank, letters and digits."""

    def __init__(self) -> None:
        self._session = open_session(RECOGNISER)
        self._input = self._session.get_inputs()[0].name
        listed = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        self._columns = [[n + 1 for n, char in enumerate(listed) if char.upper() == symbol] for symbol in SYMBOLS]

    def probabilities(self, line: Picture, width: int) -> Probabilities:
        """One row per time step, summing to one. The line is stretched to 48 × `width` pixels."""
        width = min(MAX_WIDTH, max(MIN_WIDTH, width))
        colour = cv2.cvtColor(line, cv2.COLOR_GRAY2BGR) if line.ndim == 2 else line
        resized = cv2.resize(colour, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
        tensor = ((resized.astype(np.float32) / 255.0 - 0.5) / 0.5).transpose(2, 0, 1)[None]
        raw = self._session.run(None, {self._input: tensor})[0][0]
        folded = np.empty((len(raw), len(SYMBOLS) + 1), dtype=np.float32)
        for index, columns in enumerate(self._columns):
            folded[:, index + 1] = raw[:, columns].sum(axis=1)
        folded[:, 0] = np.maximum(1.0 - folded[:, 1:].sum(axis=1), 0.0)
        return folded
