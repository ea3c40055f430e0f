"""Live view through the recorder of the same machine: tickets to the browser, bytes from its Unix socket."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from app.adapters.video.tickets import TicketOffice
from app.kernel.errors import Conflict, NotFound, Unavailable
from app.kernel.ports import LiveOffer

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 3.0
# The recorder sends a heartbeat every 5 s: a silence of four of them means that it is gone.
SILENCE_TIMEOUT_S = 20.0
CHUNK = 256 * 1024
MAX_ANSWER = 64 * 1024
AWAY = "El grabador de este municipio no responde. Volver a intentar en unos segundos."


class EmbeddedLiveView:
    """Implements `kernel.ports.LiveView`. `recorders` is the file in which the node writes where each recorder listens."""

    def __init__(self, office: TicketOffice, recorders: Path) -> None:
        self._office = office
        self._recorders = recorders

    def offer(self, *, view_id: UUID, tenant: UUID, node_id: UUID, camera_id: UUID, stream: str) -> LiveOffer:
        ticket, expires = self._office.issue(
            view_id=view_id, tenant=tenant, node_id=node_id, camera_id=camera_id, stream=stream
        )
        return LiveOffer(view_id, camera_id, ticket, ("mux", "snapshot"), expires)

    def views(self, tenant: UUID, tickets: Sequence[str]) -> list[UUID]:
        return self._office.views(tenant, tickets)

    def open_stream(self, tenant: UUID, tickets: Sequence[str]) -> Iterator[bytes]:
        connection, rest, _ = self._ask(tenant, {"op": "live", "tickets": list(tickets)})
        return _Frames(connection, rest)

    def add(self, tenant: UUID, sid: str, tickets: Sequence[str]) -> None:
        self._tell(tenant, {"op": "live_add", "sid": sid, "tickets": list(tickets)})

    def remove(self, tenant: UUID, sid: str, view_ids: Sequence[UUID]) -> None:
        self._tell(tenant, {"op": "live_remove", "sid": sid, "views": [str(view_id) for view_id in view_ids]})

    def revoke(self, tenant: UUID, view_ids: Sequence[UUID]) -> None:
        try:
            self._tell(tenant, {"op": "revoke", "views": [str(view_id) for view_id in view_ids]})
        except Unavailable as error:
            log.info("nothing to revoke: %s", error)

    def _tell(self, tenant: UUID, request: dict[str, Any]) -> None:
        connection, _, _ = self._ask(tenant, request)
        connection.close()

    def _ask(self, tenant: UUID, request: dict[str, Any]) -> tuple[socket.socket, bytes, dict[str, Any]]:
        """Send one request; the open connection, the bytes after the answer, and the answer.

        Raises `Unavailable` when nobody answers, `NotFound` or `Conflict` when the recorder refuses.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_TIMEOUT_S)
            connection.connect(self._socket_of(tenant))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer, rest = _answer(connection)
        except (OSError, ValueError) as error:
            connection.close()
            log.info("recorder away: %s", error)
            raise Unavailable(AWAY, retry_after=3) from None
        if not answer.get("ok"):
            connection.close()
            _refuse(str(answer.get("error", "")))
        return connection, rest, answer

    def _socket_of(self, tenant: UUID) -> str:
        """Where that recorder listens now; read each time because a restarted one may have moved."""
        listed = json.loads(self._recorders.read_text(encoding="utf-8"))
        entry = listed.get(str(tenant))
        if not isinstance(entry, dict) or not isinstance(entry.get("socket"), str):
            raise ValueError("no recorder for this municipality")
        path: str = entry["socket"]
        return path


def _answer(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    received = b""
    while b"\n" not in received:
        chunk = connection.recv(4096)
        if not chunk or len(received) > MAX_ANSWER:
            raise ValueError("the recorder hung up without an answer")
        received += chunk
    line, _, rest = received.partition(b"\n")
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise ValueError("the recorder's answer is not an object")
    return answer, rest


class _Frames:
    """The bytes of a live stream. `close` frees the connection even if nobody ever read from it, unlike a generator's."""

    def __init__(self, connection: socket.socket, rest: bytes) -> None:
        self._connection = connection
        self._rest = rest
        connection.settimeout(SILENCE_TIMEOUT_S)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk, self._rest = self._rest, b""
        if not chunk:
            try:
                chunk = self._connection.recv(CHUNK)
            except OSError as error:
                log.info("live stream ended: %s", error)
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        self._connection.close()


def _refuse(code: str) -> None:
    if code in {"expired", "revoked", "not_found"}:
        raise NotFound("La transmisión ya terminó: volver a abrir la cámara.")
    if code in {"busy", "too_many"}:
        raise Unavailable("El grabador llegó a su máximo de visualizaciones.", retry_after=10)
    raise Conflict("El grabador no aceptó el pedido.")
