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
    variance = float(cv2.Laplacian(shrink(grey(picture), 160), cv2.CV_32F).var())
    return variance / (variance + 200.0)


def crop(picture: Picture, box: Box) -> Picture:
    """The pixels of a box; a copy, so that the frame it comes from can be freed."""
    height, width = picture.shape[:2]
    x1, y1 = int(box.x1 * width), int(box.y1 * height)
    x2, y2 = int(np.ceil(box.x2 * width)), int(np.ceil(box.y2 * height))
    return picture[y1:max(y2, y1 + 1), x1:max(x2, x1 + 1)].copy()


def shrink(picture: Picture, width: int) -> Picture:
    """The picture at most `width` pixels wide."""
    if picture.shape[1] <= width:
        return picture
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def jpeg(picture: Picture) -> bytes:
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError("the picture could not be encoded")
    return encoded.tobytes()
