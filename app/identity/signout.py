"""Going out: by the person, by the identity server's notice, or by somebody who may end another's sessions."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit import service as audit
from app.identity import actors
from app.identity.errors import BadNotice
from app.identity.store import SessionStore
from app.identity.types import Session
from app.kernel.errors import NotFound
from app.kernel.ports import IdentityProvider, TokenRefused, TokenVerifier
from tenants.core import service as tenants


@dataclass(frozen=True, slots=True)
class SignOut:
    """The ends of sessions of one installation."""

    provider: IdentityProvider
    verifier: TokenVerifier
    store: SessionStore

    def sign_out(self, session: Session) -> str:
        """End one's own session. Returns where to send the browser so that the identity server forgets it too."""
        id_token = self.store.id_token(session.key)
        self.store.end(session.key)
        _record(session, "salida")
        return self.provider.logout_url(id_token)

    def notice(self, token: str) -> int:
        """Obey a logout notice: every session of that person ends. Returns how many. Raises `BadNotice`."""
        try:
            claims = self.verifier.logout_token(token)
        except TokenRefused as refusal:
            raise BadNotice("El aviso no es del servicio de identidad.", reason=refusal.reason) from refusal
        if not self.store.first_time(str(claims["jti"])):
            raise BadNotice("El aviso ya se usó.", reason="replayed")
        subject, kc_sid = claims.get("sub"), claims.get("sid")
        if subject:
            for session in self.store.of_subject(str(subject)):
                _record(session, "aviso del servicio de identidad")
            return self.store.end_of_subject(str(subject))
        return self.store.end_of_server_session(str(kc_sid))

    def own_sessions(self, session: Session) -> list[Session]:
        """The sessions of the same person, the last used first."""
        return self.store.of_subject(session.subject)

    def end_own(self, session: Session, *, key: bytes) -> None:
        """End another session of the same person. Raises `NotFound` for one that is not theirs."""
        for other in self.store.of_subject(session.subject):
            if other.key == key:
                self.store.end(key)
                _record(session, "cierre desde otro equipo", cerrada=key.hex()[:12])
                return
        raise NotFound("Esa sesión ya terminó.")


def _record(session: Session, reason: str, **detail: str) -> None:
    actor = actors.of_session(session, tenants.by_id(session.tenant_id))
    audit.record_apart(actor, "auth:session:end", session.username, motivo=reason, **detail)
