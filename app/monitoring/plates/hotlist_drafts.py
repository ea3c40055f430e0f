"""Files of listed plates between the upload and the confirmation: kept by the server, shown as what they would change."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select

from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.kernel.permissions import Permission
from app.monitoring.plates import hotlists
from app.monitoring.plates.errors import DraftNotFound
from app.monitoring.plates.models import HotlistDraft
from app.monitoring.plates.types import ImportPlan

MAX_BYTES = 10 * 2**20


@dataclass(frozen=True, slots=True)
class DraftView:
    """An uploaded file and what importing it would do to the list as it is."""

    id: UUID
    filename: str
    plan: ImportPlan


def upload_draft(actor: Actor, *, hotlist_id: UUID, filename: str, data: bytes) -> UUID:
    """Keep a file until its author confirms it; a new upload replaces the author's earlier one. Raises `Invalid`."""
    if len(data) > MAX_BYTES:
        raise Invalid(errors={"file": ["El archivo no puede superar 10 MB: dividirlo."]})
    hotlists.preview_csv(actor, hotlist_id=hotlist_id, data=data)
    mine = (HotlistDraft.hotlist_id == hotlist_id, HotlistDraft.user_id == actor.user_id)
    session().execute(delete(HotlistDraft).where(*mine))
    draft = HotlistDraft(
        id=new_id(),
        hotlist_id=hotlist_id,
        user_id=actor.user_id,
        filename=filename[:200],
        content=data,
        uploaded_at=clock.now(),
    )
    session().add(draft)
    return draft.id


def get_draft(actor: Actor, *, hotlist_id: UUID, draft_id: UUID) -> DraftView:
    """The file with its preview. Raises `DraftNotFound`."""
    actor.require(Permission.HOTLIST_EDIT)
    draft = _get(actor, hotlist_id, draft_id)
    return DraftView(draft.id, draft.filename, hotlists.preview_csv(actor, hotlist_id=hotlist_id, data=draft.content))


def apply_draft(actor: Actor, *, hotlist_id: UUID, draft_id: UUID, version: int) -> ImportPlan:
    """Import the file as it was previewed at `version` of the list, and forget it."""
    actor.require(Permission.HOTLIST_EDIT)
    draft = _get(actor, hotlist_id, draft_id)
    plan = hotlists.import_csv(actor, hotlist_id=hotlist_id, data=draft.content, version=version)
    session().delete(draft)
    return plan


def _get(actor: Actor, hotlist_id: UUID, draft_id: UUID) -> HotlistDraft:
    draft = session().scalar(
        select(HotlistDraft).where(
            HotlistDraft.id == draft_id, HotlistDraft.hotlist_id == hotlist_id, HotlistDraft.user_id == actor.user_id
        )
    )
    if draft is None:
        raise DraftNotFound
    return draft
