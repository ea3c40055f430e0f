"""The 135 municipalities: the table holds, and each way of breaking it is noticed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from tenants.data.municipalities import (
    MunicipalDataError,
    MunicipalityFacts,
    boundaries,
    check,
    find,
    municipalities,
)

Rows = tuple[MunicipalityFacts, ...]


def test_the_table_holds_its_invariants() -> None:
    rows = municipalities()

    check(rows, boundaries())
    assert len(rows) == 135
    assert {row.tenant_id for row in rows} & {0} == set()


@pytest.mark.parametrize("change", [
    {"slug": "azul"}, {"slug": "Ádolfo"}, {"slug": "a" * 23}, {"name": "Azul"}, {"code": "06049"}, {"code": "14007"},
    {"section": 1}, {"greater_buenos_aires": True}, {"lat": -30.0}, {"arba_code": "006"},
])  # fmt: skip
def test_a_damaged_row_is_refused(change: dict[str, object]) -> None:
    rows = list(municipalities())
    rows[0] = replace(rows[0], **change)  # type: ignore[arg-type]

    with pytest.raises(MunicipalDataError):
        check(rows, boundaries())


def test_a_missing_boundary_is_refused() -> None:
    shapes = deepcopy(boundaries())
    shapes["features"].pop()

    with pytest.raises(MunicipalDataError, match="cabecera"):
        check(municipalities(), shapes)


@pytest.mark.parametrize(("text", "code"), [
    ("06218", "06218"), ("06217", "06218"), ("chascomús", "06218"), ("CHASCOMUS", "06218"), ("060466", "06466"),
    ("Gonzales Chaves", "06014"), ("Partido de Azul", "06049"), ("nueve-de-julio", "06588"),
])  # fmt: skip
def test_a_municipality_is_found_by_any_of_its_names(text: str, code: str) -> None:
    found = find(text)

    assert found is not None
    assert found.code == code
    assert found.georef_id == f"060{code[2:]}"


def test_an_unknown_name_finds_nothing() -> None:
    assert find("Springfield") is None
