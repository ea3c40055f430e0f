"""The way into identity: what the factory plugs, and the use cases of screens, jobs and the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.identity import people
from app.identity.cookies import Cookies
from app.identity.live import LiveSessions
from app.identity.organizations import spec_of, state_hash
from app.identity.sealing import Sealer
from app.identity.signin import SignIn
from app.identity.signout import SignOut
from app.identity.store import SessionStore
from app.kernel import jobs
from app.kernel.actor import Actor, current, system_actor
from app.kernel.errors import NotFound
from app.kernel.permissions import Permission
from app.kernel.ports import IdentityProvider, OrganizationOutcome, PlugError, TokenVerifier, identity_admin
from app.kernel.unit_of_work import unit_of_work
from app.settings import Settings
from tenants.core import service as tenants
from tenants.core.service import Tenant

RECONCILE = "identity.reconcile"


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything signing in needs, over one session store."""

    sign_in: SignIn
    live: LiveSessions
    sign_out: SignOut
    verifier: TokenVerifier
    store: SessionStore
    cookies: Cookies


class _Plugged:
    identity: Identity | None = None


def plug(settings: Settings, provider: IdentityProvider, verifier: TokenVerifier) -> Identity:
    """Connect identity for this process; called once by the factory (and by tests)."""
    store = SessionStore(Sealer(settings.secret_key))
    _Plugged.identity = Identity(
        sign_in=SignIn(provider, store, second_factor=settings.require_second_factor),
        live=LiveSessions(provider, store),
        sign_out=SignOut(provider, verifier, store),
        verifier=verifier,
        store=store,
        cookies=Cookies(settings.base_url),
    )
    return _Plugged.identity


def plugged() -> Identity:
    """What `plug` connected. Raises `PlugError`."""
    if _Plugged.identity is None:
        raise PlugError("nadie conectó identity")
    return _Plugged.identity


def still_may(actor: Actor, permission: Permission) -> bool:
    """Whether the session that `actor` came with still allows it, for an answer that outlives its request."""
    return not actor.session_id or plugged().live.goes_on(bytes.fromhex(actor.session_id), permission)


def remember_preferences(actor: Actor, preferences: dict[str, str]) -> None:
    """Keep how a person likes their screens, for this session and the next ones."""
    actor.require(Permission.PROFILE_USE)
    if actor.person_id is None:
        raise NotFound("Las preferencias son de las personas.")
    with unit_of_work(actor):
        subject = people.prefer(actor.person_id, preferences)
    plugged().store.remember(subject, preferences)


def reconcile_own_organization() -> None:
    """Make the acting municipality's organization be as its row says: the work of the job `identity.reconcile`."""
    with unit_of_work(system_actor("identidad", tenant_id=current().tenant_id), read_only=True):
        tenant = tenants.own()
    outcome = identity_admin().reconcile_organization(spec_of(tenant))
    tenants.link_organization(tenant.id, organization_id=outcome.organization_id, state_hash=state_hash(tenant))


def reconcile(
    municipalities: Sequence[Tenant], *, dry_run: bool = False, prune: bool = False
) -> Iterator[tuple[Tenant, OrganizationOutcome]]:
    """Compare many organizations with their rows and put them right, unless only asked to look."""
    specs = [spec_of(tenant) for tenant in municipalities]
    outcomes = identity_admin().reconcile_organizations(specs, dry_run=dry_run, prune=prune)
    for tenant, outcome in zip(municipalities, outcomes, strict=True):
        if not dry_run and (not is_reconciled(tenant) or tenant.kc_org_id != outcome.organization_id):
            tenants.link_organization(tenant.id, organization_id=outcome.organization_id, state_hash=state_hash(tenant))
        yield tenant, outcome


def is_reconciled(tenant: Tenant) -> bool:
    """Whether the organization was last left as the row says."""
    return bool(tenant.kc_org_id) and tenant.kc_state_hash == state_hash(tenant)


def request_reconciliation(tenant: Tenant) -> None:
    """Ask for the same by a job, in a unit of its own acting for that municipality."""
    with unit_of_work(system_actor("identidad", tenant_id=tenant.id)):
        jobs.after_commit(RECONCILE, dedupe="organization")
