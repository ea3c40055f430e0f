"""Exact plates of the reader on real pictures, against the recogniser's own text without grammar; and its cost.

The material is third-party and stays out of the repository: `PIPC_TESTDATA`, or nothing is measured.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path

import cv2

from workers.analytics.plates.reader import PlateReader, Reading

CROPS_TARGET, FRAMES_TARGET, CROP_MS_TARGET = 0.92, 0.94, 100.0


def folder() -> Path:
    default = Path(__file__).parents[2] / "shared" / "testdata"
    return Path(os.environ.get("PIPC_TESTDATA") or default) / "plates"


def rows(name: str) -> list[tuple[str, Path]]:
    with (folder() / name / "truth.csv").open() as truth:
        return [(row["plate"], folder() / name / row["file"]) for row in csv.DictReader(truth)]


def report(name: str, value: float, unit: str, baseline: float | None, target: float, ok: bool) -> None:
    ratio = round(value / baseline, 3) if baseline else None
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "baseline": baseline, "ratio": ratio,
                      "target": target, "ok": ok}), flush=True)


def measure(name: str, read, pictures: list[tuple[str, Path]]) -> tuple[float, float, float]:
    """Share read exactly, share the recogniser alone reads, and processor milliseconds each."""
    exact = bare = 0
    spent = 0.0
    for truth, path in pictures:
        picture = cv2.imread(str(path))
        started = time.process_time()
        found: Reading | None = read(picture)
        spent += time.process_time() - started
        exact += found is not None and found.text == truth
        bare += found is not None and found.raw == truth
    return exact / len(pictures), bare / len(pictures), 1000 * spent / len(pictures)


def main() -> int:
    if not folder().is_dir():
        print(f"no hay material en {folder()}: defina PIPC_TESTDATA", file=sys.stderr)
        return 2
    cv2.setNumThreads(1)
    reader = PlateReader()
    exact, bare, cost = measure("crops", reader.read_plate, rows("ar_crops"))
    report("plates_crops_exact", exact, "share", round(bare, 4), CROPS_TARGET, exact >= CROPS_TARGET)
    report("plates_crop_cost", cost, "cpu ms", None, CROP_MS_TARGET, cost <= CROP_MS_TARGET)

    def whole(picture):
        return next(iter(reader.read(picture, side=960)), None)

    exact, bare, _ = measure("frames", whole, rows("ar_frames"))
    report("plates_frames_exact", exact, "share", round(bare, 4), FRAMES_TARGET, exact >= FRAMES_TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
