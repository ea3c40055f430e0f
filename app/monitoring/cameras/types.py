"""Words of the camera inventory: places, kinds, states and what a camera looks like to the other areas."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

PLACES: dict[str, str] = {
    "entrance": "Acceso",
    "traffic_light": "Semáforo",
    "bank": "Banco",
    "square": "Plaza",
    "commercial_centre": "Centro comercial",
    "other": "Otro lugar",
}
KINDS: dict[str, str] = {
    "fixed": "Fija",
    "ptz": "Móvil (PTZ)",
    "lpr": "Lectora de patentes",
    "dome": "Domo",
    "private": "Privada",
}
OWNERSHIPS: dict[str, str] = {"municipal": "Municipal", "private": "Privada con convenio"}
VISIBILITIES: dict[str, str] = {"normal": "Normal", "protected": "Protegida: pide motivo para ver"}
SOURCE_KINDS: dict[str, str] = {
    "rtsp": "RTSP",
    "http": "HTTP",
    "file": "Archivo de video",
    "demo": "Escena de demostración",
    "none": "Sin señal",
}

# The letters a code is made of when nobody gives one: TA-LPR-01.
CODE_LETTERS = {
    "entrance": "ACC",
    "traffic_light": "SEM",
    "bank": "BCO",
    "square": "PLA",
    "commercial_centre": "COM",
    "other": "CAM",
}

STATES: dict[str, str] = {
    "online": "En línea",
    "connecting": "Conectando",
    "offline": "Sin video",
    "frozen": "Imagen congelada",
    "dark": "Imagen oscura",
    "unknown": "Sin datos",
}
# States that are never stored: they follow from the inventory or from the silence of the node.
DERIVED_STATES: dict[str, str] = {
    "maintenance": "En mantenimiento",
    "no_link": "Nodo sin enlace",
    "no_signal": "Sin señal",
    "decommissioned": "Dada de baja",
}
STATE_LABELS = STATES | DERIVED_STATES

ERROR_LABELS: dict[str, str] = {
    "unreachable": "No se llega a la dirección de la cámara",
    "auth_failed": "La cámara rechaza el usuario o la clave",
    "not_found": "La cámara no conoce esa ruta de video",
    "timeout": "La cámara no contestó a tiempo",
    "no_keyframe": "Llega video pero ningún cuadro completo",
    "unsupported_codec": "El códec de la cámara no se puede grabar",
    "protocol_error": "La cámara contestó algo que no es video",
    "network_not_allowed": "La dirección está fuera de las redes de cámaras de este nodo",
    "file_not_allowed": "El nodo no puede abrir ese archivo",
    "disk_full": "El disco del nodo está lleno",
    "io_error": "El disco del nodo dio un error",
}


@dataclass(frozen=True, slots=True)
class CameraName:
    """What a list or an alarm needs to call a camera by."""

    id: UUID
    name: str
    code: str
    place: str
    lat: float | None
    lon: float | None
    is_demo: bool
    maintenance_from: datetime | None
    maintenance_until: datetime | None

    def is_in_maintenance(self, at: datetime) -> bool:
        """Whether what the camera saw then was seen while somebody worked on it."""
        if self.maintenance_until is None or at >= self.maintenance_until:
            return False
        return self.maintenance_from is None or self.maintenance_from <= at


class _InWords:
    """A state and its error as people read them."""

    __slots__ = ()
    state: str
    error_code: str | None

    @property
    def label(self) -> str:
        return STATE_LABELS[self.state]

    @property
    def error_label(self) -> str | None:
        return ERROR_LABELS.get(self.error_code, "La cámara dio un error") if self.error_code else None


@dataclass(frozen=True, slots=True)
class CameraState(_InWords):
    """What the node last said of a camera. `state` may be a derived one."""

    state: str
    since: datetime | None = None
    recording: bool = False
    analytics_state: str | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    error_code: str | None = None
    last_frame_sha: str | None = None
    last_frame_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera of the inventory as screens and the API show it: its source redacted, its state with the node's silence in it.

    Maintenance that is over is not told.
    """

    id: UUID
    node_id: UUID | None
    code: str
    name: str
    place: str
    kind: str
    ownership: str
    visibility: str
    street: str
    street_number: str
    between: str
    lat: float | None
    lon: float | None
    azimuth: int | None
    fov_deg: int | None
    range_m: int | None
    source_kind: str
    source: str
    sub_source: str
    has_credentials: bool
    record: bool
    is_demo: bool
    lanes: list[Any]
    zones: list[Any]
    profile: list[Any]
    config_version: int
    version: int
    maintenance_from: datetime | None
    maintenance_until: datetime | None
    maintenance_reason: str
    maintenance_by: str
    created_at: datetime
    decommissioned_at: datetime | None
    state: CameraState

    @property
    def place_label(self) -> str:
        return PLACES[self.place]

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]

    @property
    def address(self) -> str:
        """Street, number and the streets between which it stands, in the order people say them."""
        first = " ".join(part for part in (self.street, self.street_number) if part)
        return f"{first} e/ {self.between}" if first and self.between else first or self.between


@dataclass(frozen=True, slots=True)
class StateChange(_InWords):
    """One line of a camera's history."""

    state: str
    since: datetime
    error_code: str | None


@dataclass(frozen=True, slots=True)
class CameraFilter:
    """What a list of cameras is narrowed by; empty values ask for nothing."""

    text: str = ""
    place: str = ""
    kind: str = ""
    state: str = ""
    with_decommissioned: bool = False


@dataclass(frozen=True, slots=True)
class CameraData:
    """What a person writes about a camera. `source_url` None keeps the present source."""

    name: str
    place: str = "other"
    kind: str = "fixed"
    code: str = ""
    ownership: str = "municipal"
    visibility: str = "normal"
    street: str = ""
    street_number: str = ""
    between: str = ""
    lat: float | None = None
    lon: float | None = None
    azimuth: int | None = None
    fov_deg: int | None = None
    range_m: int | None = None
    source_url: str | None = None
    sub_url: str | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    record: bool = True
    is_demo: bool = False
    lanes: list[Any] | None = None
    zones: list[Any] | None = None
    profile: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class StateReport:
    """What a node says of one camera."""

    camera_id: UUID
    state: str
    since: datetime
    recording: bool | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class DesiredCamera:
    """What a node must know of a camera; the only shape in which sealed credentials leave the inventory."""

    id: UUID
    node_id: UUID
    name: str
    place: str
    source_kind: str
    source_url: str
    source_sealed: bytes | None
    sub_url: str | None
    record: bool
    lanes: list[Any]
    zones: list[Any]
    profile: list[Any]
