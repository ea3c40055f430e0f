"""Values of the alarm desk: what may alarm, with which words and priority, and how an alarm may end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

State = Literal["new", "taken", "verified", "discarded", "closed"]
Match = Literal["exact", "possible"]
RaiseOutcome = Literal["raised", "grouped", "repeated", "counted"]

OPEN_STATES = ("new", "taken", "verified")
STATE_LABELS = {
    "new": "Sin tomar",
    "taken": "Tomada",
    "verified": "Verificada",
    "discarded": "Descartada",
    "closed": "Cerrada",
}
PRIORITY_LABELS = {1: "Crítica", 2: "Alta", 3: "Media", 4: "Baja"}

GROUP_GAP = timedelta(seconds=120)
GROUP_SPAN = timedelta(minutes=10)
OLDEST = timedelta(minutes=5)
FLOOD_WINDOW = timedelta(minutes=10)
FLOOD_BEGINS_ABOVE = 10
FLOOD_ENDS_BELOW = 5
FLOOD_CHECK = timedelta(minutes=1)
TARGET_PER_HOUR = 6

Escalation = Literal["insist", "supervisor"]
# What happens to an alarm nobody takes, by priority: louder again, or the shift supervisor is told.
ESCALATIONS: dict[int, tuple[tuple[timedelta, Escalation], ...]] = {
    1: ((timedelta(seconds=15), "insist"), (timedelta(seconds=30), "supervisor")),
    2: ((timedelta(seconds=120), "supervisor"), (timedelta(seconds=300), "insist")),
}


@dataclass(frozen=True, slots=True)
class Title:
    """An incident type as the room reads it, with the priority it has unless a list or a rule says otherwise."""

    text: str
    priority: int
    procedure: str


TITLES: dict[str, Title] = {
    "LPR_SECUESTRO": Title("Patente con pedido de secuestro", 1, "plate"),
    "LPR_PROHIB_CIRC": Title("Patente con prohibición de circular", 3, "plate"),
    "LPR_LOCAL": Title("Patente en lista local", 2, "plate"),
    "LPR_MELLIZA": Title("Posible patente melliza", 3, "plate"),
    "CONTRAMANO": Title("Circulación a contramano", 2, "traffic"),
    "INTRUSION": Title("Intrusión fuera de horario", 2, "presence"),
    "MERODEO": Title("Merodeo", 3, "presence"),
    "AGLOMERACION": Title("Aglomeración", 3, "presence"),
    "CRUCE_LINEA": Title("Cruce de línea", 3, "presence"),
    "CAMARA_TAPADA": Title("Cámara tapada o a oscuras", 2, "technical"),
    "CAMARA_CONGELADA": Title("Cámara con imagen congelada", 3, "technical"),
    "CAMARA_MOVIDA": Title("Cámara movida o desenfocada", 3, "technical"),
    "CAMARA_SIN_SENAL": Title("Cámara sin señal", 3, "technical"),
    "ALMACENAMIENTO_AGOTADO": Title("Almacenamiento agotado: no se está grabando", 1, "storage"),
}
RULE_TITLES = {
    "wrong_way": "CONTRAMANO",
    "zone_enter": "INTRUSION",
    "line_cross": "CRUCE_LINEA",
    "dwell": "MERODEO",
    "crowd": "AGLOMERACION",
    "tamper_black": "CAMARA_TAPADA",
    "tamper_frozen": "CAMARA_CONGELADA",
    "tamper_defocus": "CAMARA_MOVIDA",
    "tamper_moved": "CAMARA_MOVIDA",
    "camera_offline": "CAMARA_SIN_SENAL",
    "storage_exhausted": "ALMACENAMIENTO_AGOTADO",
    "plate": "LPR_LOCAL",
}
# Rules whose condition lasts: their alarm stays active until the node reports the end.
LASTING_RULES = frozenset({
    "wrong_way", "crowd", "tamper_black", "tamper_frozen", "tamper_defocus", "tamper_moved", "camera_offline",
    "storage_exhausted",
})  # fmt: skip
# Rules about the camera or the room itself: they name the cause of what is missing, and maintenance does not silence them.
CAUSE_RULES = frozenset({"camera_offline", "storage_exhausted"})
# Rules that say that nothing was recorded: there is no clip to ask for and no footage to hold.
WITHOUT_FOOTAGE = frozenset({"storage_exhausted"})

PROCEDURES: dict[str, tuple[tuple[str, str], ...]] = {
    "plate": (
        ("look", "Mirar el recorte y la imagen completa"),
        ("compare", "Comparar letra por letra con la lista"),
        ("source", "Consultar vigencia en la fuente"),
        ("dispatch", "Despachar a distancia; no interceptar en soledad"),
        ("record", "Registrar el resultado"),
    ),
    "traffic": (
        ("look", "Ver el clip y confirmar el sentido"),
        ("follow", "Buscar el vehículo en las cámaras siguientes"),
        ("warn", "Avisar a Tránsito y a la patrulla más cercana"),
        ("record", "Registrar el resultado"),
    ),
    "presence": (
        ("look", "Ver el clip y la imagen en vivo"),
        ("rule_out", "Descartar animales, sombras y personal autorizado"),
        ("follow", "Seguir con las cámaras vecinas"),
        ("warn", "Avisar a la patrulla si hay riesgo"),
        ("record", "Registrar el resultado"),
    ),
    "technical": (
        ("look", "Comparar con la última imagen buena"),
        ("cover", "Cubrir el lugar con una cámara vecina"),
        ("support", "Avisar a soporte técnico"),
        ("record", "Registrar el resultado"),
    ),
    "storage": (
        ("look", "Ver qué cámaras dejaron de grabar"),
        ("support", "Avisar a soporte técnico: falta espacio en el nodo"),
        ("release", "Revisar si algún resguardo ya no hace falta"),
        ("record", "Registrar el resultado"),
    ),
}


@dataclass(frozen=True, slots=True)
class DiscardCode:
    """Why an alarm was not what it said. `plate` codes only fit plate hits, which then count as «no coincide»."""

    label: str
    needs_note: bool = False
    plate: bool | None = None


DISCARD_CODES: dict[str, DiscardCode] = {
    "LECTURA": DiscardCode("La lectura es incorrecta", plate=True),
    "ILEGIBLE": DiscardCode("La patente no se lee", plate=True),
    "VEHICULO": DiscardCode("El vehículo no corresponde", plate=True),
    "LISTA_VENCIDA": DiscardCode("La lista está vencida", plate=True),
    "CLIMA": DiscardCode("Falsa: clima", plate=False),
    "ANIMAL": DiscardCode("Falsa: animal", plate=False),
    "SOMBRA": DiscardCode("Falsa: sombra", plate=False),
    "REFLEJO": DiscardCode("Falsa: reflejo", plate=False),
    "SIN_NOVEDAD": DiscardCode("Sin novedad"),
    "PRUEBA": DiscardCode("Prueba"),
    "DUPLICADA": DiscardCode("Duplicada"),
    "OTRA": DiscardCode("Otra causa", needs_note=True),
}
CLOSE_OUTCOMES = {"real": "Real", "false": "Falsa", "unverified": "Sin verificar"}
READING_OUTCOMES = {"confirmed": "Confirmada", "no_match": "No coincide", "doubtful": "Dudosa"}
SOURCE_OUTCOMES = {"valid": "Vigente", "void": "Sin efecto", "false_positive": "Falso positivo", "negative": "Negativo"}


@dataclass(frozen=True, slots=True)
class PlateMatch:
    """The reading and the list entry behind a plate hit; `entry` is a copy of the entry as it was then."""

    plate: str
    read_id: UUID
    entry_id: UUID
    entry_plate: str
    match: Match
    entry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that passed its rule and may become an alarm. `key` identifies it for ever: raising it twice does nothing.

    `received_at` is when the province took it in (by default now): what was already five minutes old then is only counted.
    """

    key: str
    rule: str
    camera_id: UUID
    occurred_at: datetime
    received_at: datetime | None = None
    ended_at: datetime | None = None
    rule_id: str | None = None
    title_code: str | None = None
    priority: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    crop_sha: str | None = None
    snapshot_sha: str | None = None
    plate: PlateMatch | None = None
    group: str = ""

    @property
    def code(self) -> str:
        return self.title_code or RULE_TITLES.get(self.rule, "INTRUSION")

    @property
    def group_key(self) -> str:
        """Repeats of one rule at one camera share a card; two listed cars at one entrance do not.

        A `group` of its own is one condition of the whole room, told by many cameras: one card while it lasts.
        """
        return self.group or f"{self.camera_id}:{self.rule}" + (f":{self.plate.entry_plate}" if self.plate else "")


@dataclass(frozen=True, slots=True)
class Raised:
    """What raising did, and the alarm it belongs to (none when it was only counted)."""

    alarm_id: UUID | None
    outcome: RaiseOutcome


@dataclass(frozen=True, slots=True)
class AlarmPictures:
    """Which images and which clip an alarm has."""

    camera_id: UUID
    crop_sha: str | None
    snapshot_sha: str | None
    clip_id: UUID | None


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms a list asks for."""

    states: tuple[str, ...] = ()
    priority: int | None = None
    camera_id: UUID | None = None
    rule: str = ""
    plate: str = ""
    raised_from: datetime | None = None
    raised_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PeriodCounts:
    """What the room did in a period: alarms, per hour, and the share that turned out false."""

    alarms: int
    per_hour: float
    false_share: float | None
    in_flood: bool
