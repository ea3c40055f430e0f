"""How often each class of caller may ask, counted in Redis and in memory while Redis is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from app.http import metrics
from app.http.access import Access
from app.kernel.actor import Actor
from app.kernel.errors import DomainError

log = logging.getLogger(__name__)

# One row per class; deployments may switch all of them off (PIPC_RATE_LIMITS=0, for benchmarks), not one of them.
CLASSES: dict[str, RateLimitItem] = {
    name: parse(text)
    for name, text in {
        "pages": "900/minute",
        "api": "600/minute",
        "bulk": "6000/minute",
        "sign-in": "20/minute",
        "callback": "30/minute",
        "back-channel": "60/minute",
        "plate-search": "30/minute",
        "export": "10/hour",
        "upload": "30/hour",
        "certificate": "30/minute",
        "stream": "10/minute",
        "console-stream": "60/minute",  # every page of the room opens one: who moves fast must not lose the alarms
    }.items()
}
BULK_KINDS = frozenset({"service", "node"})
RETRY_STORE_AFTER_S = 5.0


class TooManyRequests(DomainError):
    """The caller went over its class; `retry_after` says for how many seconds."""

    code = "too-many-requests"
    status = 429
    title = "Demasiados pedidos en poco tiempo"


class RateLimits:
    """Counters of one process group. When the shared store does not answer, this process counts alone for a while."""

    def __init__(self, store_url: str) -> None:
        options = {"socket_connect_timeout": 0.3, "socket_timeout": 0.3} if store_url.startswith("redis") else {}
        self._shared = SlidingWindowCounterRateLimiter(storage_from_string(store_url, **options))
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared_again_at = 0.0

    def hit(self, name: str, caller: str) -> None:
        """Count one request. Raises `TooManyRequests`."""
        item = CLASSES[name]
        if time.monotonic() >= self._shared_again_at:
            try:
                self._count(self._shared, item, name, caller)
            except TooManyRequests:
                raise
            except Exception as error:  # any store failure: being without Redis must not refuse anybody
                log.warning("rate limits counted in memory: %s", error)
                self._shared_again_at = time.monotonic() + RETRY_STORE_AFTER_S
            else:
                return
        self._count(self._own, item, name, caller)

    @staticmethod
    def _count(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, name: str, caller: str) -> None:
        if limiter.hit(item, name, caller):
            return
        reset_at = limiter.get_window_stats(item, name, caller).reset_time
        seconds = max(1, round(reset_at - time.time()))
        raise TooManyRequests(f"Volver a intentar dentro de {seconds} s.", retry_after=seconds)


@contextmanager
def counted(actor: Actor, access: Access) -> Iterator[None]:
    """Count this request against its class and its caller before running the block. Raises `TooManyRequests`."""
    counters: RateLimits | None = current_app.extensions.get("pipc_limits")
    name = access.limit or _class_of(actor)
    if counters is not None and name:
        try:
            counters.hit(name, _caller(actor))
        except TooManyRequests:
            metrics.LIMITED.labels(name).inc()
            raise
    yield


def _class_of(actor: Actor) -> str:
    if actor.kind == "anonymous":
        return ""
    if actor.kind in BULK_KINDS:
        return "bulk"
    return "api" if request.path.startswith("/api/") else "pages"


def _caller(actor: Actor) -> str:
    return request.remote_addr or "unknown" if actor.kind == "anonymous" else f"{actor.tenant_id}:{actor.user_id}"
