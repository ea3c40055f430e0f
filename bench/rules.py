"""How many observations a second the rule engine judges on one core, against decoding the same lines from JSON."""

import json
import time
from uuid import UUID
from zoneinfo import ZoneInfo

from workers.analytics.observation import CLASSES, Box, Obj, Observation, dumps, loads
from workers.analytics.rules.config import Capabilities, parse_camera
from workers.analytics.rules.engine import step

FRAMES, FPS, TARGET = 12_000, 12.5, 20_000
CAMERA = {
    "lanes": [{"id": "a", "polygon": [[0.1, 0], [0.9, 0], [0.9, 1], [0.1, 1]], "axis": [[0.5, 1], [0.5, 0]]}],
    "rules": [{"id": kind, "kind": kind} for kind in ("wrong_way", "zone_enter", "dwell", "tamper")],
}


def observations() -> list[Observation]:
    """Traffic of a street camera: a car passes for 4 s out of every 6."""
    rows = []
    for frame in range(FRAMES):
        t = frame / FPS
        phase, car = t % 6.0, int(t // 6.0)
        y = 0.95 - 0.2 * phase
        objects = (Obj(str(car), "car", Box(0.45, y - 0.12, 0.57, y), 0.9),) if phase < 4 else ()
        rows.append(Observation(UUID(int=1), "main", UUID(int=2), 1, "bench", "1", 1, frame, int(t * 1e9), None,
                                int(t * 1e9), (960, 540), "fixed", objects))
    return rows


def main() -> None:
    zone = ZoneInfo("America/Argentina/Buenos_Aires")
    config, _ = parse_camera(CAMERA, version=1, zone=zone, capabilities=Capabilities(frozenset(CLASSES), 25.0))
    rows = observations()
    lines = [dumps(row) for row in rows]
    started = time.perf_counter()
    for line in lines:
        loads(line)
    decoding = FRAMES / (time.perf_counter() - started)
    state = None
    started = time.perf_counter()
    for row in rows:
        state, _ = step(state, row, config)
    value = FRAMES / (time.perf_counter() - started)
    print(json.dumps({"name": "rules", "value": round(value), "unit": "observations/s", "baseline": round(decoding),
                      "ratio": round(value / decoding, 2), "target": TARGET, "ok": value >= TARGET}))


if __name__ == "__main__":
    main()
