"""A clock burned into a video, to tell how late a picture is shown: the number of each frame in black and white squares.

The first row of squares is the number in binary and the second one its negative: a reading where they disagree is no good.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from workers.scenes.encode import GOP, RATE, write_clip

SIZE, SIDE, BITS, FRAMES = (640, 360), 32, 12, 62 * GOP
# Reads each new picture of every tile: camera, number and when it is shown, in ms of this machine's clock.
_READ = """([side, bits]) => {
    const read = window.clockRead = [];
    const canvas = new OffscreenCanvas(bits * 4, 8).getContext("2d", {willReadFrequently: true});
    const white = (pixels, x, y) => pixels[4 * (y * bits * 4 + x)] > 127;
    for (const tile of document.querySelectorAll("figure.tile[data-camera]")) {
        const video = tile.querySelector("video");
        const look = (_, {expectedDisplayTime}) => {
            canvas.drawImage(video, 0, 0, side * bits, side * 2, 0, 0, bits * 4, 8);
            const {data} = canvas.getImageData(0, 0, bits * 4, 8);
            let number = 0;
            for (let bit = 0; bit < bits; bit += 1) {
                const isOne = white(data, bit * 4 + 2, 2);
                if (isOne === white(data, bit * 4 + 2, 6)) number = NaN;
                number = number * 2 + isOne;
            }
            read.push([tile.dataset.camera, number, Date.now() + Math.max(0, expectedDisplayTime - performance.now())]);
            if (window.clockRead === read) video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
    }
}"""
_STOP = "() => { const read = window.clockRead; window.clockRead = null; return read; }"


def write_video(path: Path) -> None:
    """A minute that can be looped: 640×360, 12.5 fps, H.264 without B-frames, a whole frame about each second."""
    write_clip(path, SIZE, _pictures())


def _pictures() -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """A textured ground that moves, under the number of each frame."""
    ground = np.random.default_rng(1).integers(60, 190, (SIZE[1] // 4, SIZE[0] // 4, 3), np.uint8)
    ground = ground.repeat(4, 0).repeat(4, 1)
    for number in range(FRAMES):
        picture = np.roll(ground, 3 * number, 1)
        ones = np.array([number >> bit & 1 for bit in reversed(range(BITS))], bool)
        squares = np.stack([ones, ~ones]).repeat(SIDE, 0).repeat(SIDE, 1)
        picture[: 2 * SIDE, : BITS * SIDE] = np.where(squares, 255, 0)[..., None]
        yield picture, []


@dataclass
class Shown:
    """What was seen of each camera: how late each picture came, in seconds, and how many frames it was sent."""

    late: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)


def read_pictures(page: Page, seconds: float) -> list[tuple[str, float, float]]:
    """Camera, number and millisecond of every picture that the tiles of a console show meanwhile."""
    page.evaluate(_READ, [SIDE, BITS])
    page.wait_for_timeout(seconds * 1e3)
    return [tuple(one) for one in page.evaluate(_STOP)]


def compare(read: Sequence[tuple[str, float, float]], log: Path, files: Mapping[str, str]) -> Shown:
    """Each picture against the last time that the server had sent that frame of that file; `files` by camera."""
    began, ended = read[0][2] / 1e3, read[-1][2] / 1e3
    sent: dict[tuple[str, float], list[float]] = defaultdict(list)
    sessions: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for line in map(json.loads, log.read_text().splitlines()):
        sent[line["file"], round(line["media_s"] * RATE) % FRAMES].append(line["at"])
        if began <= line["at"] <= ended:
            sessions[line["file"]].add(line["session"])
            counts[line["file"]] += 1
    shown = Shown(
        sent={camera: counts[file] for camera, file in files.items()},
        sessions={camera: len(sessions[file]) for camera, file in files.items()},
    )
    for camera, number, at in read:
        times = sent.get((files.get(camera, ""), number), [])
        if before := bisect_right(times, at / 1e3):
            shown.late[camera].append(at / 1e3 - times[before - 1])
    return shown
