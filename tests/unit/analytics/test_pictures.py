"""Crops, sharpness and pictures stored under the name of their content."""

from hashlib import sha256

import cv2
import numpy as np

from workers.analytics.blobs import BlobFolder
from workers.analytics.observation import Box
from workers.analytics.pictures import crop, jpeg, sharpness, shrink

PICTURE = np.random.default_rng(1).integers(0, 256, (90, 160, 3), dtype=np.uint8)


def test_crop_takes_the_pixels_of_the_box_as_a_copy():
    piece = crop(PICTURE, Box(0.25, 0.0, 0.5, 1.0))

    assert piece.shape == (90, 40, 3)
    assert (piece == PICTURE[:, 40:80]).all()
    assert not np.shares_memory(piece, PICTURE)


def test_crop_of_almost_nothing_still_has_a_pixel():
    assert crop(PICTURE, Box(0.999, 0.999, 1.0, 1.0)).size > 0


def test_box_grown_stays_in_the_frame():
    grown = Box(0.0, 0.4, 0.5, 0.6).grown(0.5)

    assert (grown.x1, grown.y1, grown.x2, grown.y2) == (0.0, 0.30000000000000004, 0.75, 0.7)


def test_sharpness_falls_when_the_picture_is_blurred():
    blurred = cv2.GaussianBlur(PICTURE, (9, 9), 3)

    assert 0 <= sharpness(blurred) < sharpness(PICTURE) < 1
    assert sharpness(np.full((50, 50), 128, np.uint8)) == 0


def test_shrink_keeps_the_proportion_and_never_enlarges():
    assert shrink(PICTURE, 80).shape == (45, 80, 3)
    assert shrink(PICTURE, 640) is PICTURE


def test_put_names_the_content_and_writes_it_once(tmp_path):
    folder, data = BlobFolder(tmp_path), jpeg(PICTURE)

    first = folder.put(data)
    written = first.path.stat().st_mtime_ns
    second = folder.put(data)

    assert first == second
    assert first.sha256 == sha256(data).hexdigest()
    assert first.path == tmp_path / first.sha256[:2] / first.sha256
    assert first.path.read_bytes() == data
    assert first.path.stat().st_mtime_ns == written
    assert first.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in first.path.parent.iterdir()] == [first.sha256]
