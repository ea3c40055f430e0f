"""Is it alive, and is it ready: /healthz and /readyz."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as CheckTimeout
from dataclasses import asdict, dataclass

from flask import Blueprint, Response, current_app, jsonify

from app.http.guards import public

Check = Callable[[], str]
"""Answers a short detail ("18.1") or raises."""

TIMEOUT_S = 2.0
KEEP_S = 1.0
ESSENTIAL = "postgres"

bp = Blueprint("health", __name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the product as seen from this process."""

    ok: bool
    detail: str
    ms: int


class Readiness:
    """Checks every part side by side and keeps the answer for a second, so that probes cannot load the parts."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(checks)), thread_name_prefix="ready")
        self._kept: tuple[float, dict[str, Part]] = (0.0, {})

    def parts(self) -> dict[str, Part]:
        """Every part, by name."""
        at, parts = self._kept
        if parts and time.monotonic() - at < KEEP_S:
            return parts
        started = {name: (time.monotonic(), self._pool.submit(check)) for name, check in self._checks.items()}
        parts = {name: _outcome(began, future) for name, (began, future) in started.items()}
        self._kept = (time.monotonic(), parts)
        return parts


def current() -> Readiness:
    """The checks of the application that is answering."""
    readiness: Readiness = current_app.extensions["pipc_readiness"]
    return readiness


def _outcome(began: float, future: object) -> Part:
    try:
        detail = future.result(timeout=max(0.0, began + TIMEOUT_S - time.monotonic()))  # type: ignore[attr-defined]
        ok = True
    except CheckTimeout:
        detail, ok = f"sin respuesta en {TIMEOUT_S:.0f} s", False
    except Exception as error:  # a part may fail in any way; the page names it and goes on
        detail, ok = type(error).__name__, False
    return Part(ok=ok, detail=detail, ms=round((time.monotonic() - began) * 1000))


@bp.get("/healthz")
@public("probes ask whether the process is alive; it says nothing else")
def healthz() -> Response:
    return jsonify(state="alive")


@bp.get("/readyz")
@public("probes and the status command ask which parts answer; it names parts, not data")
def readyz() -> tuple[Response, int]:
    parts = current().parts()
    missing = {name for name, part in parts.items() if not part.ok}
    state = "down" if ESSENTIAL in missing else "degraded" if missing else "ready"
    body = {"state": state, "parts": {name: asdict(part) for name, part in parts.items()}}
    return jsonify(body), 503 if state == "down" else 200
