"""Reads the 135 municipalities and refuses to answer when the table breaks one of its invariants."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

ATTRIBUTION = "Georef Argentina / IGN – datos.gob.ar, CC BY 4.0"
SECTIONS = {1: 24, 2: 15, 3: 19, 4: 19, 5: 27, 6: 22, 7: 8, 8: 1}
GREATER_BUENOS_AIRES = 24
# Chascomús in tables older than the split of Lezama (2009); ARBA's layer gives this number to Lezama by mistake.
OLD_CODES = {"06217": "06218"}

_SLUG = re.compile(r"^[a-z][a-z0-9-]{1,21}$")
_CODE = re.compile(r"^06\d{3}$")


class MunicipalDataError(ValueError):
    """The table of municipalities breaks an invariant."""


@dataclass(frozen=True, slots=True)
class MunicipalityFacts:
    """One row. `lat` and `lon` are the head town: some centroids fall outside their own partido."""

    code: str
    name: str
    official_name: str
    slug: str
    head_town: str
    section: int
    judicial_department: str
    greater_buenos_aires: bool
    lat: float
    lon: float
    population: int
    population_confidence: str
    area_km2: float
    arba_code: str
    electoral_code: str
    aliases: tuple[str, ...]

    @property
    def tenant_id(self) -> int:
        """The small number that names the municipality in the database: the last three digits of its INDEC code."""
        return int(self.code[2:])

    @property
    def georef_id(self) -> str:
        """The municipality's id in Georef (six digits)."""
        return f"{self.code[:2]}0{self.code[2:]}"


@cache
def municipalities() -> tuple[MunicipalityFacts, ...]:
    """All 135 by code. Raises `MunicipalDataError` when the table is damaged."""
    rows = _rows()
    check(rows, boundaries())
    return rows


def spellings() -> list[str]:
    """Every name of every municipality. Only the names are read: checking the boundaries takes a tenth of a second."""
    return [name for row in _rows() for name in (row.name, *row.aliases)]


@cache
def boundaries() -> dict[str, Any]:
    """The partidos as GeoJSON, each with `id` (code), `slug`, `nombre` and `seccion`. Show `ATTRIBUTION` beside them."""
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("partidos.geojson").read_text(encoding="utf-8"))
    return loaded


def find(text: str) -> MunicipalityFacts | None:
    """The municipality that `text` names: a code (old ones too), slug, name, official name or other spelling."""
    wanted = OLD_CODES.get(text.strip(), text)
    return _by_name().get(_folded(wanted))


@cache
def _by_name() -> dict[str, MunicipalityFacts]:
    index: dict[str, MunicipalityFacts] = {}
    for row in municipalities():
        for name in (row.code, row.georef_id, row.slug, row.name, row.official_name, *row.aliases):
            index.setdefault(_folded(name), row)
    return index


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.strip().lower())
    return re.sub(r"[^a-z0-9]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


def _rows() -> tuple[MunicipalityFacts, ...]:
    text = files(__package__).joinpath("municipalities.csv").read_text(encoding="utf-8")
    return tuple(_row(row) for row in csv.DictReader(text.splitlines()))


def _row(row: dict[str, str]) -> MunicipalityFacts:
    return MunicipalityFacts(
        code=row["code"],
        name=row["name"],
        official_name=row["official_name"],
        slug=row["slug"],
        head_town=row["head_town"],
        section=int(row["section"]),
        judicial_department=row["judicial_department"],
        greater_buenos_aires=row["greater_buenos_aires"] == "1",
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        population=int(row["population"]),
        population_confidence=row["population_confidence"],
        area_km2=float(row["area_km2"]),
        arba_code=row["arba_code"],
        electoral_code=row["electoral_code"],
        aliases=tuple(alias for alias in row["aliases"].split("|") if alias),
    )


def check(rows: Sequence[MunicipalityFacts], shapes: dict[str, Any]) -> None:
    """Raise `MunicipalDataError` naming the first invariant that `rows` or their boundaries break."""
    for name in ("code", "slug", "name", "tenant_id", "arba_code", "electoral_code"):
        if len({getattr(row, name) for row in rows}) != 135:
            raise MunicipalDataError(f"se esperaban 135 valores distintos de {name}")
    if Counter(row.section for row in rows) != SECTIONS:
        raise MunicipalDataError("la cantidad de municipios por sección electoral no es la de la ley")
    if sum(row.greater_buenos_aires for row in rows) != GREATER_BUENOS_AIRES:
        raise MunicipalDataError("los municipios del conurbano no son 24")
    polygons = {shape["id"]: shape["geometry"] for shape in shapes["features"]}
    for row in rows:
        if not _SLUG.match(row.slug) or not _CODE.match(row.code):
            raise MunicipalDataError(f"{row.code}: código o slug mal formado")
        if row.code not in polygons or not _contains(polygons[row.code], row.lon, row.lat):
            raise MunicipalDataError(f"{row.name}: la ciudad cabecera cae fuera de su partido")


def _contains(geometry: dict[str, Any], x: float, y: float) -> bool:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    # Even-odd over every ring: a point inside a hole crosses it once more and counts as outside.
    return any(sum(_crosses(ring, x, y) for ring in polygon) % 2 for polygon in polygons)


def _crosses(ring: Sequence[Sequence[float]], x: float, y: float) -> int:
    crossings = 0
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossings += 1
    return crossings
