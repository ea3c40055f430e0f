"""`pipc demo seed`: the demonstration's cameras, hot lists and nodes, written once through the same services people use."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator

import click

from app.cli.context import installation, settings
from app.cli.errors import CliError
from app.cli.local import state
from app.kernel.actor import Actor
from app.kernel.permissions import Permission
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.cameras import service as cameras
from app.monitoring.cameras.profiles import default_profile
from app.monitoring.cameras.types import CameraData
from app.monitoring.plates import service as plates
from app.settings import Settings
from tenants.core import service as municipalities
from tenants.core.service import Tenant
from tenants.data import demonstration
from tenants.data.demonstration import LiveCamera, Room

METRES_PER_DEGREE = 111_320.0
INTRUSION_S = 2  # a rendered walk lasts under six seconds
LISTS = {
    "LPR_SECUESTRO": ("Pedidos de secuestro (DEMO)", "provincial"),
    "LPR_LOCAL": ("Lista local (DEMO)", "local"),
    "LPR_PROHIB_CIRC": ("Prohibición de circular (DEMO)", "provincial"),
}


@click.command()
def seed() -> None:
    """Sembrar la demostración: cámaras, listas de búsqueda y nodos. Repetirlo no duplica nada."""
    from app.cli.node import enrol_node
    from app.factory import build_runtime

    current = settings()
    runtime = build_runtime(current)
    try:
        for slug in demonstration.ACTIVE:
            _seed_municipality(current, municipalities.by_slug(slug))
        for room in demonstration.ROOMS:
            enrol_node(current, current.home, room.slug)
    finally:
        runtime.databases.dispose()
    click.echo("Demostración lista.")


@click.command()
@click.option("--yes", is_flag=True, help="Sin preguntar.")
def reset(*, yes: bool) -> None:
    """Volver la demostración a su comienzo: se borran sus datos, grabaciones y usuarios."""
    here = installation()
    if not here.embeds_keycloak or here.postgres is None:
        raise CliError("La demostración usa un servidor de base de datos propio: reset sólo borra los incluidos.")
    if state.running(here.home) is not None:
        raise CliError("La demostración está en marcha.", "pipc down")
    if not yes:
        click.confirm(f"Se borra todo lo que hay en {here.home.root}. ¿Continuar?", abort=True)
    for folder in (here.home.postgres, here.home.redis, here.home.keycloak, here.home.objects, here.home.node):
        shutil.rmtree(folder, ignore_errors=True)
    click.echo("Listo: el próximo arranque la siembra de nuevo (make run).")


def _seed_municipality(current: Settings, municipality: Tenant) -> None:
    actor = Actor(
        kind="system",
        tenant_id=municipality.id,
        tenant_slug=municipality.slug,
        user_id="sistema:demostracion",
        display_name="Demostración",
        permissions=frozenset(Permission),
        is_demo=True,
    )
    try:
        room = demonstration.room(municipality.slug)
    except KeyError:
        return
    with unit_of_work(actor):
        known = {camera.code for camera in cameras.live_cameras(actor)}
        for data in _inventory(room, municipality):
            if data.code not in known:
                cameras.create_camera(actor, data=data)
    with unit_of_work(actor):
        _seed_hotlists(actor, room)


def _inventory(room: Room, municipality: Tenant) -> Iterator[CameraData]:
    """The live cameras, then the rest of the room's inventory, which has no signal in the demonstration."""
    live = demonstration.live_cameras(room.slug)
    for camera in live:
        yield _live(camera, municipality)
    for index in range(room.inventory - len(live)):
        yield _silent(room, municipality, index)


def _live(camera: LiveCamera, municipality: Tenant) -> CameraData:
    geometry = demonstration.GEOMETRY[camera.scene]
    lat, lon = _moved(municipality, camera.east_m, camera.north_m)
    return CameraData(
        name=camera.name,
        code=camera.code,
        place=camera.place,
        kind=camera.kind,
        street=camera.street,
        between=camera.between,
        lat=lat,
        lon=lon,
        azimuth=camera.azimuth,
        fov_deg=40 if camera.kind == "lpr" else 70,
        range_m=60,
        source_url=f"demo:{camera.scene}",
        lanes=geometry["lanes"],
        zones=geometry["zones"],
        profile=_profile(camera.place),
        is_demo=True,
    )


def _profile(place: str) -> list[dict[str, object]]:
    """The profile of the place, watching at every hour: whoever opens the demonstration at noon must see it too."""
    rules = []
    for rule in default_profile(place):
        rule["schedule"] = None
        if rule["kind"] == "zone_enter":
            rule["params"] = {**rule["params"], "seconds": INTRUSION_S}
        rule["enabled"] = rule["kind"] not in {"dwell", "crowd"}
        rules.append(rule)
    return rules


def _silent(room: Room, municipality: Tenant, index: int) -> CameraData:
    """A camera of the inventory on a spiral of street corners around the head town."""
    streets = demonstration.STREETS
    street = streets[index % len(streets)]
    between = streets[(index * 7 + 3) % len(streets)]
    if between == street:
        between = streets[(index * 7 + 4) % len(streets)]
    angle, radius = index * 2.399963, 130.0 * math.sqrt(index + 1)
    lat, lon = _moved(municipality, round(radius * math.cos(angle)), round(radius * math.sin(angle)))
    return CameraData(
        name=f"{street} y {between}",
        code=f"{room.prefix}-CAM-{index + 1:02d}",
        place="other",
        kind="dome" if index % 3 == 0 else "fixed",
        street=street,
        between=between,
        lat=lat,
        lon=lon,
        azimuth=(index * 47) % 360,
        fov_deg=70,
        range_m=50,
        record=False,
        is_demo=True,
    )


def _moved(municipality: Tenant, east_m: int, north_m: int) -> tuple[float, float]:
    assert municipality.lat is not None, "every municipality has its coordinates"
    assert municipality.lon is not None, "every municipality has its coordinates"
    lat = municipality.lat + north_m / METRES_PER_DEGREE
    lon = municipality.lon + east_m / (METRES_PER_DEGREE * math.cos(math.radians(municipality.lat)))
    return round(lat, 6), round(lon, 6)


def _seed_hotlists(actor: Actor, room: Room) -> None:
    known = {view.name: view for view in plates.list_hotlists(actor, cursor=None, limit=100).items}
    for kind, (name, origin) in LISTS.items():
        wanted = [entry for entry in room.wanted if entry.incident == kind]
        if not wanted or name in known:
            continue
        data = plates.HotlistData(name=name, origin=origin, kind=kind, tolerant=True)
        hotlist = plates.create_hotlist(actor, data=data, is_demo=True)
        plates.put_entries(
            actor,
            hotlist_id=hotlist.id,
            items=[
                {
                    "plate": entry.plate,
                    "make": entry.make,
                    "model": entry.model,
                    "colour": entry.colour,
                    "reason": entry.reason,
                    "authority": entry.authority,
                    "case_no": entry.case_number,
                }
                for entry in wanted
            ],
        )
