"""Reads a file of listed plates and works out what it changes; pure."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from app.kernel.errors import Invalid
from app.monitoring.plates import plate_text
from app.monitoring.plates.types import MAX_PLATE, EntryData, ImportPlan, RowError

ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
MAX_ROWS = 100_000
MAX_TEXT = 500
_NO_EXPIRY = ("", "-", "sin vencimiento")
_REVOKED = ("si", "s", "1", "x", "sin efecto", "revocada", "revocado", "true")
_IN_FORCE = ("", "no", "n", "0", "vigente", "false")

# Headings as files bring them, without accents and in lower case.
COLUMNS = {
    "patente": "plate", "dominio": "plate", "plate": "plate",
    "marca": "make", "make": "make",
    "modelo": "model", "model": "model",
    "color": "colour", "colour": "colour",
    "tipo": "vehicle_type", "vehicle_type": "vehicle_type",
    "motivo": "reason", "reason": "reason",
    "autoridad": "authority", "authority": "authority",
    "base legal": "legal_basis", "norma": "legal_basis", "legal_basis": "legal_basis",
    "causa": "case_no", "ipp": "case_no", "case_no": "case_no",
    "instrucciones": "instructions", "instructions": "instructions",
    "origen": "origin", "origin": "origin",
    "version": "source_version", "source_version": "source_version",
    "gravedad": "severity", "prioridad": "severity", "severity": "severity",
    "desde": "valid_from", "vigente desde": "valid_from", "valid_from": "valid_from",
    "vence": "expires_at", "hasta": "expires_at", "expires_at": "expires_at",
    "sin efecto": "revoked_at", "revoked_at": "revoked_at", "revocada": "revoked_at",
}  # fmt: skip
TEXTS = frozenset(
    {"make", "model", "colour", "vehicle_type", "reason", "authority", "legal_basis", "case_no", "instructions", "origin",
     "source_version"}
)  # fmt: skip
_FIELDS = frozenset(field.name for field in fields(EntryData))


class BadRow(ValueError):
    """A row cannot be used; carries the field and the words for the person."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def read_csv(data: bytes, now: datetime) -> tuple[list[EntryData], list[RowError]]:
    """Entries and refused rows of a CSV in UTF-8 or Latin-1, separated by `;` or `,`. Raises `Invalid` when it is not one."""
    text = _decoded(data)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    return _collect(_csv_rows(rows), now)


def read_json(items: Iterable[Any], now: datetime) -> tuple[list[EntryData], list[RowError]]:
    """Entries and refused rows of JSON objects with the English names of the columns."""
    return _collect(_json_rows(items), now)


def plan(
    incoming: Iterable[EntryData], stored: Mapping[tuple[str, str], EntryData], errors: list[RowError]
) -> ImportPlan:
    """What importing `incoming` over `stored` changes. A plate that is absent from the file stays as it is."""
    latest = {entry.key: entry for row in incoming for entry in _widened(row, stored)}
    revoked, added, changed, unchanged = [], [], [], 0
    for key, entry in latest.items():
        before = stored.get(key)
        if before is not None and before.revoked_at is not None and entry.revoked_at is not None:
            entry = replace(entry, revoked_at=before.revoked_at)
        if before == entry:
            unchanged += 1
        elif entry.revoked_at is not None:
            revoked.append(entry)
        elif before is None:
            added.append(entry)
        else:
            changed.append(entry)
    return ImportPlan(revoked, added, changed, unchanged, errors)


def _widened(row: EntryData, stored: Mapping[tuple[str, str], EntryData]) -> list[EntryData]:
    """A revocation that names no case is for every order on that plate."""
    if row.revoked_at is None or row.case_no:
        return [row]
    known = [entry for key, entry in stored.items() if key[0] == row.plate]
    return [replace(entry, revoked_at=row.revoked_at) for entry in known] or [row]


def _decoded(data: bytes) -> str:
    if not data.strip():
        raise Invalid(errors={"file": ["El archivo está vacío."]})
    if b"\x00" in data:
        raise Invalid(errors={"file": ["El archivo no es un texto CSV."]})
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _separator(text: str) -> str:
    heading = text.split("\n", 1)[0]
    return ";" if heading.count(";") >= heading.count(",") else ","


def _csv_rows(rows: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    try:
        heading = [COLUMNS.get(_plain(name), "") for name in next(rows)]
        if "plate" not in heading:
            raise Invalid(errors={"file": ["La primera fila debe nombrar las columnas, una de ellas «patente»."]})
        for number, cells in enumerate(rows, start=2):
            if number > MAX_ROWS + 1:
                raise Invalid(errors={"file": [f"El archivo tiene más de {MAX_ROWS} filas: dividirlo."]})
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(heading):
                yield number, BadRow("", f"La fila tiene {len(cells)} columnas y el encabezado {len(heading)}.")
                continue
            yield number, {name: cell for name, cell in zip(heading, cells, strict=False) if name}
    except csv.Error as error:
        raise Invalid(
            f"El archivo no se puede leer como CSV: {error}.", errors={"file": ["No es un CSV válido."]}
        ) from None


def _json_rows(items: Iterable[Any]) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            yield number, BadRow("", "Cada elemento debe ser un objeto.")
        elif unknown := sorted(set(map(str, item)) - _FIELDS):
            yield number, BadRow(unknown[0], "El campo no existe.")
        else:
            yield number, item


def _collect(
    rows: Iterable[tuple[int, dict[str, Any] | BadRow]], now: datetime
) -> tuple[list[EntryData], list[RowError]]:
    entries: list[EntryData] = []
    errors: list[RowError] = []
    for number, row in rows:
        text = "" if isinstance(row, BadRow) else str(row.get("plate", ""))[: MAX_PLATE * 2]
        try:
            if isinstance(row, BadRow):
                raise row
            entries.append(_entry(row, now))
        except BadRow as bad:
            errors.append(RowError(number, bad.field, bad.message, text))
    return entries, errors


def _entry(row: Mapping[str, Any], now: datetime) -> EntryData:
    values: dict[str, Any] = {name: _text(name, row[name]) for name in TEXTS & row.keys()}
    raw = row.get("plate")
    plate = plate_text.normalise(raw) if isinstance(raw, str) and len(raw) <= MAX_PLATE * 3 else ""
    if not 2 <= len(plate) <= MAX_PLATE:
        raise BadRow("plate", "La patente falta o no es válida.")
    valid_from = _instant("valid_from", row.get("valid_from"), time.min)
    expires_at = _instant("expires_at", row.get("expires_at"), time.max)
    if valid_from and expires_at and valid_from >= expires_at:
        raise BadRow("expires_at", "Vence antes de empezar.")
    return EntryData(
        plate=plate,
        severity=_severity(row.get("severity")),
        valid_from=valid_from,
        expires_at=expires_at,
        revoked_at=_revocation(row.get("revoked_at"), now),
        **values,
    )


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(name, "Debe ser un texto.")
    text = " ".join(value.replace("\x00", "").split())
    if len(text) > MAX_TEXT:
        raise BadRow(name, f"No puede tener más de {MAX_TEXT} caracteres.")
    return text


def _severity(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        number = int(str(value).strip().upper().removeprefix("P"))
    except ValueError:
        number = 0
    if isinstance(value, bool) or not 1 <= number <= 4:
        raise BadRow("severity", "La prioridad va de 1 a 4.")
    return number


def _revocation(value: Any, now: datetime) -> datetime | None:
    if value is None or value is False:
        return None
    if value is True:
        return now
    word = _plain(str(value))
    if word in _IN_FORCE:
        return None
    return now if word in _REVOKED else _instant("revoked_at", value, time.min)


def _instant(name: str, value: Any, at: time) -> datetime | None:
    """An instant: ISO 8601, or a day as dd/mm/aaaa (its first or last moment in Buenos Aires)."""
    if value is None or (isinstance(value, str) and _plain(value) in _NO_EXPIRY):
        return None
    text = str(value).strip()
    parsers: tuple[Callable[[str], datetime], ...] = (
        lambda raw: datetime.combine(datetime.strptime(raw, "%d/%m/%Y").replace(tzinfo=ZONE).date(), at, ZONE),
        lambda raw: datetime.combine(datetime.strptime(raw, "%Y-%m-%d").replace(tzinfo=ZONE).date(), at, ZONE),
        lambda raw: _aware(datetime.fromisoformat(raw)),
    )
    for parse in parsers:
        try:
            return parse(text).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    raise BadRow(name, "La fecha va como dd/mm/aaaa o en ISO 8601.")


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=ZONE)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.strip().lower())
    return " ".join("".join(char for char in folded if not unicodedata.combining(char)).split())
