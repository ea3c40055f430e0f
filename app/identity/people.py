"""Who works where: written at each sign-in from what the identity server says, the only way a posting is made."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.identity.models import Person, Posting
from app.identity.types import Identity, person_id_of
from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import NotFound
from app.kernel.ids import new_id


def note_sign_in(actor: Actor, identity: Identity, roles: tuple[str, ...]) -> Mapping[str, str]:
    """Keep person and posting up to date in the acting municipality. Returns the person's preferences."""
    now = clock.now()
    person_id = person_id_of(identity.subject)
    # The posting goes first: the person is seen, and may be written, only through it.
    posting = insert(Posting).values(
        tenant_id=actor.tenant_id,
        id=new_id(),
        person_id=person_id,
        roles=list(roles),
        first_seen_at=now,
        last_seen_at=now,
    )
    changed = {"roles": list(roles), "last_seen_at": now}
    session().execute(posting.on_conflict_do_update(index_elements=["tenant_id", "person_id"], set_=changed))
    names = {"username": identity.username, "display_name": identity.display_name, "last_seen_at": now}
    person = insert(Person).values(id=person_id, subject=identity.subject, preferences={}, first_seen_at=now, **names)
    kept = session().scalar(
        person.on_conflict_do_update(index_elements=["id"], set_=names).returning(Person.preferences)
    )
    return dict(kept or {})


def prefer(person_id: UUID, preferences: Mapping[str, str]) -> str:
    """Keep how somebody likes their screens. Returns their subject. Raises `NotFound`."""
    change = update(Person).where(Person.id == person_id).values(preferences=dict(preferences))
    subject = session().scalar(change.returning(Person.subject))
    if subject is None:
        raise NotFound("La persona no trabaja en este municipio.")
    return subject
