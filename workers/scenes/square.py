"""A public place at night seen by a fixed camera: trees, benches, a lit path, and now and then somebody who walks in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from workers.scenes.canvas import FPS, Frame, dial, gradient, label


@dataclass(frozen=True, slots=True)
class Place:
    """Size in pixels and what stands at the back: `trees` for a square, `front` for a bank or a commercial centre."""

    width: int
    height: int
    backdrop: str


@dataclass(frozen=True, slots=True)
class Walk:
    """A person crossing from one side, stopping for `pause_s` in the middle and going on; heights are 0..1 of the picture."""

    coat: tuple[int, int, int]
    row: float
    from_left: bool
    pause_s: float
    start_s: float = 0.2
    speed: float = 0.30

    def position(self, seconds: float) -> float | None:
        """Horizontal position in 0..1, None while away."""
        t = seconds - self.start_s
        if t < 0:
            return None
        half = 0.55 / self.speed
        x = t * self.speed if t < half else 0.55 if t < half + self.pause_s else (t - self.pause_s) * self.speed
        x -= 0.06
        return None if x > 1.06 else (x if self.from_left else 1 - x)


def zone() -> list[dict[str, Any]]:
    """The watched zone as an installer would draw it: the middle of the place."""
    return [
        {"id": "centro", "name": "Sector central", "polygon": [[0.22, 0.45], [0.78, 0.45], [0.86, 0.98], [0.14, 0.98]]}
    ]


def background(place: Place, seed: int, text: str) -> Frame:
    """The empty place at night."""
    size = (place.width, place.height)
    image = Image.fromarray(gradient(size, (18, 25, 40), (40, 46, 56))).convert("RGBA")
    pen = ImageDraw.Draw(image)
    ground = int(place.height * 0.42)
    pen.rectangle(
        (0, ground, place.width, place.height), fill=(44, 56, 48) if place.backdrop == "trees" else (64, 64, 68)
    )
    path = [(0.40, 0.42), (0.60, 0.42), (0.92, 1.0), (0.08, 1.0)]
    pen.polygon([(x * place.width, y * place.height) for x, y in path], fill=(78, 80, 84))
    random = np.random.default_rng(seed)
    if place.backdrop == "trees":
        _trees(pen, place, random)
    else:
        _front(pen, place)
    _light(image, place)
    result = np.asarray(image.convert("RGB")).copy()
    label(result, text)
    return result


def _trees(pen: ImageDraw.ImageDraw, place: Place, random: np.random.Generator) -> None:
    for _ in range(13):
        x, y = random.uniform(0, 1) * place.width, random.uniform(0.40, 0.62) * place.height
        if 0.34 < x / place.width < 0.66:
            continue
        size = (0.05 + 0.10 * (y / place.height - 0.38)) * place.width
        pen.line((x, y, x, y - size * 1.4), fill=(58, 46, 36), width=max(2, int(size / 8)))
        shade = int(random.integers(52, 78))
        pen.ellipse((x - size, y - size * 2.6, x + size, y - size * 0.8), fill=(34, shade, 42))


def _front(pen: ImageDraw.ImageDraw, place: Place) -> None:
    width, base = place.width, int(place.height * 0.44)
    pen.rectangle((0.12 * width, 0.06 * place.height, 0.88 * width, base), fill=(86, 88, 98))
    for index in range(5):
        left = (0.16 + index * 0.145) * width
        pen.rectangle((left, 0.14 * place.height, left + 0.10 * width, base - 8), fill=(40, 50, 68))
        pen.rectangle(
            (left + 4, 0.15 * place.height, left + 0.10 * width - 4, 0.20 * place.height), fill=(196, 172, 104)
        )


def _light(image: Image.Image, place: Place) -> None:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    for x, y in ((0.24, 0.58), (0.76, 0.58), (0.5, 0.47)):
        cx, cy = x * place.width, y * place.height
        pen.ellipse((cx - 90, cy - 22, cx + 90, cy + 22), fill=(255, 228, 170, 46))
        pen.line((cx, cy, cx, cy - 0.34 * place.height), fill=(96, 100, 106, 255), width=3)
        pen.ellipse(
            (cx - 7, cy - 0.35 * place.height - 7, cx + 7, cy - 0.35 * place.height + 7), fill=(255, 238, 190, 255)
        )
    image.alpha_composite(layer.filter(ImageFilter.GaussianBlur(1.5)))


def frames(
    place: Place, empty: Frame, walks: tuple[Walk, ...], count: int
) -> Iterator[tuple[Frame, list[dict[str, Any]]]]:
    """`count` frames and the truth of every visible person."""
    for tick in range(count):
        frame = empty.copy()
        truth = []
        for walk in walks:
            x = walk.position(tick / FPS)
            if x is not None:
                truth.append(_person(frame, place, walk, x, tick))
        dial(frame, tick)
        yield frame, truth


def _person(frame: Frame, place: Place, walk: Walk, x: float, tick: int) -> dict[str, Any]:
    tall = (0.10 + 0.26 * (walk.row - 0.42)) * place.height * 1.6
    cx, foot = x * place.width, walk.row * place.height
    stride = np.sin(tick * 1.1) * tall * 0.13
    hip = (int(cx), int(foot - tall * 0.46))
    thick = max(2, int(tall * 0.085))
    cv2.ellipse(
        frame, (int(cx), int(foot)), (int(tall * 0.2), int(tall * 0.05)), 0, 0, 360, (22, 26, 26), -1, cv2.LINE_AA
    )
    for side in (stride, -stride):
        cv2.line(frame, hip, (int(cx + side), int(foot)), (38, 40, 52), thick, cv2.LINE_AA)
    cv2.line(frame, hip, (int(cx), int(foot - tall * 0.80)), walk.coat, int(tall * 0.2), cv2.LINE_AA)
    cv2.circle(frame, (int(cx), int(foot - tall * 0.92)), max(2, int(tall * 0.085)), (196, 158, 128), -1, cv2.LINE_AA)
    half = tall * 0.2
    box = [(cx - half) / place.width, (foot - tall) / place.height, (cx + half) / place.width, foot / place.height]
    return {"box": [round(min(1.0, max(0.0, v)), 4) for v in box], "cls": "person", "plate": None}
