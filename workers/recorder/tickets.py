"""View tickets: who may watch which stream until when, signed by the province and checked here without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

ISSUER, AUDIENCE, ACTION = "pipc", "recorder", "view"
LEEWAY_S = 10
LONGEST_S = 300


class TicketError(Exception):
    """A ticket is not good for this recorder; `code` is what the viewer is told."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class View:
    """One permitted view: an id to revoke it by, one exact path, and its end in Unix seconds."""

    id: str
    camera: UUID
    stream: str
    expires: float


class TicketVerifier:
    """Checks tickets against the province's public keys, for one municipality."""

    def __init__(self, tenant: UUID) -> None:
        self._tenant = tenant
        self._keys = KeySet([])

    def trust(self, keys: Sequence[Mapping[str, Any]]) -> None:
        """Replace the trusted keys; only P-256 keys count."""
        fit = [key for key in keys if key.get("kty") == "EC" and key.get("crv") == "P-256"]
        self._keys = KeySet(
            [
                ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y", "kid") if name in key})
                for key in fit
            ]
        )

    def verify(self, ticket: str, now: float) -> View:
        """The view a ticket grants. Raises `TicketError`: `expired` when only its time is over, else `not_found`."""
        if not self._keys.keys:
            raise TicketError("not_found")
        try:
            claims = jwt.decode(ticket, self._keys, algorithms=["ES256"]).claims
        except (JoseError, ValueError, KeyError):
            raise TicketError("not_found") from None
        expires, issued = claims.get("exp"), claims.get("iat")
        if not isinstance(expires, int | float) or not isinstance(issued, int | float):
            raise TicketError("not_found")
        if claims.get("iss") != ISSUER or claims.get("aud") != AUDIENCE or claims.get("act") != ACTION:
            raise TicketError("not_found")
        if expires - issued > LONGEST_S or issued > now + LEEWAY_S:
            raise TicketError("not_found")
        view = self._view(claims, float(expires))
        if now > expires + LEEWAY_S:
            raise TicketError("expired")
        return view

    def _view(self, claims: Mapping[str, Any], expires: float) -> View:
        """The path must be exactly `<tenant>/<camera>` or `<tenant>/<camera>/sub`, of this municipality."""
        tenant, _, rest = str(claims.get("path", "")).partition("/")
        camera, _, tail = rest.partition("/")
        try:
            ours = UUID(tenant) == self._tenant and str(claims.get("tenant")) == str(self._tenant)
            identifier, view_id = UUID(camera), str(UUID(str(claims.get("sub"))))
        except ValueError:
            raise TicketError("not_found") from None
        if not ours or tail not in ("", "sub"):
            raise TicketError("not_found")
        return View(view_id, identifier, "sub" if tail else "main", expires)
