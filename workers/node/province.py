"""The node's only way out: the province's node routes over HTTP(S), with time-outs, one answer or one clear failure."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from workers.node.auth import TokenError, TokenSource

TIMEOUT_S = 15.0
_BASE = "/api/v1/nodes/self"
_RETRYABLE = frozenset({408, 425, 429})


class LinkDownError(Exception):
    """The province did not answer usefully; the same request may be repeated later."""


@dataclass
class RefusedError(Exception):
    """The province understood and said no; repeating the same request is useless."""

    status: int
    code: str
    title: str = ""


class Province:
    """Requests of one municipality's node. One connection per thread, kept open."""

    def __init__(self, base_url: str, tokens: TokenSource, *, timeout: float = TIMEOUT_S) -> None:
        parts = urlsplit(base_url)
        self._host, self._port, self._prefix = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._secure, self._timeout, self._tokens = parts.scheme == "https", timeout, tokens
        self._local = threading.local()

    def desired(self, since: int) -> dict[str, Any] | None:
        """The desired state, or None when it has not changed since that version."""
        status, body = self._json("GET", f"{_BASE}/desired?since={since}")
        return None if status == 304 else body

    def heartbeat(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("POST", f"{_BASE}/heartbeat", message)[1]

    def batch(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("POST", f"{_BASE}/batches", message)[1]

    def lease(self, session: UUID, holder: str, epoch: int | None) -> dict[str, Any]:
        """Acquire (no epoch) or renew. Raises `RefusedError` with status 409 when somebody else holds it."""
        return self._json("POST", f"{_BASE}/leases/{session}", {"holder": holder, "epoch": epoch})[1]

    def put_blob(self, sha256: str, path: Path, content_type: str) -> None:
        """Idempotent: the name is the content."""
        headers = {"Content-Type": content_type}
        self._request("PUT", f"{_BASE}/blobs/{sha256}", path.read_bytes(), headers)

    def _json(self, method: str, path: str, message: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        body = None if message is None else json.dumps(message, separators=(",", ":")).encode()
        status, data = self._request(method, path, body, {"Content-Type": "application/json"})
        try:
            answer = json.loads(data) if data else {}
        except ValueError:
            raise LinkDownError("answer is not JSON") from None
        if not isinstance(answer, dict):
            raise LinkDownError("answer is not an object")
        return status, answer

    def _request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        status, data = self._once(method, path, body, headers)
        if status == 401:
            self._tokens.forget()
            status, data = self._once(method, path, body, headers)
        if status < 300 or status == 304:
            return status, data
        if status >= 500 or status in _RETRYABLE or status in (401, 403):
            raise LinkDownError(f"province answered {status}")
        raise _refusal(status, data)

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            token = self._tokens.token()
        except TokenError as error:
            raise LinkDownError(f"no token: {error}") from None
        sent = {**headers, "Authorization": f"Bearer {token}", "Accept": "application/json"}
        try:
            return self._exchange(method, self._prefix + path, body, sent)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise LinkDownError(type(error).__name__) from None

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        """A kept connection may have been closed by the other side meanwhile: then a fresh one is tried once."""
        kept = getattr(self._local, "connection", None)
        if kept is not None:
            try:
                return _talk(kept, method, path, body, headers)
            except (
                http.client.RemoteDisconnected,
                http.client.CannotSendRequest,
                BrokenPipeError,
                ConnectionResetError,
            ):
                self._drop()
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        self._local.connection = kind(self._host, self._port, timeout=self._timeout)
        return _talk(self._local.connection, method, path, body, headers)

    def _drop(self) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


def _talk(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> tuple[int, bytes]:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _refusal(status: int, data: bytes) -> RefusedError:
    try:
        problem = json.loads(data)
        return RefusedError(status, str(problem.get("code", "")), str(problem.get("title", "")))
    except (ValueError, AttributeError):
        return RefusedError(status, "")
