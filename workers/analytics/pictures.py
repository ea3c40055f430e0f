"""What the stages of analytics hand each other as a picture, and the few measures taken on one."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.analytics.observation import Box

Picture = NDArray[Any]
"""A grey (height × width) or blue-green-red (height × width × 3) image of bytes."""

JPEG_QUALITY = 85


def grey(picture: Picture) -> Picture:
    return picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


def sharpness(picture: Picture) -> float:
    """0..1: contrast of the finest detail, on a grey copy at most 160 pixels wide so that sizes compare."""
    image = grey(picture)
    if image.shape[1] > 160:
        image = cv2.resize(image, (160, max(1, round(image.shape[0] * 160 / image.shape[1]))), interpolation=cv2.INTER_AREA)
    variance = float(cv2.Laplacian(image, cv2.CV_32F).var())
    return variance / (variance + 200.0)


def crop(picture: Picture, box: Box, margin: float = 0.0) -> Picture:
    """The pixels of a box grown by `margin` of its size, clipped to the picture; a copy, so the frame can be freed."""
    height, width = picture.shape[:2]
    grow_x, grow_y = margin * box.width, margin * box.height
    x1, y1 = int(max(0.0, box.x1 - grow_x) * width), int(max(0.0, box.y1 - grow_y) * height)
    x2, y2 = int(np.ceil(min(1.0, box.x2 + grow_x) * width)), int(np.ceil(min(1.0, box.y2 + grow_y) * height))
    return picture[y1:max(y2, y1 + 1), x1:max(x2, x1 + 1)].copy()


def jpeg(picture: Picture, *, max_width: int | None = None) -> bytes:
    if max_width is not None and picture.shape[1] > max_width:
        size = max_width, max(1, round(picture.shape[0] * max_width / picture.shape[1]))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError("the picture could not be encoded")
    return encoded.tobytes()
