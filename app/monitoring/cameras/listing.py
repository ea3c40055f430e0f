"""The list of cameras as a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from app.kernel.actor import Actor
from app.kernel.pagination import MAX_LIMIT
from app.monitoring.cameras import service
from app.monitoring.cameras.types import CameraFilter, CameraView

HEADER = (
    "código", "nombre", "lugar", "tipo", "estado", "desde (UTC)", "graba", "dirección", "latitud", "longitud", "origen",
)  # fmt: skip
# A spreadsheet takes a cell that starts like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def everything(actor: Actor, wanted: CameraFilter) -> Iterator[CameraView]:
    """All the cameras that `wanted` asks for, page after page."""
    cursor = None
    while True:
        page = service.list_cameras(actor, wanted=wanted, cursor=cursor, limit=MAX_LIMIT)
        yield from page.items
        if page.cursor is None:
            return
        cursor = page.cursor


def as_csv(cameras: Iterable[CameraView]) -> str:
    """Separated by `;`, with the mark that makes spreadsheets read UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for camera in cameras:
        writer.writerow([_safe(cell) for cell in _cells(camera)])
    return "\ufeff" + out.getvalue()


def _cells(camera: CameraView) -> tuple[object, ...]:
    since = camera.state.since.strftime("%Y-%m-%d %H:%M:%S") if camera.state.since else ""
    return (
        camera.code, camera.name, camera.place_label, camera.kind_label, camera.state.label, since,
        "sí" if camera.state.recording else "no", camera.address, camera.lat, camera.lon, camera.source,
    )  # fmt: skip


def _safe(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return "" if cell is None else cell
