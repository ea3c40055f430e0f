"""Takes in what a node sends: fence first, everything in bulk in one transaction, then each alarm in its own small one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from app.kernel import clock, jobs
from app.kernel.actor import Actor
from app.kernel.db import session
from app.kernel.errors import DomainError
from app.kernel.events import publish
from app.kernel.ids import new_id
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.alarms import service as alarms
from app.monitoring.alarms.types import Candidate
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.types import StateReport
from app.monitoring.nodes import queries
from app.monitoring.nodes.caller import own_node
from app.monitoring.nodes.errors import StaleEpoch
from app.monitoring.nodes.events import FootageReported, Gap, OrderFinished, Purge, RecordedHour
from app.monitoring.nodes.items import (
    EventItem,
    Item,
    Malformed,
    OrderResultItem,
    PlateItem,
    SnapshotItem,
    read_item,
)
from app.monitoring.nodes.models import NodeEvent
from app.monitoring.nodes.types import Batch, BatchAnswer, Order, Rejection
from app.monitoring.plates import service as plates

log = logging.getLogger(__name__)

NET_AFTER = timedelta(seconds=10)
NET_SIZE = 50
ENDS = "_end"


@dataclass
class _Work:
    """A batch while it is taken in: what each item is, what became of it, and what must be raised afterwards."""

    node_id: UUID
    items: dict[int, Item] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)
    rejected: dict[int, Rejection] = field(default_factory=dict)
    hits: list[UUID] = field(default_factory=list)
    events: list[UUID] = field(default_factory=list)

    def refuse(self, n: int, code: str, title: str) -> None:
        self.items.pop(n, None)
        self.accepted.discard(n)
        self.rejected[n] = Rejection(n, code, title)

    def of(self, *kinds: type) -> list[tuple[int, Item]]:
        return [(n, item) for n, item in self.items.items() if isinstance(item, kinds)]


def accept_batch(actor: Actor, *, batch: Batch) -> BatchAnswer:
    """Take in a batch, once however often it is sent. Opens its own units.

    Raises `StaleEpoch` when the session has another holder, `NodeNotFound` for a client that is no node: then nothing was kept.
    """
    with unit_of_work(actor):
        node = own_node(actor)
        work = _Work(node.id)
        _fence(batch, node.id)
        _read(work, batch)
        _check_cameras(actor, work)
        _take_plates(actor, work)
        _take_events(work, batch)
        _take_states(actor, work)
    _take_footage(actor, work)
    _take_order_results(actor, work)
    _raise(actor, work)
    return BatchAnswer(sorted(work.accepted), _sorted(work.rejected.values()), _orders(actor, node.id))


def _fence(batch: Batch, node_id: UUID) -> None:
    if batch.fence is not None and not queries.is_current(
        batch.fence.session_id, node_id=node_id, epoch=batch.fence.epoch
    ):
        raise StaleEpoch("Detener esta sesión: lo que envía ya no se acepta.")


def _read(work: _Work, batch: Batch) -> None:
    for position, row in enumerate(batch.items):
        n = row.get("n", position)
        try:
            item = read_item(row)
        except Malformed as error:
            work.refuse(n, error.code, error.title)
            continue
        if batch.fence is None and isinstance(item, PlateItem | EventItem):
            work.refuse(n, "session_required", "Lo que ve el análisis se envía con su sesión y su época.")
            continue
        work.items[n] = item


def _check_cameras(actor: Actor, work: _Work) -> None:
    mine = cameras.cameras_of_node(actor, node_id=work.node_id)
    for n, item in list(work.items.items()):
        camera_id = _camera_of(item)
        if camera_id is not None and camera_id not in mine:
            work.refuse(n, "unknown_camera", "La cámara no es de este nodo.")


def _camera_of(item: Item) -> UUID | None:
    if isinstance(item, PlateItem):
        return item.read.camera_id
    return None if isinstance(item, OrderResultItem) else item.camera_id


def _take_plates(actor: Actor, work: _Work) -> None:
    for provisional, accept in ((True, plates.accept_provisional), (False, plates.accept_reads)):
        numbered = [
            (n, item.read)
            for n, item in work.items.items()
            if isinstance(item, PlateItem) and item.provisional is provisional
        ]
        if not numbered:
            continue
        batch = accept(actor, [read for _, read in numbered])
        work.hits += batch.hits
        for (n, _), outcome in zip(numbered, batch.outcomes, strict=True):
            if outcome.status == "rejected":
                work.refuse(n, outcome.code, outcome.title)
            else:
                work.accepted.add(n)


def _take_events(work: _Work, batch: Batch) -> None:
    """New events wait as pending, and one net job raises them if this process dies before it does."""
    numbered = [(n, item) for n, item in work.items.items() if isinstance(item, EventItem)]
    if not numbered or batch.fence is None:
        return
    at = clock.now()
    rows = [
        {
            "seen_at": item.seen_at, "id": new_id(), "key": item.key, "node_id": work.node_id,
            "camera_id": item.camera_id, "session_id": batch.fence.session_id, "epoch": batch.fence.epoch,
            "kind": item.kind, "payload": item.payload, "state": "pending", "received_at": at,
        }
        for _, item in sorted(numbered, key=lambda pair: (pair[1].seen_at, pair[1].key))
    ]  # fmt: skip
    new = session().scalars(insert(NodeEvent).values(rows).on_conflict_do_nothing().returning(NodeEvent.id))
    work.events = sorted(new)
    work.accepted |= {n for n, _ in numbered}
    if work.events:
        jobs.after_commit("nodes.raise_pending", dedupe="net", run_at=at + NET_AFTER)


def _take_states(actor: Actor, work: _Work) -> None:
    reports = [item for _, item in work.of(StateReport) if isinstance(item, StateReport)]
    allowed = {report.camera_id for report in reports}
    if reports:
        cameras.report_states(actor, reports=reports, allowed=allowed)
    for _, item in work.of(SnapshotItem):
        if isinstance(item, SnapshotItem):
            cameras.record_frame(actor, camera_id=item.camera_id, sha256=item.sha256, taken_at=item.taken_at)
    work.accepted |= {n for n, _ in work.of(StateReport, SnapshotItem)}


def _take_footage(actor: Actor, work: _Work) -> None:
    hours = tuple(item for _, item in work.of(RecordedHour) if isinstance(item, RecordedHour))
    gaps = tuple(item for _, item in work.of(Gap) if isinstance(item, Gap))
    purges = tuple(item for _, item in work.of(Purge) if isinstance(item, Purge))
    if hours or gaps or purges:
        with unit_of_work(actor):
            publish(FootageReported(hours, gaps, purges))
    work.accepted |= {n for n, _ in work.of(RecordedHour, Gap, Purge)}


def _take_order_results(actor: Actor, work: _Work) -> None:
    """Each in its own transaction: one that cannot be kept must not hold back the node's spool."""
    for n, item in work.of(OrderResultItem):
        if not isinstance(item, OrderResultItem):
            continue
        try:
            with unit_of_work(actor):
                known = _finish_order(work.node_id, item)
        except DomainError as error:
            work.refuse(n, error.code, error.title)
            continue
        if known:
            work.accepted.add(n)
        else:
            work.refuse(n, "unknown_order", "Ese pedido no existe en este nodo.")


def _finish_order(node_id: UUID, item: OrderResultItem) -> bool:
    order = queries.order(item.order_id, node_id=node_id, lock=True)
    if order is None:
        return False
    if order.state == "pending":
        order.state, order.result, order.finished_at = item.state, item.result, clock.now()
        publish(OrderFinished(order.id, order.kind, order.camera_id, order.alarm_id, item.state, item.result))
    return True


def _raise(actor: Actor, work: _Work) -> None:
    """The batch is kept whatever happens here; what fails is raised by the net job."""
    try:
        if work.hits:
            plates.raise_hits(actor, work.hits)
        for event_id in work.events:
            with unit_of_work(actor):
                _settle(actor, event_id)
    except OperationalError as error:
        log.warning("alarms of a batch left to the net: %s", error.orig)
    except Exception:
        log.exception("alarms of a batch left to the net")


def raise_pending(actor: Actor) -> None:
    """The net: settle what a process that died left pending, inside the open unit; the rest goes to another job."""
    waiting = queries.pending_events(NET_SIZE + 1)
    for event_id in waiting[:NET_SIZE]:
        _settle(actor, event_id)
    if len(waiting) > NET_SIZE:
        jobs.after_commit("nodes.raise_pending", dedupe="net-more")


def _settle(actor: Actor, event_id: UUID) -> None:
    """Hand a pending event to the alarm desk, once."""
    event = queries.pending_event(event_id)
    if event is None:
        return
    payload = event.payload
    if event.kind.endswith(ENDS):
        ended_at = datetime.fromisoformat(payload["ended_at"]) if payload["ended_at"] else event.seen_at
        alarms.end_event(actor, key=str(payload["detail"].get("of") or event.key.removesuffix(":end")), ended_at=ended_at)
        event.state = "counted"
        return
    raised = alarms.raise_from_event(actor, _candidate(event))
    event.state = "counted" if raised.outcome == "counted" else "raised"


def _candidate(event: NodeEvent) -> Candidate:
    payload = event.payload
    severity = payload["severity"]
    return Candidate(
        key=event.key, rule=event.kind, camera_id=event.camera_id, occurred_at=event.seen_at,
        received_at=event.received_at, rule_id=payload["rule_id"],
        ended_at=datetime.fromisoformat(payload["ended_at"]) if payload["ended_at"] else None,
        priority=int(severity) if severity in (1, 2, 3, 4) else None,
        detail={**payload["detail"], "completed_wall_ns": payload["completed_wall_ns"]},
        crop_sha=payload["crop_sha"], snapshot_sha=payload["image_sha"],
    )  # fmt: skip


def _orders(actor: Actor, node_id: UUID) -> list[Order]:
    with unit_of_work(actor, read_only=True):
        return queries.pending_orders(node_id)


def _sorted(rejections: Iterable[Rejection]) -> list[Rejection]:
    return sorted(rejections, key=lambda one: one.n)
