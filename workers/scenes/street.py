"""A two-way street seen by a fixed camera: projection, background, and vehicles that come, go and go the wrong way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from workers.scenes.canvas import FPS, Frame, dial, gradient, label, paste
from workers.scenes.vehicle_art import HEIGHT_MM, PLATE_TOP_MM, WIDTH_MM, Vehicle, sprite

LANE_M = 3.3
FAR_M = 95.0
FADE_M = 18.0


@dataclass(frozen=True, slots=True)
class View:
    """A pinhole camera over the road: focal length in pixels, height over the road in metres, horizon row in pixels.

    `shift_m` moves the camera sideways from the centre line; traffic drives on the right, so that vehicles coming
    towards the camera are on the left of the picture.
    """

    width: int
    height: int
    focal: float
    camera_height_m: float
    horizon: float
    shift_m: float = 0.0

    def ground(self, x_m: float, z_m: float) -> tuple[float, float]:
        """The pixel of a point of the road, `x_m` right of the centre line and `z_m` ahead."""
        scale = self.focal / z_m
        return self.width / 2 + (x_m - self.shift_m) * scale, self.horizon + self.camera_height_m * scale

    def near_m(self) -> float:
        """Where the bottom edge of the picture meets the road, in metres ahead."""
        return self.focal * self.camera_height_m / (self.height - self.horizon)


@dataclass(frozen=True, slots=True)
class Pass:
    """One vehicle along one lane: `towards` the camera or away from it, from `start_s` on, at `speed` metres per second."""

    vehicle: Vehicle
    lane: str
    towards: bool
    speed: float
    start_s: float = 0.2

    def distance(self, view: View, seconds: float) -> float | None:
        """Metres ahead of the camera at that moment, None before it appears and after it has left."""
        travelled = (seconds - self.start_s) * self.speed
        near = view.near_m() * 0.42
        if travelled < 0 or travelled > FAR_M - near:
            return None
        return FAR_M - travelled if self.towards else near + travelled


def lane_centre(lane: str) -> float:
    """Metres right of the centre line: oncoming traffic is on the left of the picture."""
    return -LANE_M / 2 if lane == "oncoming" else LANE_M / 2


def lanes(view: View) -> list[dict[str, Any]]:
    """The scene's lanes as polygons and legal axes in 0..1 of the picture, as an installer would draw them."""
    drawn = []
    for identifier, name in (("oncoming", "Ingreso"), ("outgoing", "Egreso")):
        left = -LANE_M if identifier == "oncoming" else 0.0
        near, far = view.near_m() * 1.02, FAR_M * 0.8
        ring = [
            view.ground(left, far),
            view.ground(left + LANE_M, far),
            view.ground(left + LANE_M, near),
            view.ground(left, near),
        ]
        centre = lane_centre(identifier)
        axis = [view.ground(centre, far), view.ground(centre, near)]
        if identifier == "outgoing":
            axis.reverse()
        drawn.append(
            {
                "id": identifier,
                "name": name,
                "polygon": [_relative(view, point) for point in ring],
                "axis": [_relative(view, point) for point in axis],
            }
        )
    return drawn


def _relative(view: View, point: tuple[float, float]) -> list[float]:
    return [round(min(1.0, max(0.0, point[0] / view.width)), 4), round(min(1.0, max(0.0, point[1] / view.height)), 4)]


def background(view: View, seed: int, text: str) -> Frame:
    """The empty street at dusk: sky, buildings with lit windows, verge, asphalt, lines and lamps."""
    frame = gradient((view.width, view.height), (26, 34, 52), (52, 58, 68))
    image = Image.fromarray(frame)
    pen = ImageDraw.Draw(image)
    _buildings(pen, view, seed)
    pen.rectangle((0, view.horizon, view.width, view.height), fill=(54, 60, 56))
    far, near = FAR_M * 3, view.near_m() * 0.6
    edges = [
        view.ground(-LANE_M - 0.6, far),
        view.ground(LANE_M + 0.6, far),
        view.ground(LANE_M + 0.6, near),
        view.ground(-LANE_M - 0.6, near),
    ]
    pen.polygon(edges, fill=(66, 69, 75))
    for edge in (-LANE_M, LANE_M):
        _stripe(pen, view, edge, near, far, (198, 200, 196))
    z = near
    while z < far:
        _stripe(pen, view, 0.0, z, z + 3.0, (206, 204, 190))
        z += 9.0
    lit = _lamps(image, view)
    result = np.asarray(lit.convert("RGB")).copy()
    label(result, text)
    return result


def _stripe(
    pen: ImageDraw.ImageDraw, view: View, x: float, near: float, far: float, colour: tuple[int, int, int]
) -> None:
    half = 0.07
    pen.polygon(
        [
            view.ground(x - half, far),
            view.ground(x + half, far),
            view.ground(x + half, near),
            view.ground(x - half, near),
        ],
        fill=colour,
    )


def _buildings(pen: ImageDraw.ImageDraw, view: View, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = 0
    while x < view.width:
        width = int(random.integers(view.width // 14, view.width // 7))
        tall = int(view.horizon * random.uniform(0.35, 0.95))
        shade = int(random.integers(58, 86))
        pen.rectangle((x, view.horizon - tall, x + width - 6, view.horizon + 2), fill=(shade, shade + 4, shade + 12))
        for wx in range(x + 6, x + width - 14, 13):
            for wy in range(int(view.horizon - tall) + 6, int(view.horizon) - 8, 15):
                if random.random() < 0.22:
                    pen.rectangle((wx, wy, wx + 5, wy + 7), fill=(214, 184, 104))
        x += width + int(random.integers(0, view.width // 20))


def _lamps(image: Image.Image, view: View) -> Image.Image:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    for z in (26.0, 44.0, 74.0):
        for side in (-LANE_M - 2.0, LANE_M + 2.0):
            x, y = view.ground(side, z)
            scale = view.focal / z
            pen.ellipse((x - 2.6 * scale, y - 0.5 * scale, x + 2.6 * scale, y + 0.5 * scale), fill=(255, 226, 160, 26))
            pen.line((x, y, x, y - 5.2 * scale), fill=(108, 112, 118, 255), width=max(1, int(scale * 0.1)))
            pen.ellipse((x - 0.3 * scale, y - 5.5 * scale, x + 0.3 * scale, y - 4.9 * scale), fill=(255, 236, 184, 255))
    soft = layer.filter(ImageFilter.GaussianBlur(1.2))
    return Image.alpha_composite(image.convert("RGBA"), soft)


def frames(
    view: View, empty: Frame, passes: tuple[Pass, ...], count: int
) -> Iterator[tuple[Frame, list[dict[str, Any]]]]:
    """`count` frames and, for each, the truth of every visible vehicle (box in 0..1, plate, lane, direction)."""
    for tick in range(count):
        frame = empty.copy()
        truth = []
        seconds = tick / FPS
        visible = [(p, z) for p in passes if (z := p.distance(view, seconds)) is not None]
        for item, z in sorted(visible, key=lambda pair: -pair[1]):
            truth.append(_draw(frame, view, item, z))
        dial(frame, tick)
        yield frame, truth


def _draw(frame: Frame, view: View, item: Pass, z: float) -> dict[str, Any]:
    scale = view.focal / z
    x, y = view.ground(lane_centre(item.lane), z)
    width = WIDTH_MM / 1000 * scale
    opacity = min(1.0, (FAR_M - z) / FADE_M)
    paste(frame, sprite(item.vehicle), left=x - width / 2, bottom=y, width=width, opacity=opacity)
    height = HEIGHT_MM / 1000 * scale
    plate_y = y - PLATE_TOP_MM / 1000 * scale
    return {
        "box": [*_relative(view, (x - width / 2, y - height)), *_relative(view, (x + width / 2, y))],
        "cls": "car",
        "plate": item.vehicle.plate or None,
        "plate_px": round(0.4 * scale, 1),
        "plate_at": _relative(view, (x, plate_y)),
        "lane": item.lane,
        "towards": item.towards,
        "wrong_way": (item.lane == "oncoming") != item.towards,
        "distance_m": round(z, 2),
    }
