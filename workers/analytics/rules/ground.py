"""Where things stand: metres on a calibrated ground plane, otherwise frame heights measured in box heights."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.analytics.rules.geometry import InvalidShape, Point, Polygon, checked_polygon, contains

MAX_RMS_M = 0.5


@dataclass(frozen=True, slots=True)
class Ground:
    """A homography from the frame (0..1) to metres, trusted inside `valid` only (None: everywhere)."""

    matrix: tuple[float, ...]
    valid: Polygon | None

    def metres(self, p: Point) -> Point | None:
        """The point on the ground, or None where the calibration says nothing."""
        if not contains(self.valid, p):
            return None
        m = self.matrix
        depth = m[6] * p[0] + m[7] * p[1] + m[8]
        if abs(depth) < 1e-12:
            return None
        return (m[0] * p[0] + m[1] * p[1] + m[2]) / depth, (m[3] * p[0] + m[4] * p[1] + m[5]) / depth


def ground_from_pairs(pairs: Sequence[Sequence[float]], valid: object = None) -> Ground:
    """Fit rows of (x, y, X, Y); raises `InvalidShape` under four pairs or when the fit is worse than 0.5 m."""
    rows = np.asarray(pairs, dtype=float)
    if rows.ndim != 2 or rows.shape[0] < 4 or rows.shape[1] != 4 or not np.isfinite(rows).all():
        raise InvalidShape("calibration_pairs")
    equations = []
    for x, y, ground_x, ground_y in rows:
        equations.append([x, y, 1, 0, 0, 0, -ground_x * x, -ground_x * y, -ground_x])
        equations.append([0, 0, 0, x, y, 1, -ground_y * x, -ground_y * y, -ground_y])
    _, singular, vectors = np.linalg.svd(np.asarray(equations))
    if singular[-2] < 1e-9 * singular[0]:
        raise InvalidShape("calibration_degenerate")
    plane = Ground(tuple(float(value) for value in vectors[-1]), None)
    errors = []
    for x, y, ground_x, ground_y in rows:
        point = plane.metres((x, y))
        errors.append(math.inf if point is None else math.dist(point, (ground_x, ground_y)) ** 2)
    if math.sqrt(sum(errors) / len(errors)) > MAX_RMS_M:
        raise InvalidShape("calibration_rms")
    return Ground(plane.matrix, None if valid is None else checked_polygon(valid))


def parse_ground(data: Mapping[str, Any] | None) -> Ground | None:
    return None if not data else ground_from_pairs(data.get("pairs", ()), data.get("valid"))


@dataclass(frozen=True, slots=True)
class Space:
    """Turns frame points into the plane in which distances are measured."""

    aspect: float
    ground: Ground | None

    def place(self, p: Point) -> Point | None:
        """Metres when calibrated (None outside the calibration), else units of the frame's height."""
        return (p[0] * self.aspect, p[1]) if self.ground is None else self.ground.metres(p)

    @property
    def calibrated(self) -> bool:
        return self.ground is not None
