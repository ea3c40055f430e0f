"""Counters for operators of the service, on a port only this machine can reach."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

log = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "pipc_http_requests_total", "Answers by route and status", ("route", "method", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "pipc_http_request_seconds",
    "Time to the first byte",
    ("route",),
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge("pipc_http_in_flight", "Requests being answered", registry=REGISTRY)
REFUSALS = Counter("pipc_http_refusals_total", "Refusals by missing permission", ("permission",), registry=REGISTRY)
PROBLEMS = Counter("pipc_http_problems_total", "Refusals and errors by code", ("code",), registry=REGISTRY)
LIMITED = Counter("pipc_http_limited_total", "Answers 429 by class", ("limit",), registry=REGISTRY)


def init_app(app: Flask) -> None:
    """Measure every request of `app`."""
    app.before_request(_start)
    app.after_request(_finish)
    app.teardown_request(_leave)


def serve(port: int) -> None:
    """Answer /metrics on the loopback address; a taken port is logged and does not stop the service."""
    try:
        start_http_server(port, addr="127.0.0.1", registry=REGISTRY)
    except OSError as error:
        log.warning("metrics not served on port %s: %s", port, error.strerror)


def _start() -> None:
    g.started_at = time.perf_counter()
    IN_FLIGHT.inc()


def _finish(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "unknown"
    REQUESTS.labels(route, request.method, response.status_code).inc()
    SECONDS.labels(route).observe(time.perf_counter() - g.started_at)
    return response


def _leave(_error: BaseException | None) -> None:
    if "started_at" in g:
        IN_FLIGHT.dec()
