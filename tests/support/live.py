"""A viewer of the recorder's live stream, and the province's side of its tickets."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from workers.recorder.live import HEADER


class TicketOffice:
    """Signs view tickets as the province does."""

    def __init__(self, kid: str = "k1") -> None:
        self._key = ECKey.generate_key("P-256", parameters={"kid": kid})

    @property
    def public(self) -> dict[str, Any]:
        return dict(self._key.as_dict(private=False))

    def ticket(
        self,
        path: str,
        tenant: str,
        *,
        view_id: str | None = None,
        lifetime: int = 120,
        claims: dict[str, Any] | None = None,
    ) -> str:
        now = int(time.time())
        said = {
            "iss": "pipc", "aud": "recorder", "sub": view_id or str(uuid4()), "path": path, "act": "view",
            "tenant": tenant, "node": str(uuid4()), "iat": now, "exp": now + lifetime, **(claims or {}),
        }  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": self._key.as_dict()["kid"]}, said, self._key)


@dataclass(frozen=True)
class Frame:
    kind: int
    track: int
    flags: int
    seq: int
    wall_ms: float
    payload: bytes

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.payload))


class Viewer:
    """One connection to the recorder's socket that reads frames."""

    def __init__(self, path: Path, **message: Any) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(15)
        self._socket.connect(str(path))
        self._socket.sendall(json.dumps(message).encode() + b"\n")
        self._file = self._socket.makefile("rb")
        self.answer = json.loads(self._file.readline())

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def frame(self) -> Frame:
        kind, track, flags, length, seq, wall_ms = HEADER.unpack(self._file.read(HEADER.size))
        return Frame(kind, track, flags, seq, wall_ms, self._file.read(length))

    def until(self, kind: int, timeout: float = 15) -> Frame:
        """The next frame of this kind."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.frame()
            if found.kind == kind:
                return found
        raise AssertionError(f"no frame of kind {kind}")
