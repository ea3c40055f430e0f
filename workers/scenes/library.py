"""The demonstration's scenes: what each one contains, rendered once into the cache under a hash of its recipe."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from tenants.data import demonstration
from workers.scenes import square, street
from workers.scenes.canvas import FPS, Frame, Noise
from workers.scenes.encode import write_clip
from workers.scenes.vehicle_art import Vehicle

RECIPE = 1  # raise when a change of the drawing code must render everything again
FRAMES = 72
MARK = "DEMO"  # the font inside Pillow has no accented capitals

LPR_VIEW = street.View(960, 540, focal=3000, camera_height_m=2.5, horizon=92, shift_m=-0.7)
LIGHT_VIEW = street.View(640, 360, focal=820, camera_height_m=5.0, horizon=70, shift_m=0.4)

Pictures = Iterator[tuple[Frame, list[dict[str, Any]]]]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip to render; `weight` is how often it is drawn against the others when nothing is cued."""

    kind: str
    weight: int
    make: Callable[[], Pictures]
    plate: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A set of clips with one background and the geometry an installer would draw on it."""

    name: str
    size: tuple[int, int]
    clips: tuple[Clip, ...]
    lanes: list[dict[str, Any]]
    zones: list[dict[str, Any]]


def _noisy(pictures: Pictures, size: tuple[int, int], seed: int) -> Pictures:
    noise = Noise(size, seed)
    for frame, truth in pictures:
        yield noise.add(frame), truth


def _street_scene(
    name: str, view: street.View, seed: int, plan: list[tuple[str, int, tuple[street.Pass, ...], str | None]]
) -> Scene:
    size = (view.width, view.height)
    empty = street.background(view, seed, MARK)
    seeds = count(seed)

    def clip(kind: str, weight: int, passes: tuple[street.Pass, ...], plate: str | None) -> Clip:
        number = next(seeds)
        return Clip(kind, weight, lambda: _noisy(street.frames(view, empty, passes, FRAMES), size, number), plate)

    return Scene(name, size, tuple(clip(*item) for item in plan), street.lanes(view), [])


def _entrance(room: demonstration.Room, seed: int) -> Scene:
    plan: list[tuple[str, int, tuple[street.Pass, ...], str | None]] = [("background", 6, (), None)]
    for index, seen in enumerate(room.ordinary):
        coming = street.Pass(Vehicle(seen.colour, seen.plate), "oncoming", towards=True, speed=15.5 + index % 2)
        leaving = street.Pass(Vehicle("gris", "", rear=True), "outgoing", towards=False, speed=17.0, start_s=0.6)
        plan.append(("pass", 2, (coming, leaving) if index == 1 else (coming,), seen.plate))
    for wanted in room.wanted:
        coming = street.Pass(Vehicle(wanted.colour, wanted.plate), "oncoming", towards=True, speed=15.0)
        plan.append(("listed", 0, (coming,), wanted.plate))
    return _street_scene(f"acceso-{room.slug}", LPR_VIEW, seed, plan)


def _traffic_light(seed: int) -> Scene:
    def coming(colour: str, start: float = 0.2) -> street.Pass:
        return street.Pass(Vehicle(colour, ""), "oncoming", towards=True, speed=17.0, start_s=start)

    def leaving(colour: str, start: float = 0.2) -> street.Pass:
        return street.Pass(Vehicle(colour, "", rear=True), "outgoing", towards=False, speed=17.0, start_s=start)

    wrong = street.Pass(Vehicle("rojo", "", rear=True), "oncoming", towards=False, speed=16.5)
    plan: list[tuple[str, int, tuple[street.Pass, ...], str | None]] = [
        ("background", 5, (), None),
        ("pass", 2, (coming("azul"),), None),
        ("pass", 2, (leaving("blanco"), coming("gris", 0.5)), None),
        ("pass", 2, (leaving("verde"),), None),
        ("wrong_way", 0, (wrong,), None),
    ]
    return _street_scene("semaforo", LIGHT_VIEW, seed, plan)


def _public_place(name: str, backdrop: str, seed: int) -> Scene:
    place = square.Place(640, 360, backdrop)
    empty = square.background(place, seed, MARK)
    size = (place.width, place.height)
    intruder = (square.Walk((122, 60, 54), 0.80, from_left=True, pause_s=1.4),)

    def clip(kind: str, weight: int, walks: tuple[square.Walk, ...], number: int) -> Clip:
        return Clip(kind, weight, lambda: _noisy(square.frames(place, empty, walks, FRAMES), size, number))

    clips = (
        clip("background", 1, (), seed),
        clip("background", 1, (), seed + 1),
        clip("intrusion", 0, intruder, seed + 2),
    )
    return Scene(name, size, clips, [], square.zone())


def scenes() -> tuple[Callable[[], Scene], ...]:
    """One maker per scene of the demonstration, in the order in which they are rendered."""
    return (
        *(partial(_entrance, room, seed) for seed, room in enumerate(demonstration.ROOMS, start=100)),
        partial(_traffic_light, 200),
        partial(_public_place, "plaza", "trees", 300),
        partial(_public_place, "banco", "front", 400),
    )


def fingerprint() -> str:
    """The hash of everything the pictures depend on: the drawing code of this package and the story's data."""
    digest = hashlib.sha256(str(RECIPE).encode())
    here = Path(__file__).parent
    for source in (*sorted(here.glob("*.py")), Path(demonstration.__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def ensure(cache: Path, progress: Progress = lambda done, total, name: None) -> Path:
    """Render what is missing under `<cache>/scenes/<hash>` and return that folder. Interrupted scenes are rendered again.

    Every scene folder holds `manifest.json`, the clips and, beside each clip, its truth.
    """
    root = cache / "scenes" / fingerprint()
    makers = scenes()
    for done, make in enumerate(makers):
        scene = make()
        progress(done, len(makers), scene.name)
        if not (root / scene.name / "manifest.json").is_file():
            _render(root, scene)
    progress(len(makers), len(makers), "")
    return root


def _render(root: Path, scene: Scene) -> None:
    draft = root / f".{scene.name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    clips = []
    for index, clip in enumerate(scene.clips):
        name = f"{index:02d}-{clip.kind}.mp4"
        frames = write_clip(draft / name, scene.size, clip.make())
        clips.append(
            {
                "file": name,
                "kind": clip.kind,
                "plate": clip.plate,
                "duration_ms": round(frames / FPS * 1000),
                "weight": clip.weight,
            }
        )
    manifest = {
        "scene": scene.name,
        "fps": FPS,
        "width": scene.size[0],
        "height": scene.size[1],
        "clips": clips,
        "lanes": scene.lanes,
        "zones": scene.zones,
    }
    (draft / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    final = root / scene.name
    try:
        draft.rename(final)
    except OSError:  # another process finished it first
        shutil.rmtree(draft, ignore_errors=True)
