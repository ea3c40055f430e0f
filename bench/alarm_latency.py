"""How long after something happens the room knows: three figures against the running demonstration (`make run`).

`alarm_latency` is from sending by API a reading of a listed plate to its notice at a plain listener of the stream.
`alarm_latency.dom` is from the same instant to the alarm's card in the document of a console: a real Chromium, signed in as
an operator, showing its live video meanwhile; an observer of the document notes when each card first appears.
`alarm_latency.camera` is from the frame that completed a rule (its time of arrival at the recorder, which the event carries)
to that card, for alarms of the demonstration's own cameras: each scene with a wrong-way car or an intruder is asked for,
through the recorder, as often as needed. Listed cars are left out, because their alarms do not carry that frame's time.

The baseline is the median. The list, the entries and the alarms made here are ended before it finishes, and so are the open
alarms of rules of that municipality, which would swallow the new ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page

from bench._database import percentile, report
from bench._demonstration import Api, console, demonstration
from tests.support.product import Product
from workers.recorder.client import RecorderRefused, ask

TENANT = "tres-arroyos"
ALARMS = int(os.environ.get("PIPC_BENCH_ALARMS", "20"))
CAMERA_ALARMS = int(os.environ.get("PIPC_BENCH_CAMERA_ALARMS", "12"))
PAUSE_S, PATIENCE_S, SCENE_S, TARGET_MS = 0.5, 10.0, 20.0, 1_000
WATCH = """() => {
    const drawn = window.drawnAt = {};
    const note = () => {
        for (const card of document.querySelectorAll("#cola li[data-alarm]")) drawn[card.dataset.alarm] ??= Date.now();
    };
    note();
    const changes = {childList: true, subtree: true, attributes: true, attributeFilter: ["id", "data-alarm"]};
    new MutationObserver(note).observe(document.querySelector("#cola"), changes);
}"""
IN_QUEUE = "() => document.querySelector('#cola').matches(':hover')"


class _Listener:
    """Listens to the stream and notes when each alarm was told."""

    def __init__(self, api: Api) -> None:
        self.heard: dict[str, float] = {}
        self.ready = threading.Event()
        self._stream = api.http.get(f"{api.url}/rt/eventos", stream=True, timeout=60)
        self._stream.raise_for_status()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._stream.iter_lines(chunk_size=1, decode_unicode=True):
            self.ready.set()
            text = str(line)
            if text.startswith("data:") and '"alarm.raised"' in text:
                self.heard[json.loads(text[5:])["payload"]["id"]] = time.time()


def _drawn(page: Page) -> dict[str, float]:
    """When each card appeared, in seconds of this machine's clock."""
    return {alarm: at / 1e3 for alarm, at in page.evaluate("() => window.drawnAt").items()}


def _open(operator: Api) -> list[dict[str, Any]]:
    return list(operator("GET", "/api/v1/alarms?state=open&limit=200")["items"])


def _until(limit_s: float, met: Callable[[], bool]) -> None:
    deadline = time.time() + limit_s
    while time.time() < deadline and not met():
        time.sleep(0.2)


def _send(admin: Api, camera: str, plates: list[str]) -> dict[str, float]:
    """Send one reading of each plate, and when."""
    sent = {}
    for plate in plates:
        sent[plate] = time.time()
        one = {"client_id": str(uuid.uuid4()), "camera_id": camera, "plate": plate, "confidence": 0.99}
        admin("POST", "/api/v1/plate-reads", {"reads": [one | {"seen_at": datetime.now(UTC).isoformat()}]})
        time.sleep(PAUSE_S)
    return sent


def _readings(page: Page, admin: Api, operator: Api, plates: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds from sending each reading to its notice, and to its card."""
    camera = operator("GET", "/api/v1/cameras?limit=1")["items"][0]["id"]
    listener = _Listener(operator)
    listener.ready.wait(PATIENCE_S)
    sent = _send(admin, camera, plates)
    mine: dict[str, str] = {}

    def told() -> bool:
        mine.update((alarm["id"], alarm["plate"]) for alarm in _open(operator) if alarm["plate"] in sent)
        return len(mine.keys() & listener.heard.keys() & _drawn(page).keys()) == len(plates)

    _until(PATIENCE_S, told)
    drawn = _drawn(page)
    _end(operator, list(mine))
    told_ms, drawn_ms = (
        [1e3 * (at[alarm] - sent[plate]) for alarm, plate in mine.items() if alarm in at]
        for at in (listener.heard, drawn)
    )
    return told_ms, drawn_ms


def _scenes(product: Product, page: Page, operator: Api) -> list[float]:
    """Milliseconds from the frame that completed each rule to its card."""
    recorders = json.loads((product.home / "run" / "recorders.json").read_text())
    cameras = [camera["id"] for camera in operator("GET", "/api/v1/cameras?limit=200")["items"]]
    found: dict[str, float] = {}
    for _ in range(CAMERA_ALARMS):
        _end_scenes(operator)
        before = _drawn(page).keys()
        asked = _cue([row["socket"] for row in recorders.values()], cameras)
        _until(SCENE_S, lambda: len(_drawn(page).keys() - before) >= asked)  # noqa: B023
        drawn = _drawn(page)
        for alarm in _open(operator):
            if alarm["id"] in drawn.keys() - before and (completed := alarm["detail"].get("completed_wall_ns")):
                found[alarm["id"]] = 1e3 * drawn[alarm["id"]] - completed / 1e6
        if len(found) >= CAMERA_ALARMS:
            break
    _end_scenes(operator)
    return list(found.values())


def _end_scenes(operator: Api) -> None:
    """So that the next one is an alarm of its own instead of one more of the same."""
    _end(operator, [alarm["id"] for alarm in _open(operator) if "completed_wall_ns" in alarm["detail"]])


def _cue(sockets: list[str], cameras: list[str]) -> int:
    """Ask for the next alarm of every camera that has a scene for it; how many have."""
    asked = 0
    for camera in cameras:
        for kind in ("wrong_way", "intrusion"):
            for socket in sockets:
                with contextlib.suppress(RecorderRefused):
                    ask(socket, {"op": "cue", "camera": camera, "kind": kind})
                    asked += 1
    return asked


def _end(operator: Api, alarms: list[str]) -> None:
    for alarm in alarms:
        version = operator("GET", f"/api/v1/alarms/{alarm}")["version"]
        operator("POST", f"/api/v1/alarms/{alarm}/discard", {"code": "PRUEBA"}, **{"If-Match": f'"v{version}"'})


def _report(name: str, latencies: list[float], wanted: int) -> None:
    if len(latencies) < wanted:
        sys.exit(f"{name}: llegaron {len(latencies)} de {wanted} alarmas.")
    value = percentile(latencies, 0.95)
    report(name, value, "ms p95", baseline=percentile(latencies, 0.5), target=TARGET_MS, ok=value <= TARGET_MS)


def main() -> None:
    product = demonstration()
    admin, operator, supervisor = (Api(product, f"{role}.{TENANT}") for role in ("admin", "operador", "supervisor"))
    plates = [f"ZX{number:03d}BB" for number in range(ALARMS)]
    name = f"Banco de pruebas {uuid.uuid4().hex[:8]}"
    hotlist = supervisor("POST", "/api/v1/hotlists", {"name": name, "kind": "LPR_LOCAL", "severity": 3})["id"]
    entries = f"/api/v1/hotlists/{hotlist}/entries"
    supervisor("POST", entries, {"entries": [{"plate": plate} for plate in plates]})
    try:
        with console(product, f"operador.{TENANT}") as page:
            page.evaluate(WATCH)
            seen = _scenes(product, page, operator)
            told, drawn = _readings(page, admin, operator, plates)
            if page.evaluate(IN_QUEUE):
                sys.exit("El puntero quedó sobre la cola, que entonces no se mueve.")
    finally:
        supervisor("POST", entries, {"entries": [{"plate": plate, "revoked_at": True} for plate in plates]})
    _report("alarm_latency", told, ALARMS)
    _report("alarm_latency.dom", drawn, ALARMS)
    _report("alarm_latency.camera", seen, CAMERA_ALARMS)


if __name__ == "__main__":
    main()
