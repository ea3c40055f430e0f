"""Orders of the province: cut a clip out of the footage, try a source. Each is done once and answered once."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.node.desired import opened
from workers.node.household import House, house_of
from workers.node.province import LinkDownError, RefusedError
from workers.node.recorders import socket_path
from workers.node.sealing import SealError
from workers.node.spool import Blob, Spool
from workers.recorder.client import RecorderRefused, RecorderUnavailable, ask
from workers.recorder.clips import Clip, NoFootageError, Span, closed_spans, cut
from workers.recorder.clock import SECOND, Clock, from_iso, iso

log = logging.getLogger(__name__)
PATIENCE_S = 6.0
TAKEN_US = 120 * SECOND
_ATTEMPTS = 3
_CHECK_S = 30.0


def run_order(tenant: str, order_id: str) -> str:
    """The job of `node-export`. Doing it twice, even at once, answers once."""
    house = house_of(tenant)
    spool = house.spool()
    clock = Clock()
    try:
        taken = spool.execute(
            "UPDATE orders SET state='running', taken_us=?, attempts=attempts+1 WHERE id=? AND (state='pending' OR"
            " (state='running' AND taken_us<?)) RETURNING body, attempts",
            (clock.wall_us(), order_id, clock.wall_us() - TAKEN_US),
        )
        if not taken:
            return "elsewhere"
        order = json.loads(taken[0]["body"])
        result, blobs = perform(house, order) if taken[0]["attempts"] <= _ATTEMPTS else (_failed("gave_up"), [])
        _upload_now(house, spool, blobs)
        item = {"type": "order_result", "order_id": order_id, **result}
        spool.put(item, blobs=blobs, key=f"order:{order_id}")
        spool.execute("UPDATE orders SET state='done', done_us=? WHERE id=?", (clock.wall_us(), order_id))
        return str(result["state"])
    finally:
        spool.close()


def perform(house: House, order: Mapping[str, Any]) -> tuple[dict[str, Any], list[Blob]]:
    """The result of an order and the files it produced; never raises for what an order may ask."""
    kinds = {"cut_clip": _cut_clip, "check_source": _check_source}
    work = kinds.get(str(order.get("kind")))
    if work is None:
        return _failed("unknown_order"), []
    try:
        return work(house, order)
    except NoFootageError:
        return _failed("no_footage"), []
    except (KeyError, ValueError, OSError) as error:
        log.error("order %s failed: %s", order.get("id"), type(error).__name__)
        return _failed("error"), []


def _failed(code: str) -> dict[str, Any]:
    return {"state": "failed", "error": code}


def _cut_clip(house: House, order: Mapping[str, Any]) -> tuple[dict[str, Any], list[Blob]]:
    camera, from_us, to_us = UUID(str(order["camera_id"])), from_iso(order["from"]), from_iso(order["to"])
    house.blobs.mkdir(parents=True, exist_ok=True)
    clip = cut(_covering(house, camera, from_us, to_us), from_us, to_us, house.blobs / f"order-{order['id']}.mp4")
    named = house.blobs / f"{clip.sha256}.mp4"
    clip.path.replace(named)
    return _described(clip), [Blob(clip.sha256, named)]


def _described(clip: Clip) -> dict[str, Any]:
    return {
        "state": "done", "sha256": clip.sha256, "bytes": clip.bytes, "duration_ms": clip.duration_ms,
        "codec": clip.codec, "from_at": iso(clip.from_us), "to_at": iso(clip.to_us), "error": None,
    }  # fmt: skip


def _covering(house: House, camera: UUID, from_us: int, to_us: int) -> list[Span]:
    """Footage of the interval, awaited for a moment when its end is still being written."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        spans = footage_spans(house, camera, from_us, to_us)
        covered = max((span.end_us for span in spans), default=0) >= to_us
        if covered or time.monotonic() > deadline:
            return spans
        time.sleep(0.1)


def footage_spans(house: House, camera: UUID, from_us: int, to_us: int) -> list[Span]:
    """What the recorder can read now, or only the sealed files when it does not answer."""
    message = {"op": "spans", "camera": str(camera), "from": iso(from_us), "to": iso(to_us)}
    try:
        answer = ask(socket_path(house.settings, house.identity.tenant), message)
    except (RecorderUnavailable, RecorderRefused):
        return closed_spans(house.folder / "index.sqlite", house.folder / "volume", camera, from_us, to_us)
    return [Span(**{**row, "keys": tuple(tuple(key) for key in row["keys"])}) for row in answer["spans"]]


def _check_source(house: House, order: Mapping[str, Any]) -> tuple[dict[str, Any], list[Blob]]:
    source = order["source"]
    camera = UUID(str(order.get("camera_id") or order["id"]))
    try:
        credentials = opened(source, house.identity, camera)
    except SealError:
        return _failed("sealed_for_another_key"), []
    request = {
        "kind": source["kind"], "url": credentials.applied_to(source["url"]), "seconds": float(order.get("seconds", 8)),
        "networks": list(house.settings.networks), "own_ports": list(house.settings.own_ports()),
        "files": house.settings.allow_files, "scenes": [str(root) for root in house.settings.scene_roots],
        "snapshot_dir": str(house.blobs),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "workers.recorder.check"], input=json.dumps(request).encode(), capture_output=True,
        timeout=request["seconds"] + _CHECK_S, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    blobs = []
    if path := report.pop("snapshot_path", None):
        blobs = [Blob(report["snapshot_sha256"], Path(path))]
    return {"state": "done", "report": report, "error": report.get("error_code")}, blobs


def _upload_now(house: House, spool: Spool, blobs: list[Blob]) -> None:
    """A clip travels by itself so that it does not hold up the batch of an alarm; without link it goes with the spool."""
    for blob in blobs:
        media = "video/mp4" if blob.path.suffix == ".mp4" else "image/jpeg"
        try:
            house.province().put_blob(blob.sha256, blob.path, media)
            spool.blob_sent(blob.sha256)
        except (LinkDownError, RefusedError) as error:
            log.info("a clip waits for the link: %s", type(error).__name__)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run_order(sys.argv[1], sys.argv[2])
