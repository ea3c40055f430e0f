"""Measures of the picture itself, once a second, for the tamper rules."""

from hashlib import blake2b

import cv2
import numpy as np

from workers.analytics.observation import Quality
from workers.analytics.pictures import Picture, grey

EVERY_NS = 1_000_000_000
EDGE_LEVEL = 40


class QualityMeter:
    """Looks at one frame a second of one camera."""

    def __init__(self) -> None:
        self._next = -1

    def measure(self, pts_ns: int, luma: Picture, small: Picture) -> Quality | None:
        """The measures when they are due, else None. The hash is of the full luma, exactly."""
        if 0 <= pts_ns < self._next and self._next - pts_ns <= 2 * EVERY_NS:
            return None
        self._next = pts_ns + EVERY_NS
        reduced = grey(small)
        mean, std = cv2.meanStdDev(reduced)
        edges = cv2.magnitude(cv2.Sobel(reduced, cv2.CV_32F, 1, 0), cv2.Sobel(reduced, cv2.CV_32F, 0, 1))
        digest = blake2b(np.ascontiguousarray(luma).data, digest_size=12).hexdigest()
        return Quality(
            luma_mean=round(float(mean[0][0]), 2), luma_std=round(float(std[0][0]), 2),
            edge_density=round(float((edges > EDGE_LEVEL).mean()), 4),
            sharpness=round(float(cv2.Laplacian(reduced, cv2.CV_32F).var()), 2), frame_hash=digest, scene_sim=None,
        )
