"""The demonstration's story as data: which cameras are alive, what they see, and which plates are looked for.

Every plate belongs to series never issued (Mercosur beginning with Z, 1995 series beginning with ZZ), so that none is
anybody's. No plate is shared between municipalities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ACTIVE = ("laprida", "tres-arroyos", "general-pueyrredon", "azul")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A plate and the colour of the rendered vehicle that carries it."""

    plate: str
    colour: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hot-list entry of the demonstration; `incident` is the code of the incident type it raises."""

    plate: str
    colour: str
    make: str
    model: str
    incident: str
    reason: str
    authority: str
    case_number: str


@dataclass(frozen=True, slots=True)
class Room:
    """One municipality's live part: prefix of its camera codes, ordinary traffic and wanted vehicles."""

    slug: str
    prefix: str
    inventory: int
    ordinary: tuple[Sighting, ...]
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class LiveCamera:
    """A camera with a rendered scene. Offsets are metres east and north of the head town."""

    room: str
    code: str
    name: str
    place: str
    kind: str
    scene: str
    street: str
    between: str
    east_m: int
    north_m: int
    azimuth: int


ROOMS: tuple[Room, ...] = (
    Room(
        "laprida", "LAP", 6,
        (Sighting("ZA118LP", "blanco"), Sighting("ZB204LP", "gris"), Sighting("ZZB731", "azul"), Sighting("ZC377LP", "rojo")),
        (
            Wanted("ZA905LH", "negro", "Ford", "Ranger", "LPR_SECUESTRO", "Pedido de secuestro vigente (DEMO)",
                   "UFI 2 Azul", "01-00-004512-26/00"),
        ),
    ),
    Room(
        "tres-arroyos", "TA", 24,
        (Sighting("ZD640TA", "rojo"), Sighting("ZE015TA", "blanco"), Sighting("ZZD208", "verde"), Sighting("ZF752TA", "azul")),
        (
            Wanted("ZA482LT", "gris", "Volkswagen", "Gol Trend", "LPR_SECUESTRO", "Pedido de secuestro vigente (DEMO)",
                   "UFI 4 Tres Arroyos", "02-00-001182-26/00"),
            Wanted("ZZA519", "negro", "Fiat", "Duna", "LPR_LOCAL", "Vehículo señalado por vecinos (DEMO)",
                   "Secretaría de Seguridad", ""),
        ),
    ),
    Room(
        "general-pueyrredon", "GP", 60,
        (Sighting("ZG331MP", "azul"), Sighting("ZH908MP", "gris"), Sighting("ZZH466", "blanco"), Sighting("ZJ127MP", "verde")),
        (
            Wanted("ZK760MD", "rojo", "Renault", "Kangoo", "LPR_SECUESTRO", "Pedido de secuestro vigente (DEMO)",
                   "UFI 7 Mar del Plata", "08-00-020311-26/00"),
            Wanted("ZL243MD", "blanco", "Toyota", "Hilux", "LPR_PROHIB_CIRC", "Prohibición de circular (DEMO)",
                   "Juzgado de Faltas 3", "1127/26"),
        ),
    ),
)  # fmt: skip

LIVE: tuple[LiveCamera, ...] = (
    LiveCamera("laprida", "LAP-LPR-01", "Acceso Ruta 76", "entrance", "lpr", "acceso-laprida",
               "Ruta Provincial 76", "Av. San Martín", 1400, 900, 40),
    LiveCamera("laprida", "LAP-SEM-01", "Av. San Martín y Pellegrini", "traffic_light", "fixed", "semaforo",
               "Av. San Martín", "Pellegrini", 120, 60, 180),
    LiveCamera("tres-arroyos", "TA-LPR-01", "Acceso Ruta 3 Norte · carril 1", "entrance", "lpr", "acceso-tres-arroyos",
               "Ruta Nacional 3", "Av. Constituyentes", 2600, 1900, 35),
    LiveCamera("tres-arroyos", "TA-SEM-01", "Av. Moreno y Colón · semáforo", "traffic_light", "fixed", "semaforo",
               "Av. Moreno", "Colón", -150, 40, 90),
    LiveCamera("tres-arroyos", "TA-PLZ-01", "Plaza San Martín · domo 1", "square", "dome", "plaza",
               "Plaza San Martín", "Chacabuco", 60, -40, 0),
    LiveCamera("tres-arroyos", "TA-BCO-01", "Banco · Hipólito Yrigoyen", "bank", "fixed", "banco",
               "Hipólito Yrigoyen", "Chacabuco", 210, -90, 270),
    LiveCamera("general-pueyrredon", "GP-LPR-01", "Acceso Ruta 2 · carril 2", "entrance", "lpr", "acceso-general-pueyrredon",
               "Autovía 2", "Av. Champagnat", -2800, 4600, 310),
    LiveCamera("general-pueyrredon", "GP-SEM-01", "Av. Colón y Av. Independencia", "traffic_light", "fixed", "semaforo",
               "Av. Colón", "Av. Independencia", -700, 300, 200),
    LiveCamera("general-pueyrredon", "GP-PLZ-01", "Plaza Colón · fuente", "square", "dome", "plaza",
               "Plaza Colón", "Av. Colón", 350, -260, 120),
    LiveCamera("general-pueyrredon", "GP-BCO-01", "Peatonal San Martín · banco", "bank", "fixed", "banco",
               "San Martín", "Mitre", 140, -60, 30),
)  # fmt: skip

_ENTRANCE: dict[str, Any] = {
    "lanes": [
        {
            "id": "oncoming", "name": "Ingreso", "axis": [[0.4609, 0.3531], [0.3261, 0.9837]],
            "polygon": [[0.3931, 0.3531], [0.5288, 0.3531], [0.6281, 0.9837], [0.0242, 0.9837]],
        },
        {
            "id": "outgoing", "name": "Egreso", "axis": [[0.9301, 0.9837], [0.5966, 0.3531]],
            "polygon": [[0.5288, 0.3531], [0.6645, 0.3531], [1.0, 0.9837], [0.6281, 0.9837]],
        },
    ],
    "zones": [],
}  # fmt: skip
_PLACE: dict[str, Any] = {
    "lanes": [],
    "zones": [
        {"id": "centro", "name": "Sector central", "polygon": [[0.22, 0.45], [0.78, 0.45], [0.86, 0.98], [0.14, 0.98]]}
    ],
}

# What an installer would draw over each scene; a test holds it equal to the geometry of the rendered pictures.
GEOMETRY: dict[str, dict[str, Any]] = {
    "acceso-laprida": _ENTRANCE,
    "acceso-tres-arroyos": _ENTRANCE,
    "acceso-general-pueyrredon": _ENTRANCE,
    "semaforo": {
        "lanes": [
            {
                "id": "oncoming", "name": "Ingreso", "axis": [[0.4654, 0.3443], [0.3179, 0.9842]],
                "polygon": [[0.4376, 0.3443], [0.4933, 0.3443], [0.4645, 0.9842], [0.1713, 0.9842]],
            },
            {
                "id": "outgoing", "name": "Egreso", "axis": [[0.6111, 0.9842], [0.5211, 0.3443]],
                "polygon": [[0.4933, 0.3443], [0.5489, 0.3443], [0.7577, 0.9842], [0.4645, 0.9842]],
            },
        ],
        "zones": [],
    },
    "plaza": _PLACE,
    "banco": _PLACE,
}  # fmt: skip

STREETS = (
    "Rivadavia", "Mitre", "Sarmiento", "Belgrano", "Moreno", "9 de Julio", "25 de Mayo", "Alsina", "Brown", "Lavalle",
    "Pringles", "Dorrego", "Alvear", "Necochea", "Balcarce", "Castelli", "Güemes", "Maipú", "Chacabuco", "Pueyrredón",
)  # fmt: skip


def room(slug: str) -> Room:
    """The room of a municipality. Raises `KeyError` for one without demonstration cameras."""
    for candidate in ROOMS:
        if candidate.slug == slug:
            return candidate
    raise KeyError(slug)


def live_cameras(slug: str) -> tuple[LiveCamera, ...]:
    return tuple(camera for camera in LIVE if camera.room == slug)
