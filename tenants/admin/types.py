"""What the Dirección sees of the municipalities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tenants.core.service import Tenant

STATES = {"active": "Activo", "inactive": "Todavía no se incorporó", "suspended": "Suspendido"}


@dataclass(frozen=True, slots=True)
class Counts:
    """How a municipality is doing; `wired` cameras are those that should have video."""

    cameras: int = 0
    wired: int = 0
    online: int = 0
    alarms_day: int = 0
    waiting: int = 0
    take_p90: timedelta | None = None
    nodes: int = 0
    nodes_linked: int = 0
    stale_lists: int = 0

    @property
    def online_share(self) -> float | None:
        return self.online / self.wired if self.wired else None

    @property
    def alarms_per_hour(self) -> float:
        return self.alarms_day / 24


@dataclass(frozen=True, slots=True)
class Summary:
    """A municipality with its counts, and whether its organization in the identity service is as it should."""

    tenant: Tenant
    counts: Counts
    is_identity_ready: bool

    @property
    def state_label(self) -> str:
        return STATES[self.tenant.state]


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole province at one instant."""

    at: datetime
    municipalities: list[Summary]
    alarms_by_hour: list[int]
    take_p90: timedelta | None

    @property
    def active(self) -> list[Summary]:
        return [each for each in self.municipalities if each.tenant.is_active]
