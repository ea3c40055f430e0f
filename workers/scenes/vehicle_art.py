"""Vehicles seen from the front and from behind, drawn once and scaled by the scene."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from workers.scenes.plate_art import draw_plate

WIDTH_MM = 2000
HEIGHT_MM = 1500
SCALE = 0.32  # sprite pixels per millimetre: enough for the nearest frame

PALETTE = {
    "gris": (176, 182, 190),
    "rojo": (150, 36, 38),
    "azul": (46, 82, 132),
    "blanco": (226, 228, 230),
    "negro": (44, 46, 52),
    "verde": (58, 96, 76),
}


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What a rendered vehicle looks like; `plate` is text without spaces or empty for a blurred blank."""

    colour: str
    plate: str
    rear: bool = False


@lru_cache(maxsize=64)
def sprite(vehicle: Vehicle) -> NDArray[np.float32]:
    """RGBA in 0..1, shape (h, w, 4), premultiplied alpha; bottom edge on the ground, centred."""
    width, height = int(WIDTH_MM * SCALE), int(HEIGHT_MM * SCALE)
    image = Image.new("RGBA", (width * 2, height * 2), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    _shadow(image)
    _body(pen, PALETTE[vehicle.colour], rear=vehicle.rear)
    _lights(image, rear=vehicle.rear)
    _plate(image, vehicle.plate)
    small = image.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(small, dtype=np.float32) / 255.0
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def _mm(*values: float) -> tuple[float, ...]:
    """Millimetres from the left and from the ground, in pairs, to pixels of the double-size canvas."""
    scale = SCALE * 2
    return tuple(value * scale if index % 2 == 0 else (HEIGHT_MM - value) * scale for index, value in enumerate(values))


def _shadow(image: Image.Image) -> None:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    ImageDraw.Draw(layer).ellipse(_mm(60, 190, 1940, 0), fill=(0, 0, 0, 150))
    image.alpha_composite(layer.filter(ImageFilter.GaussianBlur(18)))


def _body(pen: ImageDraw.ImageDraw, colour: tuple[int, int, int], *, rear: bool) -> None:
    light = tuple(min(255, int(c * 1.18) + 8) for c in colour)
    dark = tuple(int(c * 0.62) for c in colour)
    for left in (190, 1560):
        pen.rounded_rectangle(_mm(left, 330, left + 250, 20), radius=22, fill=(18, 18, 20))
    pen.polygon(_mm(330, 960, 540, 1440, 1460, 1440, 1670, 960), fill=dark)
    pen.polygon(_mm(410, 970, 590, 1385, 1410, 1385, 1590, 970), fill=(26, 34, 46))
    pen.polygon(_mm(480, 985, 630, 1350, 900, 1350, 780, 985), fill=(52, 66, 86))
    pen.rounded_rectangle(_mm(180, 1000, 1820, 230), radius=70, fill=colour)
    pen.rounded_rectangle(_mm(240, 990, 1760, 830), radius=50, fill=light)
    pen.rounded_rectangle(_mm(200, 420, 1800, 210), radius=40, fill=dark)
    if not rear:
        pen.rounded_rectangle(_mm(640, 760, 1360, 640), radius=18, fill=(20, 22, 26))
    for side in (120, 1780):
        pen.rounded_rectangle(_mm(side, 1060, side + 110, 960), radius=16, fill=dark)


def _lights(image: Image.Image, *, rear: bool) -> None:
    glow = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(glow)
    lamp = (214, 40, 36, 255) if rear else (255, 244, 205, 255)
    for left in (250, 1480):
        pen.rounded_rectangle(_mm(left, 790, left + 270, 640), radius=34, fill=lamp)
    halo = glow.filter(ImageFilter.GaussianBlur(14))
    image.alpha_composite(halo)
    image.alpha_composite(glow)


def _plate(image: Image.Image, text: str) -> None:
    scale = SCALE * 2
    plate = draw_plate(text) if text else Image.new("RGBA", (400, 130), (214, 216, 214, 255))
    size = (round(plate.width * scale), round(plate.height * scale))
    left, top = _mm(1000 - plate.width / 2, 560)
    image.alpha_composite(plate.resize(size, Image.Resampling.LANCZOS), (round(left), round(top)))


# Where the plate is on the vehicle, in millimetres from its left edge and from the ground.
PLATE_TOP_MM = 560
