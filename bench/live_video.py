"""Five live pictures in one console: how late each one is, beyond the camera, and what they do to the pages.

Asks for a running demonstration (`make run`). A real RTSP server paces five cameras, added to azul as anybody adds them, whose
video (640×360, 12.5 fps, H.264, GOP 1 s, as the demonstration's) carries a clock: the number of the frame in black and white
squares. An operator of azul watches four in the tiles and the fifth in the spot, in a real Chromium.

`live_video.p50` and `.p95` are from the server beginning to send a frame, by its own record, to that frame being shown: the
later of having read the number from the <video> and when the browser says that it is displayed. `.shown` is the share of its
frames that the worst player showed: a frame that was never shown has no delay, so the others say nothing without it. A browser
that draws without a GPU drops frames when the machine is busy.
`live_video.page` is a page fetched by that console while it plays; its baseline is the same with the pictures stopped as in a
hidden window, in turns, and its target is the ratio. The numbers are not read from the pictures meanwhile.

The cameras are retired before it finishes; azul keeps its node.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from playwright.sync_api import Page

from app.cli.context import settings
from app.cli.node import operator_of
from app.factory import build_runtime
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from bench._clock import compare, read_pictures, write_video
from bench._database import percentile, report
from bench._demonstration import Api, console, demonstration, pipc
from tenants.core import service as municipalities
from tests.support.rtsp import RtspFiles

TENANT, OPERATOR, PLAYERS = "azul", "operador.azul", 5
SECONDS = float(os.environ.get("PIPC_BENCH_SECONDS", "30"))
TURNS, PAGES_A_TURN, PAGE, RATIO = 6, 15, "/sala/camaras/", 1.5
TARGETS_S, SHARE = {"p50": 0.8, "p95": 1.0}, 0.5
PATIENCE_S, SETTLE_S = 120, 5
PLAYING = """() => [...document.querySelectorAll("figure.tile[data-camera][data-state=live] video")]
    .filter((video) => video.currentTime > 0 && !video.paused).length"""
FOCUS = "(camera) => document.dispatchEvent(new CustomEvent('pipc:focus-camera', {detail: {camera}}))"
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
FETCH = """async (path) => {
    const began = performance.now();
    const answer = await fetch(path, {cache: "no-store"});
    await answer.text();
    return answer.ok && !answer.redirected ? performance.now() - began : null;
}"""


@contextmanager
def _cameras(port: int) -> Iterator[dict[str, str]]:
    """The file that each new camera shows, by camera; they are retired afterwards."""
    run, made = secrets.token_hex(2), {}
    try:
        for number in range(1, PLAYERS + 1):
            file = f"reloj-{number}.mp4"
            url = f"rtsp://127.0.0.1:{port}/{file}?play_count=0"
            words = ["--tenant", TENANT, "--name", f"Reloj {number}", "--code", f"AA-{run}-{number}", "--url", url]
            made[json.loads(pipc("camera", "add", *words, "--no-wait", "--json"))["id"]] = file
        yield made
    finally:
        _retire(list(made))


def _retire(made: list[str]) -> None:
    runtime = build_runtime(settings())
    try:
        actor = operator_of(municipalities.by_slug(TENANT))
        for camera in map(UUID, made):
            with unit_of_work(actor, read_only=True):
                version = cameras.get_camera(actor, camera_id=camera).version
            with unit_of_work(actor):
                cameras.decommission_camera(actor, camera_id=camera, version=version)
    finally:
        runtime.databases.dispose()


def _await_online(operator: Api, made: Mapping[str, str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        listed = operator("GET", "/api/v1/cameras?limit=200")["items"]
        if len(made) == sum(camera["id"] in made and camera["state"] == "online" for camera in listed):
            return
        time.sleep(1)
    sys.exit("Las cámaras no llegaron a estar en línea.")


def _await_playing(page: Page, players: int = PLAYERS) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (playing := page.evaluate(PLAYING)) < players:
        if time.monotonic() > deadline:
            sys.exit(f"Se ven {playing} de {players} cámaras.")
        page.wait_for_timeout(250)


def _play(page: Page, made: Mapping[str, str]) -> None:
    """Four in the tiles; the one that has none goes to the spot, as a click on the map puts it there."""
    tiles = page.locator("figure.tile[data-camera]")
    shown = {tiles.nth(number).get_attribute("data-camera") for number in range(tiles.count())}
    rest = [camera for camera in made if camera not in shown]
    if len(rest) != 1:
        sys.exit(f"La consola muestra {PLAYERS - len(rest)} de las {PLAYERS} cámaras en vez de {PLAYERS - 1}.")
    _await_playing(page, PLAYERS - 1)
    page.evaluate(FOCUS, rest[0])
    _await_playing(page)
    page.wait_for_timeout(SETTLE_S * 1e3)


def _lateness(page: Page, made: Mapping[str, str], log: Path) -> tuple[list[float], float]:
    """Seconds from sending to showing of each picture, and the share of its frames that the worst player showed."""
    read = read_pictures(page, SECONDS)
    if not read:
        sys.exit("Ningún cuadro se mostró.")
    shown = compare(read, log, made)
    if any(count != 1 for count in shown.sessions.values()):
        sys.exit("Una cámara se volvió a conectar durante la medición.")
    share = min(len(shown.late[camera]) / shown.sent[camera] for camera in made)
    return [late for camera in made for late in shown.late[camera]], share


def _pages(page: Page) -> tuple[list[float], list[float]]:
    """Milliseconds of each page without video and with it, in turns."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(TURNS):
        for hidden in (True, False):
            page.evaluate(HIDE, hidden)
            if not hidden:
                _await_playing(page)
            page.wait_for_timeout(SETTLE_S * 1e3)
            for _ in range(PAGES_A_TURN):
                times[hidden].append(page.evaluate(FETCH, PAGE))
                page.wait_for_timeout(100)
            if hidden and page.evaluate(PLAYING):
                sys.exit("El video no se detuvo.")
    if None in times[True] + times[False]:
        sys.exit(f"{PAGE} no contestó.")
    return times[True], times[False]


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Interrumpido."))
    product = demonstration()
    with tempfile.TemporaryDirectory(prefix="pipc-bench-") as folder:
        log, files = Path(folder) / "sent.jsonl", Path(folder) / "files"
        files.mkdir()
        write_video(files / "reloj-1.mp4")
        for number, following in pairwise(range(1, PLAYERS + 1)):
            os.link(files / f"reloj-{number}.mp4", files / f"reloj-{following}.mp4")
        with RtspFiles(files, log=log) as server, _cameras(server.port) as made:
            _await_online(Api(product, OPERATOR), made)
            with console(product, OPERATOR) as page:
                _play(page, made)
                late, share = _lateness(page, made, log)
                without, playing = _pages(page)
    for name, target in TARGETS_S.items():
        value = percentile(late, int(name[1:]) / 100)
        report(f"live_video.{name}", value, "s", baseline=None, target=target, ok=value <= target)
    report("live_video.shown", share, "share", baseline=None, target=SHARE, ok=share >= SHARE)
    value, baseline = percentile(playing, 0.95), percentile(without, 0.95)
    report("live_video.page", value, "ms p95", baseline=baseline, target=RATIO, ok=value <= RATIO * baseline)


if __name__ == "__main__":
    main()
