"""A chain in the database holds until somebody with power over the database touches it; then the entry is named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.audit import service
from app.audit.types import Fault
from app.kernel.unit_of_work import StreamRow, unit_of_work
from tenants.core import service as directory
from tests.support.world import OURS, PROVINCE, THEIRS, World, actor

Admin = psycopg.Connection[Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    service.keep_checkpoints_in(tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def chain(world: World, folder: Path) -> World:
    write(6)
    return world


def write(count: int, tenant_id: int = OURS) -> None:
    for number in range(count):
        with unit_of_work(actor(tenant_id)):
            service.record("room:alarm:close", f"alarma/{number}")


def verdict(tenant_id: int = OURS) -> tuple[int | None, Fault | None]:
    found = service.verify(tenant_id, directory.by_id(tenant_id).uuid)
    return found.seq, found.fault


def note() -> int:
    with unit_of_work(actor(PROVINCE), role="worker"):
        return service.note_heads()


def test_an_untouched_chain_holds(chain: World) -> None:
    note()

    assert verdict() == (None, None)


def edit(admin: Admin) -> None:
    admin.execute("update app.audit_entries set target = 'otra' where tenant_id = %s and seq = 3", [OURS])


def delete(admin: Admin) -> None:
    admin.execute("delete from app.audit_entries where tenant_id = %s and seq = 3", [OURS])


def insert(admin: Admin) -> None:
    admin.execute("""insert into app.audit_entries select tenant_id, seq, occurred_at + interval '1 ms', actor, action, target,
        canon, prev, digest, hash from app.audit_entries where tenant_id = %s and seq = 3""", [OURS])  # fmt: skip


def reorder(admin: Admin) -> None:
    admin.execute("update app.audit_entries set seq = 7 - seq where tenant_id = %s and seq in (3, 4)", [OURS])


def truncate(admin: Admin) -> None:
    admin.execute("delete from app.audit_entries where tenant_id = %s and seq > 2", [OURS])
    admin.execute("""update app.audit_heads h set seq = e.seq, hash = e.hash from app.audit_entries e
        where h.tenant_id = e.tenant_id and e.tenant_id = %s and e.seq = 2""", [OURS])  # fmt: skip


def smuggle(admin: Admin) -> None:
    admin.execute("""insert into app.audit_entries select tenant_id, 7, occurred_at, actor, action, target, canon, prev, digest,
        hash from app.audit_entries where tenant_id = %s and seq = 6""", [OURS])  # fmt: skip


@pytest.mark.parametrize(("tamper", "seq", "fault"), [
    (edit, 3, Fault.EDITED),
    (delete, 3, Fault.DELETED),
    (insert, 3, Fault.INSERTED),
    (reorder, 3, Fault.REORDERED),
    (truncate, 3, Fault.TRUNCATED),
    (smuggle, 7, Fault.INSERTED),
])  # fmt: skip
def test_tampering_is_named(chain: World, tamper: Callable[[Admin], None], seq: int, fault: Fault) -> None:
    note()
    with chain.admin() as admin:
        tamper(admin)

    assert verdict() == (seq, fault)


def test_a_restored_copy_is_told_from_a_truncation(chain: World) -> None:
    write(6, THEIRS)
    note()
    with chain.admin() as admin:
        truncate(admin)
        assert verdict() == (3, Fault.TRUNCATED)
        admin.execute("delete from app.audit_entries where tenant_id = %s and seq > 2", [THEIRS])
        admin.execute("""update app.audit_heads h set seq = e.seq, hash = e.hash from app.audit_entries e
            where h.tenant_id = e.tenant_id and e.tenant_id = %s and e.seq = 2""", [THEIRS])  # fmt: skip

    verdicts = service.verify_all((tenant.id, tenant.uuid) for tenant in directory.directory())

    assert {(found.tenant_id, found.fault) for found in verdicts if not found.is_sound} == {
        (OURS, Fault.RESTORED), (THEIRS, Fault.RESTORED),
    }  # fmt: skip


def test_work_that_went_on_after_a_restored_copy_is_found(chain: World) -> None:
    note()
    with chain.admin() as admin:
        truncate(admin)
    write(6)

    assert verdict() == (6, Fault.RESTORED)


def test_all_chains_of_an_untouched_database_hold(chain: World) -> None:
    verdicts = service.verify_all((tenant.id, tenant.uuid) for tenant in directory.directory())

    assert len(verdicts) == 136
    assert all(found.is_sound for found in verdicts)


def test_checkpoints_note_only_what_moved(chain: World) -> None:
    first, second = note(), note()
    write(1)

    assert (first, second, note()) == (136, 0, 1)


def test_without_a_folder_nothing_is_noted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service._Kept, "checkpoints", None)

    assert note() == 0
    assert verdict() == (None, None)


@pytest.mark.slow("200 units of work on 8 threads")
def test_many_writers_of_one_municipality_leave_one_chain_and_one_stream(world: World, folder: Path) -> None:
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for number in range(25):
                with unit_of_work(actor(user=f"p{thread}")) as unit:
                    unit.stream.append(StreamRow("alarm.updated", f"{thread}-{number}", {"id": number}, "room"))
                    service.record("room:alarm:close", f"{thread}-{number}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with world.admin() as admin:
        events = admin.execute(
            "select seq, ref from app.tenant_events where tenant_id = %s order by seq", [OURS]
        ).fetchall()
        entries = admin.execute(
            "select seq, target from app.audit_entries where tenant_id = %s order by seq", [OURS]
        ).fetchall()
    assert failures == []
    assert [seq for seq, _ in events] == list(range(1, 201))
    assert events == entries
    assert verdict() == (None, None)
