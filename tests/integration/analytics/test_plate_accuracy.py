"""The reader on real pictures of Argentine and neighbouring plates: floors a little under what is measured.

Measured with the models inside `rapidocr` 3.10: crops 71 of 76, photographs 23 of 24, Brazilian plates 27 of 30.
"""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.monitoring.plates.plate_text import classify

pytestmark = pytest.mark.slow("runs the two models over real pictures")


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth.csv").open() as truth:
        return list(csv.DictReader(truth))


def test_read_plate_real_crops_of_day_and_night(testdata, plate_reader):
    folder = testdata / "plates/ar_crops"
    found = [(row["plate"], plate_reader.read_plate(cv2.imread(str(folder / row["file"])))) for row in rows(folder)]

    exact = sum(reading is not None and reading.text == plate for plate, reading in found)
    sure = [(plate, reading.text) for plate, reading in found if reading is not None and reading.score > -0.2]

    assert exact / len(found) >= 0.92
    assert len(sure) / len(found) >= 0.6
    assert sum(plate == text for plate, text in sure) / len(sure) >= 0.98


def test_read_real_photographs(testdata, plate_reader):
    folder = testdata / "plates/ar_frames"
    found = [(row["plate"], plate_reader.read(cv2.imread(str(folder / row["file"])), side=960)) for row in rows(folder)]

    exact = sum(bool(readings) and readings[0].text == plate for plate, readings in found)

    assert exact / len(found) >= 0.94


def around_plate(folder: Path, row: dict[str, str]) -> np.ndarray:
    x, y, w, h = (int(row[name]) for name in ("x", "y", "w", "h"))
    picture = cv2.imread(str(folder / row["file"]))
    return picture[max(0, y - 3 * h) : y + 3 * h, max(0, x - w // 2) : x + w + w // 2]


def test_read_foreign_plates_are_not_taken_for_ours(testdata, plate_reader):
    folder = testdata / "plates/br"
    table = rows(folder)[:15]

    found = [(row["plate"], plate_reader.read(around_plate(folder, row))) for row in table]

    assert sum(bool(readings) and readings[0].text == plate for plate, readings in found) >= 13
    formats = [classify(readings[0].text).format for _, readings in found if readings]
    assert not any(name.startswith("AR_AUTO") for name in formats)


def test_read_plate_without_a_known_format_keeps_its_text(testdata, plate_reader):
    folder = testdata / "plates/eu"
    row = next(row for row in rows(folder) if row["plate"] == "WA56660")

    (reading,) = plate_reader.read(around_plate(folder, row))

    assert (reading.text, reading.mask) == ("WA56660", "")


def drawn(lines: list[str], *, dark: bool) -> np.ndarray:
    field, ink = ((25, 25, 25), (235, 235, 235)) if dark else ((240, 240, 240), (15, 15, 15))
    picture = np.full((320, 480, 3), 110, np.uint8)
    top, height = 90, 56 * len(lines) + 24
    cv2.rectangle(picture, (120, top), (360, top + height), field, -1)
    for number, text in enumerate(lines):
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.5, 3)
        cv2.putText(picture, text, (240 - width // 2, top + 56 * (number + 1)), cv2.FONT_HERSHEY_DUPLEX, 1.5, ink, 3, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize(("lines", "dark", "plate", "layout"), [
    (["ZA123BC"], False, "ZA123BC", "1l"), (["ZZA 519"], True, "ZZA519", "1d"), (["A03", "5HFA"], False, "A035HFA", "2l"),
    (["482", "KRD"], True, "482KRD", "2d"),
])
def test_read_drawn_plate_of_each_layout(plate_reader, lines, dark, plate, layout):
    reading = plate_reader.read(drawn(lines, dark=dark))[0]

    assert (reading.text, reading.layout) == (plate, layout)


@pytest.mark.parametrize("picture", [
    np.full((200, 300, 3), 128, np.uint8), np.zeros((40, 40, 3), np.uint8),
    np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8), np.zeros((1, 1, 3), np.uint8),
])
def test_read_picture_without_a_plate_gives_nothing(plate_reader, picture):
    assert plate_reader.read(picture) == []


def test_read_street_text_is_not_a_plate(plate_reader):
    picture = np.full((200, 400, 3), 200, np.uint8)
    cv2.putText(picture, "PANADERIA", (20, 110), cv2.FONT_HERSHEY_DUPLEX, 2, (20, 20, 20), 3, cv2.LINE_AA)

    assert plate_reader.read(picture) == []
