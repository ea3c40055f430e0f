"""How the start is told: a live table on a terminal, one line per fact elsewhere."""

from __future__ import annotations

import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.cli.local.supervisor import Supervisor
from app.cli.local.units import FULFILLED, State, Unit, seconds_left

_MARKS = {
    State.DONE: ("✓", "green"), State.READY: ("✓", "green"), State.STARTING: ("…", "yellow"), State.WAITING: ("·", "dim"),
    State.FAILED: ("✗", "red"), State.RESTARTING: ("↻", "yellow"), State.UNHEALTHY: ("!", "yellow"), State.STOPPED: ("■", "dim"),
}  # fmt: skip


class Progress:
    """Follows one start. Call `tell` at each change and `breathe` now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._said = 0.0
        self._begun = time.monotonic()

    def tell(self, supervisor: Supervisor, unit: Unit | None) -> None:
        """A unit changed, or everything is ready (None)."""
        if self._console.is_terminal and not supervisor.complete:
            self.breathe(supervisor)
        elif unit is not None and self._worth_a_line(supervisor, unit):
            self._console.print(self._line(supervisor, unit), highlight=False)

    def breathe(self, supervisor: Supervisor) -> None:
        """Refresh what is shown; away from a terminal, a line each ten seconds."""
        for unit in supervisor.units:
            if unit.state is State.STARTING and not unit.is_service and unit.log is not None:
                _read_progress(unit)
        if self._console.is_terminal:
            if self._live is None:
                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(_table(supervisor), refresh=True)
        elif time.monotonic() - self._said > 10:
            self._said = time.monotonic()
            doing = ", ".join(_doing(unit) for unit in supervisor.units if unit.state is State.STARTING)
            self._console.print(f"  {doing} · {_left(supervisor)}", highlight=False)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._begun

    @staticmethod
    def _worth_a_line(supervisor: Supervisor, unit: Unit) -> bool:
        if supervisor.complete:
            return unit.state in (State.RESTARTING, State.UNHEALTHY, State.FAILED, State.READY)
        return unit.state in FULFILLED or unit.state in (State.FAILED, State.RESTARTING)

    def _line(self, supervisor: Supervisor, unit: Unit) -> str:
        self._said = time.monotonic()
        if supervisor.complete:
            words = {
                State.RESTARTING: "se cerró y vuelve a arrancar",
                State.UNHEALTHY: "no responde",
                State.FAILED: "falló",
            }
            return f"{time.strftime('%H:%M:%S')} {unit.title}: {words.get(unit.state, 'en marcha')}"
        done = sum(one.state in FULFILLED for one in supervisor.units)
        took = time.monotonic() - unit.started
        return f"[{done:>2}/{len(supervisor.units)}] {_MARKS[unit.state][0]} {unit.title} ({took:.1f} s) · {_left(supervisor)}"


def _table(supervisor: Supervisor) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for unit in supervisor.units:
        mark, style = _MARKS[unit.state]
        took = f"{time.monotonic() - unit.started:.0f} s" if unit.state is State.STARTING else ""
        table.add_row(
            Text(mark, style), Text(unit.title, "" if unit.state is State.STARTING else style), took, unit.detail
        )
    done = sum(unit.state in FULFILLED for unit in supervisor.units)
    return Group(table, Text(f"{done} de {len(supervisor.units)} · {_left(supervisor)}", "bold"))


def _doing(unit: Unit) -> str:
    return f"{unit.title}: {unit.detail}" if unit.detail else unit.title


def _left(supervisor: Supervisor) -> str:
    seconds = seconds_left(supervisor.units, time.monotonic())
    return "casi listo" if seconds < 2 else f"faltan unos {seconds:.0f} s"


def _read_progress(unit: Unit) -> None:
    """The last `PROGRESS <done> <total> <text>` that a step printed becomes its detail."""
    lines = [line for line in unit.said() if line.startswith("PROGRESS ")]
    words = lines[-1].split(maxsplit=3) if lines else []
    if len(words) == 4 and words[1].isdigit() and words[2].isdigit():
        unit.detail = words[3]
        unit.share = int(words[1]) / max(int(words[2]), 1)
