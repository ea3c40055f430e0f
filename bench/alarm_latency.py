"""From a reading of a listed plate, sent by API to the running product, to the notice at a listening console.

Asks for a running demonstration (`make run`). The list, the alarms and the entries it makes are ended before it finishes; the
drawing of the card in a browser is not in the figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import requests

from bench._database import percentile, report

TENANT = "tres-arroyos"
ALARMS = int(os.environ.get("PIPC_BENCH_ALARMS", "20"))
PAUSE_S, PATIENCE_S, TARGET_MS = 0.5, 10.0, 1_000


def _pipc(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "app.cli.main", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"Hace falta la demostración en marcha (make run): {done.stderr.strip()}")
    return done.stdout.strip()


class _Api:
    """One person of the demonstration."""

    def __init__(self, url: str, role: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {_pipc('demo', 'token', '--user', f'{role}.{TENANT}')}"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.http.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()


class _Console:
    """Listens to the stream and notes when each alarm was told."""

    def __init__(self, api: _Api) -> None:
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


def _measure(admin: _Api, operator: _Api, camera: str, plates: list[str]) -> list[float]:
    """Milliseconds from sending each reading to its notice."""
    console = _Console(operator)
    console.ready.wait(PATIENCE_S)
    sent: dict[str, float] = {}
    for plate in plates:
        sent[plate] = time.time()
        seen_at = datetime.now(UTC).isoformat()
        one = {
            "client_id": str(uuid.uuid4()),
            "camera_id": camera,
            "plate": plate,
            "seen_at": seen_at,
            "confidence": 0.99,
        }
        admin("POST", "/api/v1/plate-reads", {"reads": [one]})
        time.sleep(PAUSE_S)
    deadline = time.time() + PATIENCE_S
    mine: dict[str, str] = {}
    while time.time() < deadline and len(mine.keys() & console.heard.keys()) < len(plates):
        listed = operator("GET", "/api/v1/alarms?state=open&limit=200")["items"]
        mine = {alarm["id"]: alarm["plate"] for alarm in listed if alarm["plate"] in sent}
        time.sleep(0.2)
    _end(operator, mine)
    return [1e3 * (console.heard[alarm] - sent[plate]) for alarm, plate in mine.items() if alarm in console.heard]


def _end(operator: _Api, alarms: dict[str, str]) -> None:
    for alarm in alarms:
        version = operator("GET", f"/api/v1/alarms/{alarm}")["version"]
        operator("POST", f"/api/v1/alarms/{alarm}/discard", {"code": "PRUEBA"}, **{"If-Match": f'"v{version}"'})


def main() -> None:
    status = json.loads(_pipc("status", "--json"))
    admin, operator, supervisor = (_Api(status["url"], role) for role in ("admin", "operador", "supervisor"))
    camera = operator("GET", "/api/v1/cameras?limit=1")["items"][0]["id"]
    plates = [f"ZX{number:03d}BB" for number in range(ALARMS)]
    name = f"Banco de pruebas {uuid.uuid4().hex[:8]}"
    hotlist = supervisor("POST", "/api/v1/hotlists", {"name": name, "kind": "LPR_LOCAL", "severity": 3})["id"]
    entries = f"/api/v1/hotlists/{hotlist}/entries"
    supervisor("POST", entries, {"entries": [{"plate": plate} for plate in plates]})
    try:
        latencies = _measure(admin, operator, camera, plates)
    finally:
        supervisor("POST", entries, {"entries": [{"plate": plate, "revoked_at": True} for plate in plates]})
    if len(latencies) < ALARMS:
        sys.exit(f"Se avisaron {len(latencies)} de {ALARMS} alarmas.")
    value = percentile(latencies, 0.95)
    report(
        "alarm_latency", value, "ms p95", baseline=percentile(latencies, 0.5), target=TARGET_MS, ok=value <= TARGET_MS
    )


if __name__ == "__main__":
    main()
