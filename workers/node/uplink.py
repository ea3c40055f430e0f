"""Ships the spool: blobs first, then the batch that refers to them; nothing leaves the spool without an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from workers.node.province import LinkDownError, Province, RefusedError
from workers.node.spool import Batch, Blob, Spool

log = logging.getLogger(__name__)
POLL_S = 0.05
# A province being replaced may lack the route for a moment; what waits must not be lost for that.
NO_ROUTE = frozenset({404, 405})
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


class Uplink(threading.Thread):
    """One municipality's shipping thread."""

    def __init__(self, name: str, spool: Spool, province: Province, on_orders: Callable[[Sequence[Any]], None]) -> None:
        super().__init__(name=f"uplink-{name}", daemon=True)
        self._spool, self._province, self._on_orders = spool, province, on_orders
        self._ending = threading.Event()
        self._failures = 0
        self.link_up: bool | None = None

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> None:
        seen, idle = -1, False
        while not self._ending.is_set():
            version = self._spool.version()
            if idle and version == seen and not self._spool.touched.is_set():
                self._ending.wait(POLL_S)
                continue
            seen = version
            self._spool.touched.clear()
            try:
                idle = not self.ship_one() and not self._failures
            except Exception:
                # A defect here must not end shipping for ever: the next turn finds the same rows.
                log.exception("uplink turn failed")
                self._failures += 1
            if self._failures:
                self._ending.wait(BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1])

    def ship_one(self) -> bool:
        """Try to settle one batch; true when something was settled."""
        batch = self._spool.next_batch()
        if batch is None:
            return False
        try:
            if self._upload(self._spool.pending_blobs(batch)):
                batch = self._spool.next_batch() or batch
            answer = self._province.batch(batch.message())
        except LinkDownError as error:
            self._lost(str(error))
            return False
        except RefusedError as refusal:
            self._refused(batch, refusal)
            return self._failures == 0
        self._failures, self.link_up = 0, True
        self._spool.settle(batch, answer.get("accepted", []), answer.get("rejected", []))
        self._on_orders(answer.get("orders", []))
        return True

    def _upload(self, blobs: list[Blob]) -> bool:
        """Send the blobs; true when one was lost and the batch must be read again. Raises `LinkDownError`."""
        lost = False
        for blob in blobs:
            try:
                self._province.put_blob(blob.sha256, blob.path, media_type(blob.path))
                self._spool.blob_sent(blob.sha256)
            except FileNotFoundError:
                log.error("a picture vanished before it was shipped")
                self._spool.blob_lost(blob.sha256)
                lost = True
            except RefusedError as refusal:
                if refusal.status in NO_ROUTE:
                    raise LinkDownError(f"no such route: {refusal.status}") from None
                log.error("a picture was refused: %s %s", refusal.status, refusal.code)
                self._spool.blob_lost(blob.sha256)
                lost = True
        return lost

    def _lost(self, reason: str) -> None:
        self._failures += 1
        if self.link_up is not False:
            log.warning("the province is not reachable: %s", reason)
        self.link_up = False

    def _refused(self, batch: Batch, refusal: RefusedError) -> None:
        if refusal.status in NO_ROUTE:
            self._lost(f"no such route: {refusal.status}")
            return
        self._failures, self.link_up = 0, True
        log.error("a batch of %d was refused: %s %s", len(batch.items), refusal.status, refusal.code)
        if refusal.code == "stale_epoch":
            self._spool.refuse(batch, "stale_epoch")
        elif len(batch.items) > 1:
            self._spool.isolate(batch)
        else:
            self._spool.refuse(batch, refusal.code or f"http_{refusal.status}")


def media_type(path: object) -> str:
    """Clips are MP4, everything else the node ships is a JPEG."""
    return "video/mp4" if str(path).endswith(".mp4") else "image/jpeg"
