"""View tickets: short signed permissions to watch one stream of one camera."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.kernel import clock
from app.kernel.errors import Forbidden

ISSUER, AUDIENCE, ACTION = "pipc", "recorder", "view"
LIFE = timedelta(seconds=120)
LEEWAY_S = 10


class TicketOffice:
    """Signs tickets with the Province's key and checks its own."""

    def __init__(self, key_pem: str) -> None:
        self._key = ECKey.import_key(key_pem)
        self._kid = self._key.thumbprint()

    def issue(
        self, *, view_id: UUID, tenant: UUID, node_id: UUID, camera_id: UUID, stream: str
    ) -> tuple[str, datetime]:
        """A ticket for exactly that stream, and when it expires."""
        now = clock.now()
        expires = now + LIFE
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "act": ACTION, "sub": str(view_id), "tenant": str(tenant),
            "node": str(node_id), "path": f"{tenant}/{camera_id}" + ("/sub" if stream == "sub" else ""),
            "iat": int(now.timestamp()), "exp": int(expires.timestamp()),
        }  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": self._kid}, claims, self._key), expires

    def views(self, tenant: UUID, tickets: Sequence[str]) -> list[UUID]:
        """The views of these tickets. Raises `Forbidden` when one is forged, expired or of another municipality."""
        return [self._view(tenant, ticket) for ticket in tickets]

    def _view(self, tenant: UUID, ticket: str) -> UUID:
        try:
            claims = jwt.decode(ticket, self._key, algorithms=["ES256"]).claims
            view_id, expires = UUID(str(claims["sub"])), float(claims["exp"])
        except (JoseError, ValueError, KeyError, TypeError):
            raise Forbidden("El permiso de visualización no es válido: volver a abrir la cámara.") from None
        ours = (claims.get("iss"), claims.get("aud"), claims.get("act")) == (ISSUER, AUDIENCE, ACTION)
        if not ours or claims.get("tenant") != str(tenant):
            raise Forbidden("El permiso de visualización no es válido: volver a abrir la cámara.")
        if clock.now().timestamp() > expires + LEEWAY_S:
            raise Forbidden("El permiso de visualización venció: volver a abrir la cámara.")
        return view_id
