"""Order and estimates of what the supervisor starts."""

from __future__ import annotations

from app.cli.local.units import State, Unit, levels, seconds_left


def _units() -> list[Unit]:
    return [
        Unit("postgres", "PostgreSQL", expected_s=2),
        Unit("tree", "Keycloak", expected_s=30),
        Unit("init", "init", after=("postgres",), expected_s=1),
        Unit("keycloak", "Keycloak", after=("tree", "init"), expected_s=10),
        Unit("web", "web", after=("init",), expected_s=4),
    ]


def test_levels_hold_what_needs_only_the_levels_before() -> None:
    assert [[unit.name for unit in level] for level in levels(_units())] == [
        ["postgres", "tree"], ["init"], ["keycloak", "web"],
    ]  # fmt: skip


def test_time_left_is_the_longest_chain() -> None:
    assert seconds_left(_units(), now=0) == 40


def test_time_left_shrinks_with_what_is_done_and_with_what_a_step_says() -> None:
    units = _units()
    tree = units[1]
    tree.state, tree.started, tree.share = State.STARTING, 100.0, 0.75

    assert seconds_left(units, now=115.0) == 5 + 10

    tree.state = State.DONE
    units[0].state = units[2].state = units[3].state = State.READY
    assert seconds_left(units, now=115.0) == 4


def test_a_step_late_on_its_estimate_is_never_promised_for_now() -> None:
    units = [Unit("migrate", "Migraciones", expected_s=6)]
    units[0].state, units[0].started = State.STARTING, 0.0

    assert 0 < seconds_left(units, now=500.0) < 6
