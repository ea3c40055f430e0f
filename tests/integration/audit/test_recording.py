"""Entries are written with the deed or not at all, in a chain that the database keeps."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import psycopg
import pytest
import rfc8785
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, ProgrammingError

from app.audit import service
from app.audit.service import Filter
from app.kernel.errors import Forbidden, Invalid
from app.kernel.unit_of_work import all_tenants, unit_of_work
from tenants.core import service as directory
from tests.support.world import OURS, PROVINCE, THEIRS, World, actor


def lines(tenant_id: int = OURS, wanted: Filter | None = None) -> list[tuple[str, str]]:
    with unit_of_work(actor(tenant_id), read_only=True) as unit:
        page = service.list_entries(unit.actor, wanted or Filter())
    return [(line.action, line.target) for line in page.items]


def record(target: str = "alarma/1", tenant_id: int = OURS, **detail: object) -> None:
    with unit_of_work(actor(tenant_id)):
        service.record("alarms:alarm:close", target, **detail)


def test_an_entry_is_committed_with_its_deed(world: World) -> None:
    record("alarma/1", resultado="real")

    with unit_of_work(actor(), read_only=True) as unit:
        [line] = service.list_entries(unit.actor, Filter()).items
    assert (line.label, line.target, line.actor_name) == ("Cerró una alarma", "alarma/1", "Ana Pérez")
    assert line.detail == {"resultado": "real"}


def test_a_rolled_back_deed_leaves_no_entry(world: World) -> None:
    with pytest.raises(RuntimeError, match="después"), unit_of_work(actor()):
        service.record("alarms:alarm:close", "alarma/1")
        raise RuntimeError("después")

    assert lines() == []


def test_a_deed_whose_entry_is_impossible_does_not_happen(world: World) -> None:
    with world.admin() as admin:
        admin.execute("delete from app.audit_heads where tenant_id = %s", [OURS])

    with pytest.raises(DatabaseError), unit_of_work(actor()) as unit:
        unit.session.execute(text("update app.tenants set accent = '#123456'"))
        service.record("alarms:alarm:close", "alarma/1")

    with world.admin() as admin:
        assert admin.execute("select accent from app.tenants where id = %s", [OURS]).fetchone() == (None,)


@pytest.mark.parametrize("tag", ["close", "room:alarm", "room:alarm:Close", "room:alarm:close:x", "room alarm:a:b"])
def test_a_tag_of_another_shape_is_refused(world: World, tag: str) -> None:
    with pytest.raises(ValueError, match="etiqueta"), unit_of_work(actor()):
        service.record(tag, "x")


@pytest.mark.parametrize("value", [float("nan"), 2**60, "\ud800", "x" * 30_000])
def test_a_detail_without_canonical_text_or_too_long_is_refused(world: World, value: object) -> None:
    with pytest.raises((ValueError, rfc8785.CanonicalizationError)), unit_of_work(actor()):
        service.record("alarms:alarm:close", "x", dato=value)

    assert lines() == []


def test_a_reading_unit_records_nothing(world: World) -> None:
    with pytest.raises(PermissionError), unit_of_work(actor(), read_only=True):
        service.record("alarms:alarm:close", "x")


def test_an_entry_apart_survives_the_open_unit(world: World) -> None:
    with pytest.raises(RuntimeError, match="después"), unit_of_work(actor()) as unit:
        service.record_apart(unit.actor, "http:route:refuse", "/sala/alarmas")
        raise RuntimeError("después")

    assert lines() == [("http:route:refuse", "/sala/alarmas")]


def test_a_refusal_is_recorded_for_who_has_a_chain_only(world: World) -> None:
    service.record_refusal(actor(), "auth:session:refuse", "/m/laprida/entrar")
    service.record_refusal(actor(OURS, kind="anonymous", user="anónimo"), "auth:session:refuse", "con municipio")
    stranger = actor(PROVINCE)

    object.__setattr__(stranger, "tenant_id", None)
    service.record_refusal(stranger, "auth:session:refuse", "sin municipio")

    assert [target for _, target in lines()] == ["con municipio", "/m/laprida/entrar"]


def test_municipalities_are_told_what_the_province_read(world: World) -> None:
    reader = actor(PROVINCE)

    service.record_for_municipalities(
        reader, "Causa 123/2026", "province:records:read",
        {THEIRS: ("lecturas", {"cantidad": 2}), OURS: ("lecturas", {"cantidad": 1})},
    )  # fmt: skip

    assert lines(OURS) == [("province:records:read", "lecturas")]
    assert lines(THEIRS) == [("province:records:read", "lecturas")]


def test_a_cross_tenant_read_is_recorded_before_its_first_row(world: World) -> None:
    with all_tenants(actor(PROVINCE), "Control de rutina mensual") as session:
        seen = session.scalar(text("select count(*) from app.audit_entries where action = 'province:tenants:read'"))

    assert seen == 1
    assert lines(PROVINCE) == [("province:tenants:read", "provincia")]


def test_only_who_may_read_the_audit_lists_it(world: World) -> None:
    with pytest.raises(Forbidden), unit_of_work(actor(OURS, "operador-municipal"), read_only=True) as unit:
        service.list_entries(unit.actor, Filter())


def test_pages_neither_repeat_nor_skip(world: World) -> None:
    with unit_of_work(actor()):
        for number in range(7):
            service.record("alarms:alarm:close", f"alarma/{number}")
    found: list[int] = []
    cursor = None

    with unit_of_work(actor(), read_only=True) as unit:
        while True:
            page = service.list_entries(unit.actor, Filter(), cursor=cursor, limit=3)
            found += [line.seq for line in page.items]
            cursor = page.cursor
            if cursor is None:
                break

    assert found == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "WyIyMDI2LTAxLTAxIl0"])
def test_a_foreign_cursor_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(Invalid), unit_of_work(actor(), read_only=True) as unit:
        service.list_entries(unit.actor, Filter(), cursor=cursor)


def test_filters_narrow_the_list(world: World) -> None:
    with unit_of_work(actor(user="otra")):
        service.record("room:camera:create", "cámara/1")
    record("alarma/1")
    with unit_of_work(actor(), read_only=True) as unit:
        newest = service.list_entries(unit.actor, Filter(), limit=1).items[0].occurred_at

    assert lines(wanted=Filter(actor="otra")) == [("room:camera:create", "cámara/1")]
    assert lines(wanted=Filter(action="room:camera:")) == [("room:camera:create", "cámara/1")]
    assert lines(wanted=Filter(target="alarma/1")) == [("alarms:alarm:close", "alarma/1")]
    assert lines(wanted=Filter(since=newest)) == [("alarms:alarm:close", "alarma/1")]
    assert lines(wanted=Filter(until=newest)) == [("room:camera:create", "cámara/1")]
    assert lines(wanted=Filter(since=newest + timedelta(seconds=1))) == []


def test_another_municipality_sees_none_of_it(world: World) -> None:
    record("alarma/1")

    assert lines(THEIRS) == []
    assert lines(OURS) == [("alarms:alarm:close", "alarma/1")]


_NASTY = [
    '"', "\\", '\\"', "\b\f\n\r\t", "\x01\x1f", "\x7f", "\x80\x9f", "ñ Ñ", "\u2028\u2029", "😀", "\U00010000\U0010ffff",
    "\ufeff", "\uffff", "e\u0301", "</script>", "$$", "%s %%", '{"a":1}', "\\u0000", "a" * 4000, "'; drop table x; --",
]  # fmt: skip


def test_the_database_writes_the_same_canonical_text_as_rfc_8785(world: World) -> None:
    source = random.Random(8785)
    samples = _NASTY + [
        "".join(chr(source.choice([*range(1, 0xD800), *range(0xE000, 0x11000)])) for _ in range(source.randint(1, 40)))
        for _ in range(60)
    ]
    for sample in samples:
        with unit_of_work(actor(user=sample, display_name="x")):
            service.record("alarms:alarm:close", sample, **{"k": sample, "n": [1, 1.5, 1e21, True, None]}, z={sample: 1})

    with world.admin() as admin:
        stored = admin.execute(
            "select canon from app.audit_entries where tenant_id = %s order by seq", [OURS]
        ).fetchall()
    assert len(stored) == len(samples)
    for (canon,), sample in zip(stored, samples, strict=True):
        written = json.loads(canon)
        assert rfc8785.dumps(written).decode() == canon
        assert (written["actor"], written["objetivo"], written["detalle"]["k"]) == (sample, sample, sample)


@pytest.mark.parametrize("detail", ['{},"objetivo":"falso"', "{}}", '{"a":1,"a":2}', '{"x":{"a":1,"a":2}}', "[]", "x"])
def test_a_spliced_detail_is_refused_by_the_database(world: World, detail: str) -> None:
    with pytest.raises(DatabaseError, match="JSON object"), unit_of_work(actor()) as unit:
        unit.session.execute(text("select app.audit_append('room:a:b', 'x', :detail)"), {"detail": detail})


@pytest.mark.parametrize("statement", [
    "insert into app.audit_entries select * from app.audit_entries limit 1",
    "update app.audit_entries set actor = 'x'",
    "delete from app.audit_entries",
    "update app.audit_heads set seq = 0",
    "delete from app.audit_heads",
    "truncate app.audit_entries",
    "select * from app.audit_heads for update",
    "select app.audit_write(805, 'x', 'room:a:b', 'x', '{}')",
    "select app.audit_append_dir(805, 'room:a:b', 'x', '{}')",
    "select * from app.audit_chain_heads()",
])  # fmt: skip
def test_the_application_cannot_touch_the_chain(world: World, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), unit_of_work(actor()) as unit:
        unit.session.execute(text(statement))


def test_nobody_appends_without_a_context(world: World) -> None:
    with psycopg.connect(world.urls["rw"]) as raw, pytest.raises(psycopg.errors.InvalidParameterValue):
        raw.execute("select app.audit_append('room:a:b', 'x', '{}')")


def test_the_directory_knows_the_chains(world: World) -> None:
    assert len(directory.directory()) == 136
