"""One outbox row, performed: its effects and its mark land together, once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from app.kernel import clock, jobs
from app.kernel.actor import current
from tests.support.outbox import place, row, runs
from tests.support.world import OURS, THEIRS, World
from workers.jobs import perform as module
from workers.jobs.perform import perform
from workers.jobs.reconcile import MAX_ATTEMPTS


def test_a_short_job_lands_with_its_mark(world: World) -> None:
    outbox_id = place("probe.short", ref="a")

    assert perform(str(outbox_id), OURS) == "done"
    assert runs(world) == ["a"]
    assert row(world, outbox_id)["done_at"] is not None


def test_a_job_done_twice_lands_once(world: World) -> None:
    outbox_id = place("probe.short", ref="a")

    assert [perform(str(outbox_id), OURS) for _ in range(3)] == ["done", "over", "over"]
    assert runs(world) == ["a"]


def test_a_job_being_done_is_left_alone(world: World) -> None:
    outbox_id = place("probe.short", ref="a")
    with psycopg.connect(world.urls["admin"]) as other:
        other.execute("select 1 from app.outbox where id = %s for update", [outbox_id])

        assert perform(str(outbox_id), OURS) == "busy"
    assert runs(world) == []


def test_another_municipality_cannot_run_the_row(world: World) -> None:
    outbox_id = place("probe.short", ref="a")

    assert perform(str(outbox_id), THEIRS) == "refused"
    assert perform(str(outbox_id), OURS) == "done"
    with world.admin() as admin:
        told = admin.execute("select target from app.audit_entries where tenant_id = %s", [THEIRS]).fetchall()
    assert told == [(str(outbox_id),)]


def test_an_invented_municipality_is_refused(world: World) -> None:
    assert perform(str(uuid4()), 999) == "refused"


def test_an_unknown_kind_is_told_on_the_row(world: World) -> None:
    outbox_id = place("probe.short", ref="a")
    with world.admin() as admin:
        admin.execute("update app.outbox set kind = 'probe.gone' where id = %s", [outbox_id])

    assert perform(str(outbox_id), OURS) == "failed"
    assert "probe.gone" in row(world, outbox_id)["error"]


def test_a_failing_job_leaves_nothing_but_its_reason_and_its_next_time(world: World) -> None:
    outbox_id = place("probe.failing", ref="a")

    assert perform(str(outbox_id), OURS) == "failed"
    found = row(world, outbox_id)
    assert runs(world) == []
    assert found["error"] == "ProbeError: no pude con a"
    assert (found["sent_at"], found["done_at"], found["dead_at"]) == (None, None, None)
    assert found["run_at"] > clock.now() + timedelta(seconds=5)


def test_a_job_that_always_fails_is_given_up_and_told(world: World) -> None:
    outbox_id = place("probe.failing", ref="a")
    with world.admin() as admin:
        admin.execute("update app.outbox set attempts = %s, sent_at = now() where id = %s", [MAX_ATTEMPTS, outbox_id])

    assert [perform(str(outbox_id), OURS) for _ in range(2)] == ["failed", "over"]
    with world.admin() as admin:
        told = admin.execute("select action, target from app.audit_entries where tenant_id = %s", [OURS]).fetchall()
    assert told == [("jobs:job:die", str(outbox_id))]
    assert row(world, outbox_id)["dead_at"] is not None


def test_a_job_over_its_time_is_cut(world: World) -> None:
    outbox_id = place("probe.slow")

    assert perform(str(outbox_id), OURS) == "failed"
    assert "JobTimeoutException" in row(world, outbox_id)["error"]


def test_a_job_acts_for_its_municipality_with_every_permission(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setitem(
        jobs._registry, "probe.short", jobs.Job("probe.short", "alarms", lambda **_: seen.append(current()), 5, False)
    )

    perform(str(place("probe.short", ref="a")), OURS)

    assert (seen[0].tenant_slug, seen[0].user_id, seen[0].is_demo) == ("laprida", "sistema:probe.short", True)
    assert len(seen[0].permissions) > 10


class _Deadlock(Exception):
    sqlstate = "40P01"


@pytest.mark.parametrize(("failures", "outcome"), [(2, "done"), (3, "failed")])
def test_a_deadlock_is_tried_again_three_times(
    world: World, monkeypatch: pytest.MonkeyPatch, failures: int, outcome: str
) -> None:
    left = [OperationalError("x", {}, _Deadlock()) for _ in range(failures)]

    def handler(**_: str) -> None:
        if left:
            raise left.pop()

    monkeypatch.setitem(jobs._registry, "probe.short", jobs.Job("probe.short", "alarms", handler, 5, False))

    assert perform(str(place("probe.short", ref="a")), OURS) == outcome


def test_a_long_job_records_in_its_last_transaction(world: World) -> None:
    outbox_id = place("probe.long", ref="a")

    assert perform(str(outbox_id), OURS) == "done"
    assert runs(world) == ["a"]
    assert (row(world, outbox_id)["epoch"], row(world, outbox_id)["claimed_until"]) == (1, None)


def test_a_long_job_may_have_nothing_to_record(world: World) -> None:
    assert perform(str(place("probe.silent")), OURS) == "done"


def test_a_claimed_job_is_left_alone_until_its_claim_ends(world: World) -> None:
    outbox_id = place("probe.long", ref="a")
    with world.admin() as admin:
        admin.execute("update app.outbox set claimed_until = now() + interval '1 min' where id = %s", [outbox_id])
        before = perform(str(outbox_id), OURS)
        admin.execute("update app.outbox set claimed_until = now() - interval '1 s' where id = %s", [outbox_id])

    assert (before, perform(str(outbox_id), OURS)) == ("busy", "done")


def test_results_of_a_lost_claim_are_discarded(world: World) -> None:
    outbox_id = place("probe.long", ref="a", pause="0.5")

    def steal() -> None:
        with world.admin() as admin:
            admin.execute("update app.outbox set epoch = epoch + 1 where id = %s", [outbox_id])

    thief = threading.Timer(0.25, steal)
    thief.start()
    outcome = perform(str(outbox_id), OURS)
    thief.join()

    assert outcome == "superseded"
    assert runs(world) == []


def test_a_claim_is_renewed_while_the_job_works(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.3))
    outbox_id = place("probe.long", ref="a", pause="1")
    second: list[str] = []
    rival = threading.Timer(0.6, lambda: second.append(_claim(world, outbox_id)))
    rival.start()

    assert perform(str(outbox_id), OURS) == "done"
    rival.join()
    assert second == ["claimed"]


def _claim(world: World, outbox_id: object) -> str:
    with world.admin() as admin:
        free = admin.execute("select 1 from app.outbox where id = %s and claimed_until < now()", [outbox_id]).fetchone()
    return "free" if free else "claimed"


def test_a_renewal_that_fails_does_not_stop_the_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.1))
    monkeypatch.setattr(module, "_RENEW", module.text("select nothing from nowhere"))

    assert perform(str(place("probe.long", ref="a", pause="0.3")), OURS) == "done"
