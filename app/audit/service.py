"""Records who did what, in the transaction of the deed, and answers what was recorded and whether it still holds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.audit import chain, queries
from app.audit.checkpoints import Checkpoints
from app.audit.types import Fault, Filter, Line, Verdict, is_tag
from app.kernel import clock
from app.kernel.actor import Actor, system_actor
from app.kernel.db import session
from app.kernel.pagination import DEFAULT_LIMIT, Page
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import AuditRow, autonomous_unit, canonical, current_unit, unit_of_work

log = logging.getLogger(__name__)

__all__ = [
    "Filter", "keep_checkpoints_in", "list_entries", "note_heads", "record", "record_apart", "record_for_municipalities",
    "record_refusal", "verify", "verify_all",
]  # fmt: skip

MAX_DETAIL = 20_000


def record(action: str, target: str, **detail: Any) -> None:
    """Add an entry to the acting municipality's chain with the open unit: both are committed, or neither.

    `action` is a tag `source:subject:action`. Raises `ValueError` for another shape, a detail that has no canonical text or a
    very long one, and `PermissionError` inside a reading unit: what cannot be recorded must not happen.
    """
    unit = current_unit()
    if unit.read_only:
        raise PermissionError(f"{action}: una unidad de sólo lectura no registra")
    unit.audits.append(_row(unit.actor, action, target, detail))


def record_apart(actor: Actor, action: str, target: str, **detail: Any) -> None:
    """Record in a transaction of its own, already committed on return, whatever becomes of the open one."""
    with autonomous_unit(actor) as unit:
        unit.audits.append(_row(actor, action, target, detail))


def record_refusal(actor: Actor, action: str, target: str, **detail: Any) -> None:
    """Record what `actor` was not allowed to do. Strangers have no chain: they are only logged."""
    if actor.tenant_id is None:
        log.info("refused %s on %s to %s", action, target, actor.kind)
        return
    record_apart(actor, action, target, **detail)


def record_for_municipalities(
    actor: Actor, purpose: str, action: str, targets: Mapping[int, tuple[str, Mapping[str, Any]]]
) -> None:
    """Tell each municipality on its own chain what the Dirección read of it, committed before anything is shown.

    `targets` maps a municipality to the target and the detail of its entry.
    """
    with autonomous_unit(replace(actor, purpose=purpose), role="dir") as unit:
        # Ascending order: two readers that touch the same chains never wait for each other in a circle.
        for tenant_id, (target, detail) in sorted(targets.items()):
            row = _row(actor, action, target, {**detail, "motivo": purpose})
            unit.session.connection().execute(
                text("select app.audit_append_dir(:tenant, :action, :target, :detail)"),
                {"tenant": tenant_id, "action": row.action, "target": row.target, "detail": canonical(row.detail)},
            )


def _row(actor: Actor, action: str, target: str, detail: Mapping[str, Any]) -> AuditRow:
    if not is_tag(action):
        raise ValueError(f"«{action}» no es una etiqueta de auditoría origen:objeto:acción")
    full = {**detail, "por": actor.display_name or actor.user_id}
    if len(canonical(full)) > MAX_DETAIL:
        raise ValueError(f"el detalle de {action} supera los {MAX_DETAIL} caracteres")
    return AuditRow(action, target.replace("\x00", ""), full)


def list_entries(actor: Actor, wanted: Filter, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT) -> Page[Line]:
    """What was recorded of the acting municipality (of the Province for the Dirección), the newest first."""
    actor.require(Permission.PROVINCE_AUDIT_READ if actor.kind == "provincial" else Permission.AUDIT_READ)
    return queries.page(session(), wanted, cursor=cursor, limit=limit)


class _Kept:
    checkpoints: Checkpoints | None = None


def keep_checkpoints_in(folder: Path) -> None:
    """Where signed checkpoints live; called once by the factory."""
    _Kept.checkpoints = Checkpoints(folder)


def note_heads() -> int:
    """Sign where each chain is, outside the database; run every few minutes inside a unit of the Province."""
    if _Kept.checkpoints is None:
        return 0
    return _Kept.checkpoints.add(queries.chain_heads(session()), clock.now())


def verify(tenant_id: int, tenant_uuid: UUID) -> Verdict:
    """Recompute one chain from its first entry, against its checkpoints; opens a reading unit of its own."""
    points = _Kept.checkpoints.all().get(tenant_id, []) if _Kept.checkpoints else []
    with unit_of_work(system_actor("audit", tenant_id=tenant_id), read_only=True) as unit:
        head = queries.head(unit.session)
        found = queries.entries(unit.session, head)
        return chain.verify(chain.genesis(tenant_uuid), found, head, points)


def verify_all(tenants: Iterable[tuple[int, UUID]]) -> list[Verdict]:
    """Verify several chains. When more than one ends before its checkpoint, the database itself went back in time."""
    verdicts = [verify(tenant_id, tenant_uuid) for tenant_id, tenant_uuid in tenants]
    behind = [verdict for verdict in verdicts if verdict.fault is Fault.TRUNCATED]
    if len(behind) < 2:
        return verdicts
    return [replace(verdict, fault=Fault.RESTORED) if verdict in behind else verdict for verdict in verdicts]
