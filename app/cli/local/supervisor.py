"""Starts the units in dependency order, keeps the services up, and stops everything in the reverse order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from app.cli.errors import CliError
from app.cli.local.process import ProcessRef
from app.cli.local.units import FULFILLED, State, Unit, levels

_TICK_S = 0.1
_CALM_TICK_S = 0.3
_HEALTH_S = 5.0
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
_FALLS_AT_START = 3
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Listener = Callable[["Supervisor", Unit | None], None]


class Supervisor:
    """One thread and one loop: the kernel ties our children's lives to the thread that started them."""

    def __init__(self, units: list[Unit], listener: Listener) -> None:
        self.units = units
        self.complete = False  # everything has been ready once
        self.stopping = False
        self._listener = listener
        self._by_name = {unit.name: unit for unit in units}
        self._asked_to_stop = False
        self._health_at = 0.0

    def run(self) -> None:
        """Start everything and stay until asked to stop. Raises `CliError` when the start cannot be completed."""
        before = {number: signal.signal(number, self.ask_to_stop) for number in _STOP_SIGNALS}
        try:
            while not self._asked_to_stop:
                self.tick()
                time.sleep(_TICK_S if not self.complete else _CALM_TICK_S)
        finally:
            self.stop()  # our handlers are still in place: a second Ctrl-C does not break an orderly stop
            for number, handler in before.items():
                signal.signal(number, handler)

    def ask_to_stop(self, *_: object) -> None:
        self._asked_to_stop = True

    def tick(self) -> None:
        """Look at each unit once."""
        for unit in self.units:
            if unit.state in (State.WAITING, State.RESTARTING):
                self._start_when_possible(unit)
            elif unit.state is State.STARTING:
                self._follow(unit)
            elif unit.state in (State.READY, State.UNHEALTHY) and unit.is_service and unit.pid is None:
                self._fallen(unit)
        self._check_health()
        if not self.complete and all(
            u.state in FULFILLED or (u.optional and u.state is State.FAILED) for u in self.units
        ):
            self.complete = True
            self._listener(self, None)

    @property
    def phase(self) -> str:
        """starting, ready or degraded, as `pipc status` says it."""
        if not self.complete:
            return "starting"
        return "ready" if all(unit.state in FULFILLED for unit in self.units) else "degraded"

    def stop(self) -> None:
        """End every process we started, what depends on others first."""
        self.stopping = True
        for level in reversed(levels(self.units)):
            alive = [(unit, ref) for unit in level if unit.pid and (ref := ProcessRef.of(unit.pid))]
            for unit, ref in alive:
                ref.send(unit.stop_signal)
            limit = time.monotonic() + max((unit.stop_s for unit, _ in alive), default=0)
            for unit, ref in alive:
                if not ref.wait(max(0.0, limit - time.monotonic())):
                    ref.end(signal.SIGKILL)
                if unit.process:
                    unit.process.wait()
            for unit in level:
                if unit.stopped is not None and unit.state is not State.WAITING:
                    unit.stopped()
                if unit.state is not State.WAITING:
                    self._become(unit, State.STOPPED)

    def _start_when_possible(self, unit: Unit) -> None:
        if time.monotonic() < unit.retry_at or not all(self._by_name[name].state in FULFILLED for name in unit.after):
            return
        unit.started = time.monotonic()
        unit.log_from = unit.log.stat().st_size if unit.log and unit.log.exists() else 0
        if unit.done_already is not None and unit.done_already():
            self._become(unit, State.DONE)
        elif unit.call is not None:
            self._become(unit, State.STARTING)
            unit.call()
            self._become(unit, State.DONE)
        elif unit.start is not None:
            unit.process = unit.start()
            self._become(unit, State.STARTING)

    def _follow(self, unit: Unit) -> None:
        code = unit.process.poll() if unit.process else None
        if unit.is_service and code is None:
            if unit.ready is not None and unit.ready():
                self._become(unit, State.READY)
            elif time.monotonic() - unit.started > unit.patience_s:
                self._unresponsive(unit)
        elif unit.is_service:
            self._fallen(unit)
        elif code == 0:
            self._become(unit, State.DONE)
        elif code is not None and unit.falls + 1 < unit.tries:
            self._fallen(unit)
        elif code is not None:
            self._give_up(unit, f"terminó con el código {code}")
        elif time.monotonic() - unit.started > unit.patience_s:
            self._give_up(unit, "no terminó a tiempo")

    def _fallen(self, unit: Unit) -> None:
        """It ended by itself: bring it back, each time a little later."""
        if unit.state is State.READY and time.monotonic() - unit.since > _STEADY_S:
            unit.falls = 0
        unit.falls += 1
        if not self.complete and unit.is_service and unit.falls >= _FALLS_AT_START:
            self._give_up(unit, "se cerró apenas arrancó")
            return
        unit.retry_at = time.monotonic() + min(0.5 * 2 ** (unit.falls - 1), _LONGEST_PAUSE_S)
        self._become(unit, State.RESTARTING)

    def _unresponsive(self, unit: Unit) -> None:
        if not self.complete:
            self._give_up(unit, "no respondió a tiempo")
        elif unit.pid and (ref := ProcessRef.of(unit.pid)):
            ref.end(unit.stop_signal, unit.stop_s)
            self._fallen(unit)

    def _give_up(self, unit: Unit, why: str) -> None:
        self._become(unit, State.FAILED)
        if self.complete or unit.optional:
            return
        words = unit.last_words().rstrip(".")
        raise CliError(
            f"{unit.title} {why}{': ' if words else ''}{words}.",
            f"pipc logs {unit.log.stem if unit.log else ''}".strip(),
        )

    def _check_health(self) -> None:
        """A service that lives and does not answer is told as such; only its death restarts it."""
        if time.monotonic() < self._health_at:
            return
        self._health_at = time.monotonic() + _HEALTH_S
        for unit in self.units:
            if unit.ready is not None and unit.pid and unit.state in (State.READY, State.UNHEALTHY):
                state = State.READY if unit.ready() else State.UNHEALTHY
                if state is not unit.state:
                    self._become(unit, state)

    def _become(self, unit: Unit, state: State) -> None:
        unit.become(state)
        self._listener(self, unit)
