"""Search lists: who may change them, how a file changes them, and that approximate matching follows their versions."""

from __future__ import annotations

import pytest

from app.kernel.errors import Forbidden, StaleVersion
from app.kernel.ids import new_id
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.plates import service as plates
from app.monitoring.plates.errors import HotlistNameTaken, HotlistNotFound, HotlistTooLargeForTolerance
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS, World, actor

CSV = """Patente;Marca;Motivo;Causa;Vence;Sin efecto
ZA 482 QK;Volkswagen;Robo automotor en la vía pública;1182/26;31/12/2030;
AB 123 CD;Fiat;Hurto;77/26;;sin efecto
¿?;;;;;
ZB000AA;;;;31/02/2026;
""".encode("latin-1")


def _entries(hotlist_id: object, tenant: int = OURS) -> dict[str, str]:
    who = actor(tenant)
    with unit_of_work(who, read_only=True):
        page = plates.list_entries(who, hotlist_id=hotlist_id)  # type: ignore[arg-type]
    return {entry.plate: "revoked" if entry.revoked_at else "in force" for entry in page.items}


def test_import_in_latin_1_stores_good_rows_and_reports_bad_ones(world: World) -> None:
    hotlist = make_hotlist(OURS, "AB123CD")
    who = actor(OURS)

    with unit_of_work(who, read_only=True):
        preview = plates.preview_csv(who, hotlist_id=hotlist, data=CSV)
    before = _entries(hotlist)
    with unit_of_work(who):
        done = plates.import_csv(who, hotlist_id=hotlist, data=CSV)

    assert before == {"AB123CD": "in force"}
    assert [(error.row, error.field) for error in done.errors] == [(4, "plate"), (5, "expires_at")]
    assert [entry.key for entry in preview.revoked] == [("AB123CD", "77/26")]
    assert (preview.added, preview.errors) == (done.added, done.errors)
    assert [entry.reason for entry in done.added] == ["Robo automotor en la vía pública"]
    assert _entries(hotlist)["ZA482QK"] == "in force"


def test_import_revokes_first_and_the_plate_stops_matching(world: World) -> None:
    camera = make_camera(world)
    hotlist = make_hotlist(OURS, {"plate": "AB123CD", "case_no": "77/26"})
    who = actor(OURS)
    assert submit(node(), read(camera, "AB123CD")).outcomes[0].is_hit

    with unit_of_work(who):
        plates.import_csv(who, hotlist_id=hotlist, data=CSV)

    assert not submit(node(), read(camera, "AB123CD")).outcomes[0].is_hit
    with world.admin() as conn:
        revoked = conn.execute("select entry_revoked_at is not null from app.alarms where plate = 'AB123CD'").fetchall()
    assert revoked == [(True,)]


def test_a_revocation_without_a_case_is_for_every_order_on_the_plate(world: World) -> None:
    hotlist = make_hotlist(
        OURS, {"plate": "ZA482QK", "case_no": "1/26"}, {"plate": "ZA482QK", "case_no": "2/26"}, "AB123CD"
    )
    who = actor(OURS)

    with unit_of_work(who):
        plates.put_entries(who, hotlist_id=hotlist, items=[{"plate": "ZA482QK", "revoked_at": True}])

    assert _entries(hotlist) == {"ZA482QK": "revoked", "AB123CD": "in force"}
    with unit_of_work(who, read_only=True):
        assert plates.get_hotlist(who, hotlist_id=hotlist).plates == 1


def test_import_twice_changes_nothing_the_second_time(world: World) -> None:
    hotlist = make_hotlist(OURS)
    who = actor(OURS)
    with unit_of_work(who):
        plates.import_csv(who, hotlist_id=hotlist, data=CSV)

    with unit_of_work(who, read_only=True):
        again = plates.preview_csv(who, hotlist_id=hotlist, data=CSV)

    assert (again.is_empty, again.unchanged) == (True, 2)


def test_update_with_an_older_version_is_refused(world: World) -> None:
    hotlist = make_hotlist(OURS)
    who = actor(OURS)
    data = plates.HotlistData(name="Otra", kind="LPR_LOCAL")
    with unit_of_work(who):
        plates.update_hotlist(who, hotlist_id=hotlist, version=1, data=data)

    with unit_of_work(who), pytest.raises(StaleVersion) as refusal:
        plates.update_hotlist(who, hotlist_id=hotlist, version=1, data=data)

    assert refusal.value.extra == {"version": 2, "yours": 1}


def test_a_list_of_another_municipality_is_not_found(world: World) -> None:
    hotlist = make_hotlist(OURS, "ZA482QK")
    assert _entries(hotlist) == {"ZA482QK": "in force"}

    with pytest.raises(HotlistNotFound):
        _entries(hotlist, THEIRS)
    with unit_of_work(actor(THEIRS)), pytest.raises(HotlistNotFound):
        plates.put_entries(actor(THEIRS), hotlist_id=hotlist, items=[{"plate": "AB123CD"}])


def test_an_operator_reads_lists_and_may_not_change_them(world: World) -> None:
    hotlist = make_hotlist(OURS, "ZA482QK")
    operator = actor(OURS, "operador-municipal")

    with unit_of_work(operator, read_only=True):
        assert plates.get_hotlist(operator, hotlist_id=hotlist).plates == 1
    with unit_of_work(operator), pytest.raises(Forbidden):
        plates.put_entries(operator, hotlist_id=hotlist, items=[{"plate": "AB123CD"}])


def test_two_lists_with_one_name_are_refused_in_a_municipality_only(world: World) -> None:
    make_hotlist(OURS, name="Robados")

    with pytest.raises(HotlistNameTaken):
        make_hotlist(OURS, name="Robados")
    make_hotlist(THEIRS, name="Robados")


def test_put_entries_reports_each_bad_object(world: World) -> None:
    hotlist = make_hotlist(OURS)
    who = actor(OURS)

    with unit_of_work(who):
        plan = plates.put_entries(
            who,
            hotlist_id=hotlist,
            items=[
                {"plate": "ZA482QK"},
                {"plate": 7},
                "x",
                {"plate": "AB123CD", "colour": 3},
                {"plate": "A1", "hack": 1},
            ],
        )

    assert [entry.plate for entry in plan.added] == ["ZA482QK"]
    assert [(error.row, error.field) for error in plan.errors] == [(2, "plate"), (3, ""), (4, "colour"), (5, "hack")]


def _match_near(world: World) -> list[object]:
    """Run the worker's job as the outbox asks for it."""
    with world.admin() as conn:
        waiting = conn.execute("select args ->> 'reads' from app.outbox where kind = 'plates.match_near'").fetchall()
    found: list[object] = []
    for (keys,) in waiting:
        with unit_of_work(node()):
            found += plates.match_near(keys)
    return found


def test_a_doubtful_reading_near_a_tolerant_list_is_a_possible_hit(world: World) -> None:
    camera = make_camera(world)
    hotlist = make_hotlist(OURS, "ZA482OK", tolerant=True)
    doubtful = [("Z", 0.99), ("A", 0.99), ("4", 0.99), ("8", 0.99), ("2", 0.99), ("Q", 0.55), ("K", 0.99)]
    submit(node(), read(camera, "ZA482QK", char_conf=doubtful))
    submit(node(), read(camera, "ZA482QK"))

    hits = _match_near(world)

    assert len(hits) == 1
    with world.admin() as conn:
        assert conn.execute("select match, hotlist_id from app.plate_hits").fetchall() == [("possible", hotlist)]


def test_near_matching_follows_the_version_of_the_list(world: World) -> None:
    camera = make_camera(world)
    hotlist = make_hotlist(OURS, "ZA482OK", tolerant=True)
    doubtful = [(char, 0.55 if char == "Q" else 0.99) for char in "ZA482QK"]
    submit(node(), read(camera, char_conf=doubtful))
    assert len(_match_near(world)) == 1
    who = actor(OURS)
    with unit_of_work(who):
        plates.put_entries(who, hotlist_id=hotlist, items=[{"plate": "ZA482OK", "revoked_at": True}])
    with world.admin() as conn:
        conn.execute("delete from app.outbox")

    submit(node(), read(camera, char_conf=doubtful))

    assert _match_near(world) == []


def test_without_a_tolerant_list_no_near_matching_is_asked(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482OK")
    make_hotlist(THEIRS, "ZA482OK", tolerant=True)

    submit(node(), read(camera, confidence=0.5))

    with world.admin() as conn:
        assert conn.execute("select count(*) from app.outbox where kind = 'plates.match_near'").fetchone() == (0,)


def test_a_large_list_may_not_become_tolerant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.monitoring.plates.hotlists.NEAR_LIMIT", 1)
    hotlist = make_hotlist(OURS, "ZA482QK", "AB123CD")
    who = actor(OURS)
    data = plates.HotlistData(name="Grande", kind="LPR_LOCAL", tolerant=True)

    with unit_of_work(who), pytest.raises(HotlistTooLargeForTolerance):
        plates.update_hotlist(who, hotlist_id=hotlist, version=2, data=data)


def test_an_unknown_list_is_not_found(world: World) -> None:
    with pytest.raises(HotlistNotFound):
        _entries(new_id())
