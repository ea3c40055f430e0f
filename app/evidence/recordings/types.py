"""Words of recordings: clips, gaps and their causes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

CLIP_BEFORE = timedelta(seconds=10)
CLIP_AFTER = timedelta(seconds=5)

CAUSE_LABELS: dict[str, str] = {
    "camara": "La cámara",
    "red": "La red",
    "disco": "El disco",
    "reinicio": "Un reinicio",
    "reloj": "El reloj",
    "prevista": "Prevista",
    "desconocida": "Causa desconocida",
}
CODE_LABELS: dict[str, str] = {
    "camera_offline": "la cámara no envió video",
    "auth_failed": "la cámara rechazó la clave",
    "stream_stalled": "la transmisión se detuvo",
    "no_keyframe": "no llegó ningún cuadro completo",
    "codec_change": "la cámara cambió de códec o de resolución",
    "dts_discontinuity": "salto en los tiempos del video",
    "unsupported_codec": "el códec no se puede grabar",
    "network": "la red no dejó llegar a la cámara",
    "switch_group": "cayeron varias cámaras del mismo sector",
    "disk_full": "no quedaba espacio",
    "hold_only": "sólo quedaba material resguardado",
    "volume_missing": "faltaba el disco de grabación",
    "io_error": "error de lectura o escritura",
    "recorder_restart": "se reinició el grabador",
    "host_restart": "se reinició el equipo",
    "update": "actualización",
    "clock_step": "cambió la hora del equipo",
    "unknown": "sin más datos",
    "scheduled_off": "fuera del horario de grabación",
    "privacy_block": "bloqueo por privacidad",
    "maintenance": "mantenimiento",
}


@dataclass(frozen=True, slots=True)
class ClipView:
    """A clip as a card shows it."""

    id: UUID
    alarm_id: UUID
    camera_id: UUID
    state: str
    sha256: str | None
    bytes: int | None
    duration_ms: int | None
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class GapView:
    """A gap as a camera's page shows it."""

    from_at: datetime
    to_at: datetime | None
    cause: str
    code: str

    @property
    def label(self) -> str:
        return f"{CAUSE_LABELS.get(self.cause, self.cause)}: {CODE_LABELS.get(self.code, self.code)}"


@dataclass(frozen=True, slots=True)
class Media:
    """Something to serve: where it is kept, and how large it is."""

    tenant: UUID
    sha256: str
    size: int
