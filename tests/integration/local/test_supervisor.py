"""The supervisor with real small processes: order, falls, failures and an orderly end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.errors import CliError
from app.cli.local import supervisor as module
from app.cli.local.process import ProcessRef, spawn
from app.cli.local.supervisor import Supervisor
from app.cli.local.units import State, Unit

ENV = {"PATH": "/usr/bin:/bin"}


class Stage:
    """A folder in which each process says that it is ready, and the story of what happened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.story: list[tuple[str, State]] = []
        self.completed = 0

    def service(self, name: str, *after: str, program: str = "", **options: object) -> Unit:
        """Says it is ready by a file, and lives until told to stop, which it writes down."""
        program = program or (
            "import pathlib, signal, sys, time\n"
            f"f = pathlib.Path({str(self.folder)!r})\n"
            f"signal.signal(signal.SIGTERM, lambda *_: ((f / 'ends').open('a').write({name!r} + ' '), sys.exit(0)))\n"
            f"(f / {name!r}).touch()\n"
            "time.sleep(60)"
        )
        return Unit(
            name, name, start=self._spawn(name, program), ready=(self.folder / name).exists, after=after, **options
        )

    def step(self, name: str, *after: str, program: str = "", **options: object) -> Unit:
        return Unit(name, name, start=self._spawn(name, program or "pass"), after=after, log=self.log(name), **options)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def supervise(self, *units: Unit) -> Supervisor:
        return Supervisor(list(units), self._heard)

    def _spawn(self, name: str, program: str) -> Callable:
        return lambda: spawn([sys.executable, "-c", program], log=self.log(name), env=ENV, death_signal=signal.SIGKILL)

    def _heard(self, _: Supervisor, unit: Unit | None) -> None:
        if unit is None:
            self.completed += 1
        else:
            self.story.append((unit.name, unit.state))


@pytest.fixture
def stage(tmp_path) -> Stage:
    return Stage(tmp_path)


def until(supervisor: Supervisor, done: Callable[[], bool], seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < limit, [(unit.name, unit.state) for unit in supervisor.units]
        supervisor.tick()
        time.sleep(0.02)


def test_units_start_after_what_they_need_and_independent_ones_together(stage) -> None:
    supervisor = stage.supervise(
        stage.service("postgres"), stage.step("tree", program="import time; time.sleep(0.5)"),
        stage.step("migrate", "postgres"), stage.service("web", "migrate"), stage.service("keycloak", "tree", "migrate"),
    )  # fmt: skip

    until(supervisor, lambda: supervisor.complete)
    supervisor.stop()

    order = [name for name, state in stage.story if state is State.STARTING]
    ends = [name for name, state in stage.story if state in (State.READY, State.DONE)]
    assert order[:2] == ["postgres", "tree"]
    assert ends.index("postgres") < ends.index("migrate") < ends.index("web")
    assert stage.story.index(("web", State.STARTING)) < stage.story.index(("tree", State.DONE))
    assert stage.completed == 1


def test_everything_stops_in_reverse_order_and_nothing_is_left(stage) -> None:
    supervisor = stage.supervise(stage.service("a"), stage.service("b", "a"), stage.service("c", "b"))
    until(supervisor, lambda: supervisor.complete)
    refs = [ProcessRef.of(unit.pid) for unit in supervisor.units]

    supervisor.stop()

    assert (stage.folder / "ends").read_text().split() == ["c", "b", "a"]
    assert not any(ref.alive() for ref in refs)


def test_killed_service_comes_back_and_the_others_never_notice(stage) -> None:
    supervisor = stage.supervise(stage.service("postgres"), stage.service("web", "postgres"))
    until(supervisor, lambda: supervisor.complete)
    first, web = supervisor.units[0].pid, supervisor.units[1].pid

    os.kill(first, signal.SIGKILL)
    until(supervisor, lambda: supervisor.units[0].state is State.RESTARTING)
    assert supervisor.phase == "degraded"
    until(supervisor, lambda: supervisor.phase == "ready")

    assert supervisor.units[0].pid != first
    assert supervisor.units[1].pid == web
    supervisor.stop()


def test_service_that_never_stays_up_ends_the_start_with_one_sentence(stage, monkeypatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_PAUSE_S", 0.05)
    supervisor = stage.supervise(stage.service("a"), stage.service("web", "a", program="raise SystemExit(3)"))

    with pytest.raises(CliError, match="web se cerró apenas arrancó"):
        until(supervisor, lambda: False)

    supervisor.stop()


def test_failed_step_names_itself_and_repeats_its_last_sentence(stage) -> None:
    program = "print('La tabla está ocupada.'); print('  Siguiente paso: nada'); raise SystemExit(7)"
    supervisor = stage.supervise(stage.step("migrate", program=program))

    with pytest.raises(CliError, match=r"migrate terminó con el código 7: La tabla está ocupada\.") as refusal:
        until(supervisor, lambda: False)

    assert refusal.value.next_command == "pipc logs migrate"


def test_step_that_may_try_again_does_and_ends_well(stage) -> None:
    program = f"import pathlib, sys; p = pathlib.Path({str(stage.folder / 'tried')!r}); e = p.exists(); p.touch(); sys.exit(not e)"
    supervisor = stage.supervise(stage.step("identity", program=program, tries=2))

    until(supervisor, lambda: supervisor.complete)

    assert [state for _, state in stage.story] == [State.STARTING, State.RESTARTING, State.STARTING, State.DONE]


def test_step_that_hangs_is_given_up_and_does_not_outlive_the_stop(stage) -> None:
    supervisor = stage.supervise(stage.step("migrate", program="import time; time.sleep(60)", patience_s=0.3, stop_s=1))

    with pytest.raises(CliError, match="no terminó a tiempo"):
        until(supervisor, lambda: False)
    ref = ProcessRef.of(supervisor.units[0].pid)
    supervisor.stop()

    assert not ref.alive()


def test_optional_part_that_fails_degrades_and_does_not_stop_the_rest(stage) -> None:
    supervisor = stage.supervise(
        stage.step("scenes", program="raise SystemExit(1)", optional=True), stage.service("web")
    )

    until(supervisor, lambda: supervisor.complete)

    assert supervisor.phase == "degraded"
    supervisor.stop()


def test_step_done_on_an_earlier_start_is_not_run_again(stage) -> None:
    supervisor = stage.supervise(stage.step("tree", program="raise SystemExit(1)", done_already=lambda: True))

    until(supervisor, lambda: supervisor.complete)

    assert supervisor.units[0].process is None


def test_service_that_stops_answering_is_told_and_recovers(stage, monkeypatch) -> None:
    monkeypatch.setattr(module, "_HEALTH_S", 0.05)
    supervisor = stage.supervise(stage.service("web"))
    until(supervisor, lambda: supervisor.complete)

    (stage.folder / "web").unlink()
    until(supervisor, lambda: supervisor.units[0].state is State.UNHEALTHY)
    assert supervisor.phase == "degraded"
    (stage.folder / "web").touch()
    until(supervisor, lambda: supervisor.phase == "ready")

    supervisor.stop()


def test_interruption_ends_the_run_in_order_and_gives_the_signals_back(stage) -> None:
    supervisor = stage.supervise(stage.service("a"), stage.service("b", "a"))
    before = signal.getsignal(signal.SIGINT)
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    supervisor.run()

    assert [unit.state for unit in supervisor.units] == [State.STOPPED, State.STOPPED]
    assert signal.getsignal(signal.SIGINT) is before
