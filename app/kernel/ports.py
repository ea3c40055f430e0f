"""What the product needs from outside, as protocols; `app.adapters` implements them and the factory plugs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

Port = TypeVar("Port")


class Nudge(Protocol):
    """Best-effort wake-ups between processes; losing one costs time, never data."""

    def publish(self, channel: str, message: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A stored blob: SHA-256 in lower-case hexadecimal and its size in bytes."""

    sha256: str
    size: int


class ObjectStorage(Protocol):
    """Content-addressed blobs per municipality (`tenant` is the municipality's uuid)."""

    def put(self, tenant: UUID, sha256: str, chunks: Iterator[bytes]) -> StoredObject:
        """Store and verify; raises `ValueError` when the content does not have that digest. Idempotent."""

    def open(self, tenant: UUID, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Stream the content. Raises `FileNotFoundError`."""

    def stat(self, tenant: UUID, sha256: str) -> StoredObject | None: ...


class PlugError(RuntimeError):
    """A port was used before the factory plugged it."""


@dataclass(frozen=True, slots=True)
class LiveOffer:
    """How a browser may watch one camera: ticket and transports in order of preference."""

    view_id: UUID
    camera_id: UUID
    ticket: str
    transports: tuple[str, ...]
    expires_at: datetime


class LiveView(Protocol):
    """The web's side of the video relay."""

    def offer(self, *, view_id: UUID, tenant: UUID, node_id: UUID, camera_id: UUID, stream: str) -> LiveOffer:
        """A ticket to watch; asked again with the same `view_id` it renews that view."""

    def revoke(self, tenant: UUID, view_ids: Sequence[UUID]) -> None:
        """Cut those views within seconds; a relay that does not answer has nobody watching."""

    def views(self, tenant: UUID, tickets: Sequence[str]) -> list[UUID]:
        """The views these tickets belong to. Raises `Forbidden` for a forged, expired or foreign one."""

    def open_stream(self, tenant: UUID, tickets: Sequence[str]) -> Iterator[bytes]:
        """The multiplexed frames of the tickets' cameras. Raises `Unavailable` when the recorder does not answer."""

    def add(self, tenant: UUID, sid: str, tickets: Sequence[str]) -> None:
        """Put more cameras in the open stream `sid`, or renew the ones it has."""

    def remove(self, tenant: UUID, sid: str, view_ids: Sequence[UUID]) -> None:
        """Take those views out of the open stream `sid`."""


class TokenRefused(Exception):
    """A token, code or answer of the identity server does not hold; `reason` is a short code for logs and audit."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What the identity server gave for a code or a refresh token; `claims` are those of the verified ID token."""

    claims: Mapping[str, Any]
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class IdentityProvider(Protocol):
    """Signing in through the identity server. Calls raise `TokenRefused`, or `Unavailable` when it does not answer."""

    def authorization_url(self, *, scope: str, state: str, nonce: str, verifier: str, second_factor: bool) -> str:
        """Where to send the browser."""

    def exchange(self, *, code: str, verifier: str, nonce: str) -> TokenSet:
        """Trade the code that came back for verified tokens."""

    def refresh(self, *, refresh_token: str, scope: str) -> TokenSet:
        """Ask again, with the same scope: membership and roles as they are now."""

    def end(self, refresh_token: str) -> None:
        """Make the identity server forget that sign-in, if it answers; never fails."""

    def logout_url(self, id_token: str) -> str:
        """Where to send the browser so that the identity server forgets it too."""


class TokenVerifier(Protocol):
    """Verification of tokens that others present. Both raise `TokenRefused`, or `Unavailable` without keys to check with."""

    def access_token(self, token: str) -> Mapping[str, Any]:
        """The claims of a bearer token meant for this API."""

    def logout_token(self, token: str) -> Mapping[str, Any]:
        """The claims of a notice that somebody signed out."""


@dataclass(frozen=True, slots=True)
class OrganizationSpec:
    """What the identity server must hold for one municipality. A disabled one keeps its people and lets nobody in."""

    alias: str
    name: str
    code: str
    section: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class OrganizationOutcome:
    """An organization after a comparison: what differed, in words, and was put right unless only asked to look."""

    alias: str
    organization_id: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """Somebody who must be able to sign in; `organization` is empty for the Province's own people."""

    username: str
    first_name: str
    last_name: str
    role: str
    organization: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)


class IdentityAdmin(Protocol):
    """Organizations, groups, members and clients of the identity server. Every call may raise `Unavailable`."""

    def reconcile_organization(
        self, spec: OrganizationSpec, *, dry_run: bool = False, prune: bool = False
    ) -> OrganizationOutcome:
        """Make one organization be as `spec` says; twice is harmless."""

    def reconcile_organizations(
        self, specs: Sequence[OrganizationSpec], *, dry_run: bool = False, prune: bool = False
    ) -> Iterator[OrganizationOutcome]:
        """The same for many, in the order given."""

    def extra_organizations(self, aliases: Sequence[str], *, prune: bool = False) -> list[str]:
        """Aliases that belong to no municipality."""

    def reconcile_web_client(self, base_url: str, *, dry_run: bool = False) -> tuple[str, ...]:
        """Make the addresses of the web client be those of this origin; returns what differed."""

    def ensure_person(self, person: PersonSpec) -> str:
        """Make somebody able to sign in with that role; returns the subject of their tokens."""

    def end_sessions(self, subject: str) -> None:
        """Sign somebody out everywhere."""

    def enrol_node(self, *, client_id: str, name: str, organization: str, public_jwk: Mapping[str, Any]) -> None:
        """Let a node of a municipality get tokens by signing with the private half of `public_jwk`; twice is harmless."""

    def remove_node(self, client_id: str) -> None:
        """Take a node's access away."""


@dataclass(frozen=True, slots=True)
class ReceivingNode:
    """The node that takes a municipality's cameras, and the key that only it can open."""

    node_id: UUID
    seal_public_key: bytes


class NodeDirectory(Protocol):
    """Questions about nodes that the inventory asks upwards, inside the open unit of work."""

    def receiving(self) -> ReceivingNode | None:
        """The node of the acting municipality that takes new cameras; None before one is enrolled."""

    def last_seen(self) -> Mapping[UUID, datetime | None]:
        """When each node of the acting municipality last spoke."""


@dataclass(frozen=True, slots=True)
class ActiveHold:
    """A stretch of a camera that must not be deleted; without an end it reaches into the future."""

    hold_id: UUID
    camera_id: UUID
    from_at: datetime
    to_at: datetime | None
    expires_at: datetime | None


class HoldDirectory(Protocol):
    """The question about holds that nodes' desired state asks upwards, inside the open unit of work."""

    def active(self, camera_ids: Collection[UUID]) -> Sequence[ActiveHold]:
        """What is held now of those cameras of the acting municipality."""


@dataclass(slots=True)
class _Slots:
    storage: ObjectStorage | None = None
    live: LiveView | None = None
    identity_admin: IdentityAdmin | None = None
    nodes: NodeDirectory | None = None
    holds: HoldDirectory | None = None


_slots = _Slots()


def plug(
    *,
    storage: ObjectStorage | None = None,
    live: LiveView | None = None,
    identity_admin: IdentityAdmin | None = None,
    nodes: NodeDirectory | None = None,
    holds: HoldDirectory | None = None,
) -> None:
    """Fill the given slots; called once by the factory (and by tests). The others keep what they had."""
    _slots.storage = storage or _slots.storage
    _slots.live = live or _slots.live
    _slots.identity_admin = identity_admin or _slots.identity_admin
    _slots.nodes = nodes or _slots.nodes
    _slots.holds = holds or _slots.holds


def object_storage() -> ObjectStorage:
    """Where blobs are kept. Raises `PlugError`."""
    return _plugged(_slots.storage, "ObjectStorage")


def live_view() -> LiveView:
    """The video relay as the web sees it. Raises `PlugError`."""
    return _plugged(_slots.live, "LiveView")


def identity_admin() -> IdentityAdmin:
    """The administration of the identity server. Raises `PlugError`."""
    return _plugged(_slots.identity_admin, "IdentityAdmin")


def node_directory() -> NodeDirectory:
    """Who answers about nodes. Raises `PlugError`."""
    return _plugged(_slots.nodes, "NodeDirectory")


def hold_directory() -> HoldDirectory:
    """Who answers about holds. Raises `PlugError`."""
    return _plugged(_slots.holds, "HoldDirectory")


def _plugged(port: Port | None, name: str) -> Port:
    if port is None:
        raise PlugError(f"nadie conectó {name}")
    return port
