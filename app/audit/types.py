"""What the audit speaks in: tags, entries, checkpoints and verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

_TAG = re.compile(r"^[a-z]+:[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*$")

# What a person reads for each tag; an unlisted tag is shown as it is.
LABELS: Mapping[str, str] = {
    "alarms:alarm:acknowledge": "Tomó una alarma",
    "alarms:alarm:close": "Cerró una alarma",
    "alarms:alarm:discard": "Descartó una alarma",
    "alarms:alarm:entry_revoked": "La patente de una alarma quedó sin efecto",
    "alarms:alarm:escalate": "Alarma avisada al supervisor",
    "alarms:alarm:raise": "Alarma generada",
    "alarms:alarm:step": "Marcó un paso del procedimiento",
    "alarms:alarm:type_plate": "Escribió la patente que lee",
    "alarms:alarm:verify": "Verificó una alarma",
    "alarms:alarm:verify_source": "Anotó la respuesta de la fuente",
    "auth:session:elevate": "Confirmó su identidad",
    "auth:session:end": "Salió",
    "auth:session:refuse": "Ingreso rechazado",
    "auth:session:start": "Ingresó",
    "evidence:clip:keep": "Clip guardado con su huella",
    "evidence:clip:watch": "Miró un clip",
    "evidence:footage:purge": "El nodo borró grabaciones",
    "evidence:hold:place": "Resguardó imágenes",
    "http:route:refuse": "Acción no permitida",
    "jobs:job:die": "Tarea interna abandonada",
    "jobs:row:refuse": "Tarea interna rechazada",
    "plates:hotlist:create": "Creó una lista de búsqueda",
    "plates:hotlist:import": "Importó una lista de búsqueda",
    "plates:hotlist:update": "Modificó una lista de búsqueda",
    "plates:read:export": "Exportó lecturas de patentes",
    "plates:read:search": "Buscó patentes",
    "province:municipality:enter": "La Dirección ingresó al municipio",
    "province:records:read": "La Dirección consultó registros del municipio",
    "province:tenant:activate": "Municipio incorporado",
    "province:tenants:read": "Consulta entre municipios",
    "room:camera:create": "Agregó una cámara",
    "room:camera:edit": "Modificó una cámara",
    "room:camera:leave": "Dejó de ver video en vivo",
    "room:camera:maintain": "Cambió el mantenimiento de una cámara",
    "room:camera:retire": "Dio de baja una cámara",
    "room:camera:view": "Vio video en vivo",
    "room:node:enrol": "Nodo municipal incorporado",
}


def is_tag(text: str) -> bool:
    """Whether `text` is `source:subject:action`, each in snake_case."""
    return _TAG.match(text) is not None


def label_of(tag: str) -> str:
    """The Spanish name of a tag."""
    return LABELS.get(tag, tag)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a municipality's chain, as stored."""

    tenant_id: int
    seq: int
    occurred_at: datetime
    actor: str
    action: str
    target: str
    canon: str
    prev: bytes
    digest: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One line as a person reads it."""

    seq: int
    occurred_at: datetime
    actor: str
    actor_name: str
    action: str
    label: str
    target: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list; empty fields do not filter. `action` may be a whole tag or its beginning up to a colon."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    action: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain: what the next entry hangs from."""

    tenant_id: int
    seq: int
    occurred_at: datetime
    hash: bytes


class Fault(StrEnum):
    """What was done to a chain."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    RESTORED = "restored"


FAULTS: Mapping[Fault, str] = {
    Fault.EDITED: "el asiento fue modificado",
    Fault.DELETED: "falta el asiento",
    Fault.INSERTED: "el asiento fue agregado fuera del sistema",
    Fault.REORDERED: "el asiento está fuera de su lugar",
    Fault.TRUNCATED: "faltan los asientos desde este número",
    Fault.RESTORED: "el registro volvió a un estado anterior (copia restaurada) a partir de este asiento",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of one chain: sound, or its first bad entry and what happened to it."""

    tenant_id: int
    checked: int
    seq: int | None = None
    fault: Fault | None = None

    @property
    def is_sound(self) -> bool:
        return self.fault is None

    def __str__(self) -> str:
        if self.fault is None:
            return f"íntegro: {self.checked} asientos verificados"
        return f"asiento {self.seq}: {FAULTS[self.fault]}"
