"""What every scene draws with: premultiplied blending, sensor noise, the running dial and the demonstration mark."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Frame = NDArray[np.uint8]
FPS = 12.5
NOISE_SIGMA = 2.2


class Noise:
    """A bank of sensor noise rolled at random: a camera that works never repeats a frame."""

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        width, height = size
        self._random = np.random.default_rng(seed)
        self._bank = self._random.normal(0.0, NOISE_SIGMA, (height, width, 1)).astype(np.int16)

    def add(self, frame: Frame) -> Frame:
        shift = tuple(int(n) for n in self._random.integers(0, 200, 2))
        noisy = frame.astype(np.int16) + np.roll(self._bank, shift, axis=(0, 1))
        return np.clip(noisy, 0, 255).astype(np.uint8)


def paste(
    frame: Frame, sprite: NDArray[np.float32], *, left: float, bottom: float, width: float, opacity: float = 1.0
) -> None:
    """Blend an RGBA sprite (premultiplied) onto an RGB frame, scaled to `width` pixels, clipped at the borders."""
    scale = width / sprite.shape[1]
    height = max(1, round(sprite.shape[0] * scale))
    columns = max(1, round(width))
    shape = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(sprite, (columns, height), interpolation=shape) * np.float32(opacity)
    x, y = round(left), round(bottom) - height
    x0, y0, x1, y1 = max(0, x), max(0, y), min(frame.shape[1], x + columns), min(frame.shape[0], y + height)
    if x0 >= x1 or y0 >= y1:
        return
    part = image[y0 - y : y1 - y, x0 - x : x1 - x]
    target = frame[y0:y1, x0:x1].astype(np.float32)
    frame[y0:y1, x0:x1] = np.clip(target * (1.0 - part[..., 3:]) + part[..., :3] * 255.0, 0, 255).astype(np.uint8)


def dial(frame: Frame, tick: int) -> None:
    """A small dial whose hand turns once per second, so that nobody takes a stopped picture for a live one."""
    centre = (frame.shape[1] - 22, 20)
    angle = 2 * np.pi * tick / FPS
    tip = (int(centre[0] + 9 * np.sin(angle)), int(centre[1] - 9 * np.cos(angle)))
    cv2.circle(frame, centre, 11, (225, 230, 238), 1, cv2.LINE_AA)
    cv2.line(frame, centre, tip, (225, 230, 238), 2, cv2.LINE_AA)


def label(background: Frame, text: str) -> None:
    """Write the demonstration mark into the background, in place."""
    image = Image.fromarray(background)
    pen = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(max(12, background.shape[0] // 36))
    pen.text((12, 8), text, font=font, fill=(230, 235, 242, 190))
    background[:] = np.asarray(image)


def gradient(size: tuple[int, int], top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Frame:
    """A vertical gradient, RGB."""
    width, height = size
    ramp = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None, None]
    column = np.array(top, dtype=np.float32) * (1 - ramp) + np.array(bottom, dtype=np.float32) * ramp
    return np.repeat(column, width, axis=1).astype(np.uint8)
