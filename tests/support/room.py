"""What tests of the monitoring room share: cameras, readings and listed plates of a municipality."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.kernel import clock
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.permissions import permissions_of
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.alarms import tasks as _alarm_tasks  # noqa: F401 - declares the jobs
from app.monitoring.plates import service as plates
from app.monitoring.plates import tasks as _plate_tasks  # noqa: F401 - declares the jobs
from app.monitoring.plates.types import Read
from tests.support.world import OURS, World, actor


def node(tenant_id: int = OURS) -> Actor:
    """The municipality's node."""
    return Actor(
        kind="node", tenant_id=tenant_id, user_id="nodo-1", permissions=permissions_of(("nodo",), kind="municipal")
    )


def make_camera(
    world: World, tenant_id: int = OURS, *, name: str = "Acceso Ruta 3", code: str = "", demo: bool = False
) -> UUID:
    """A camera without source, straight into the inventory."""
    camera_id = new_id()
    with world.admin() as conn:
        conn.execute(
            "insert into app.cameras (tenant_id, id, name, code, place, kind, source_kind, is_demo, lat, lon, created_at)"
            " values (%s, %s, %s, %s, 'entrance', 'lpr', 'none', %s, -38.37, -60.27, now())",
            (tenant_id, camera_id, name, code or f"CAM-{str(camera_id)[-6:]}", demo),
        )
    return camera_id


def read(camera_id: UUID, plate: str = "ZA482QK", *, age_s: float = 1.0, **changes: Any) -> Read:
    """A reading `age_s` seconds old."""
    values = {"id": new_id(), "seen_at": clock.now() - timedelta(seconds=age_s), "confidence": 0.97}
    return Read(camera_id=camera_id, plate=plate, **(values | changes))


def make_hotlist(tenant_id: int, *entries: str | dict[str, Any], **changes: Any) -> UUID:
    """A list of the municipality with these plates in force; `changes` are fields of `HotlistData`."""
    data = plates.HotlistData(**({"name": "Pedidos de secuestro", "kind": "LPR_SECUESTRO"} | changes))
    items = [entry if isinstance(entry, dict) else {"plate": entry, "reason": "Robo"} for entry in entries]
    who = actor(tenant_id)
    with unit_of_work(who):
        hotlist = plates.create_hotlist(who, data=data)
    if items:
        with unit_of_work(who):
            plates.put_entries(who, hotlist_id=hotlist.id, items=items)
    return hotlist.id


def submit(who: Actor, *reads: Read) -> plates.ReadBatch:
    """Accept readings and raise their hits, as the intake does."""
    with unit_of_work(who):
        batch = plates.accept_reads(who, reads)
    plates.raise_hits(who, batch.hits)
    return batch
