"""What identity speaks in: who a token says somebody is, and the session of a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from app.kernel.permissions import Permission, permissions_of

SessionKind = Literal["municipal", "provincial"]

# Subjects of Keycloak are turned into row ids with it: the same person has the same id in every database.
_PEOPLE = UUID("6b0e7a0e-3f53-5d0c-9a57-1f6f2b1d7c11")


def person_id_of(subject: str) -> UUID:
    """The row id of the person with that subject."""
    return uuid5(_PEOPLE, subject)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a verified ID token speaks of, without any municipality or role."""

    subject: str
    kc_sid: str
    username: str
    display_name: str
    acr: str
    auth_time: datetime | None

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Identity:
        username = str(claims.get("preferred_username") or claims["sub"])
        return cls(
            subject=str(claims["sub"]),
            kc_sid=str(claims.get("sid", "")),
            username=username,
            display_name=str(claims.get("name") or username),
            acr=str(claims.get("acr", "")),
            auth_time=instant(claims.get("auth_time")),
        )


def instant(seconds: object) -> datetime | None:
    """A numeric date of a token."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, (int, float)) else None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser, as the store keeps it."""

    key: bytes
    kind: SessionKind
    tenant_id: int
    subject: str
    username: str
    display_name: str
    person_id: UUID
    roles: tuple[str, ...]
    acr: str
    elevated_until: datetime | None
    idle_at: datetime
    expires_at: datetime
    access_expires_at: datetime
    refreshed_at: datetime
    csrf: str
    created_at: datetime
    seen_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.roles, kind=self.kind)


@dataclass(frozen=True, slots=True)
class Prelogin:
    """A sign-in on its way: what was sent to the identity server, and where the person wanted to go.

    `subject` is the person already signed in whose second factor is asked, empty for an ordinary sign-in.
    """

    tenant_id: int
    nonce: str
    verifier: str = field(repr=False)
    target: str
    started_at: datetime
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Entrance:
    """The end of a sign-in: the new secret of the browser's cookie and where to go."""

    token: str = field(repr=False)
    target: str
    elevated: bool = False
