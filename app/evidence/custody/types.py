"""Words of holds: what places them and around what."""

from __future__ import annotations

from datetime import timedelta

KINDS = ("resguardo", "preventivo", "anticipado", "alarma", "caso", "requerimiento", "exportacion", "administrativo")

# A demonstration fills its quota in hours: what its alarms show stays at hand for a while. The clip goes from 10 s before to
# 5 s after; a minute more on each side shows where it came from and where it went.
DEMONSTRATION_HOLD = timedelta(hours=1)
HELD_BEFORE = timedelta(seconds=70)
HELD_AFTER = timedelta(seconds=65)
