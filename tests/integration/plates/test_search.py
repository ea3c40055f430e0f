"""Searching equals a reference matcher, stays in its municipality, and always leaves its reason in the audit chain."""

from __future__ import annotations

import json
import random
import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel import clock
from app.kernel.errors import Invalid
from app.kernel.unit_of_work import unit_of_work
from app.monitoring.plates import service as plates
from app.monitoring.plates.errors import SearchNotFound
from tests.support.room import make_camera, make_hotlist, node, read, submit
from tests.support.world import OURS, THEIRS, World, actor

REASON = "IPP 02-00-001182-26, vehículo robado"


def _plates(seed: int, count: int) -> list[str]:
    """Few letters and digits, so that patterns match many."""
    dice = random.Random(seed)
    masks = ("LLNNNLL", "LLLNNN", "LNNNLLL")
    return ["".join(dice.choice("ABZ" if kind == "L" else "012") for kind in dice.choice(masks)) for _ in range(count)]


def _matches(pattern: str, plate: str) -> bool:
    expression = "".join({"?": ".", "*": ".*"}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, plate) is not None


def _search(pattern: str, *, tenant: int = OURS, limit: int = 500, **query: object) -> plates.SearchPage:
    who = actor(tenant)
    asked = plates.make_query(pattern, query.get("since"), None, query.get("camera"))  # type: ignore[arg-type]
    with unit_of_work(who, read_only=True):
        return plates.open_search(who, query=asked, reason=REASON, limit=limit)


def _audit(world: World, action: str) -> list[dict[str, object]]:
    with world.admin() as conn:
        rows = conn.execute("select canon from app.audit_entries where action = %s order by seq", (action,)).fetchall()
    return [json.loads(canon)["detalle"] for (canon,) in rows]


@pytest.mark.slow("sixty generated searches on a real database")
def test_search_with_any_pattern_equals_the_reference_matcher(world: World) -> None:
    ours, theirs = make_camera(world, OURS), make_camera(world, THEIRS)
    known = _plates(1, 300)
    submit(node(OURS), *(read(ours, plate, age_s=n) for n, plate in enumerate(known)))
    submit(node(THEIRS), *(read(theirs, plate, age_s=n) for n, plate in enumerate(_plates(1, 300))))
    with unit_of_work(actor(OURS)):
        assert plates.count_grams() > 0
    pattern = st.text(st.sampled_from("ABZ012?*"), min_size=1, max_size=8).filter(
        lambda text: re.sub(r"\*+", "*", text).count("*") <= 4
    )

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(pattern)
    def check(text: str) -> None:
        page = _search(text)

        assert [item.plate for item in page.items] == [plate for plate in known if _matches(text, plate)]
        assert {item.camera_id for item in page.items} <= {ours}

    check()


@pytest.mark.parametrize("pattern", ["", "AB*", "AB0*", "?B*", "*B0*"])
@pytest.mark.parametrize("together", [1, 3, 25], ids=lambda n: f"{n} at the same instant")
def test_search_continued_by_pages_neither_repeats_nor_skips(world: World, pattern: str, together: int) -> None:
    camera = make_camera(world)
    instant = clock.now() - timedelta(minutes=1)
    reads = [read(camera, f"AB{n:03d}CD", seen_at=instant - timedelta(seconds=n // together)) for n in range(25)]
    submit(node(), *reads, read(camera, "ZZ999ZZ", seen_at=instant + timedelta(seconds=1)))
    expected = [str(one.id) for one in sorted(reads, key=lambda one: (one.seen_at, one.id), reverse=True)]
    who = actor(OURS)

    page = _search(pattern, limit=4)
    seen = list(page.items)
    while page.cursor:
        with unit_of_work(who, read_only=True):
            page = plates.continue_search(who, cursor=page.cursor, query=page.query, limit=4)
        seen += page.items

    assert [str(item.client_id) for item in seen if item.plate != "ZZ999ZZ"] == expected
    assert len(_audit(world, "plates:read:search")) == 1


def test_search_is_recorded_with_its_reason_before_its_results(world: World) -> None:
    camera = make_camera(world)
    make_hotlist(OURS, "ZA482QK")
    submit(node(), read(camera), read(camera, "AB123CD"))

    page = _search("ZA482QK")

    assert [(item.plate, item.is_hit, item.camera_name) for item in page.items] == [("ZA482QK", True, "Acceso Ruta 3")]
    (entry,) = _audit(world, "plates:read:search")
    assert (entry["motivo"], entry["consulta"]["patente"], entry["resultados"]) == (REASON, "ZA482QK", 1)  # type: ignore[index]


def test_search_of_somebody_else_or_another_municipality_is_not_found(world: World) -> None:
    make_camera(world)
    page = _search("AB*")

    for other in (actor(OURS, user="persona-2"), actor(THEIRS)):
        with unit_of_work(other, read_only=True), pytest.raises(SearchNotFound):
            plates.results(other, search_id=page.search_id, after=None, limit=10)
    with unit_of_work(actor(OURS), read_only=True):
        assert plates.results(actor(OURS), search_id=page.search_id, after=None, limit=10).items == []


def test_search_by_camera_and_time_answers_only_those(world: World) -> None:
    one, two = make_camera(world, name="Ruta 3"), make_camera(world, name="Plaza")
    submit(node(), read(one, age_s=30), read(two, age_s=30), read(one, age_s=3 * 86_400))

    assert len(_search("ZA482QK").items) == 3
    assert [item.camera_name for item in _search("", camera=two).items] == ["Plaza"]
    assert len(_search("ZA*", since=clock.now() - timedelta(hours=1)).items) == 2


@pytest.mark.parametrize("text", ["A%", "AB_1", "Ñ1", "*1*2*3*4*5*", "A" * 25, "'; drop table"])
def test_make_query_with_a_bad_pattern_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        plates.make_query(text, None, None, None)


def test_export_is_a_safe_csv_recorded_apart(world: World) -> None:
    camera = make_camera(world, name="=HYPERLINK(1)")
    submit(node(), read(camera))
    page = _search("ZA*")
    who = actor(OURS)

    with unit_of_work(who):
        text = "".join(plates.export(who, search_id=page.search_id))

    heading, row = text.split("\r\n")[:2]
    assert heading.startswith("\ufeffInstante (UTC-3);Patente;")
    assert ";ZA482QK;AR_AUTO_MERCOSUR;'=HYPERLINK(1);" in row
    assert _audit(world, "plates:read:export")[0]["filas"] == 1


def test_a_wildcard_uses_the_index_of_pairs(world: World) -> None:
    camera = make_camera(world)
    submit(node(), *(read(camera, plate, age_s=n) for n, plate in enumerate(_plates(3, 400))))
    with world.admin() as conn:
        conn.execute("analyze app.plate_grams")
        conn.execute("set role app_rw")
        conn.execute("select set_config('app.tenant_id', %s, false)", (str(OURS),))
        plan = conn.execute(
            "explain select plate from app.plate_grams where tenant_id = %s and g = 'B1' and pos = 2 and plate like '_B12%%'",
            (OURS,),
        ).fetchall()

    assert any("pk_plate_grams" in line for (line,) in plan)
