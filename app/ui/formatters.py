"""How the product writes dates, plates, numbers and addresses for people in Argentina; nobody else formats them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal
from markupsafe import Markup

from app.kernel import clock

ZONE = ZoneInfo("America/Argentina/Buenos_Aires")
LOCALE = "es_AR"
MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
NBSP = "\N{NO-BREAK SPACE}"

_PLATE_FORMATS = (
    (re.compile(r"([A-Z]{2})(\d{3})([A-Z]{2})"), 3),
    (re.compile(r"([A-Z]{3})(\d{3})"), 2),
    (re.compile(r"([A-Z])(\d{3})([A-Z]{3})"), 3),
    (re.compile(r"(\d{3})([A-Z]{3})"), 2),
)
_WEEKDAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip


def local(moment: datetime) -> datetime:
    """`moment` on the wall clock of Buenos Aires. Naive times are a bug."""
    if moment.tzinfo is None:
        raise ValueError("una hora sin zona no se puede mostrar")
    return moment.astimezone(ZONE)


def moment(value: datetime | None) -> str:
    """`22/11/2026 14:05:07 (UTC−3)`."""
    if value is None:
        return "–"
    there = local(value)
    return f"{there:%d/%m/%Y %H:%M:%S} ({_offset(there)})"


def minute(value: datetime | None) -> str:
    """`22/11/2026 14:05`."""
    return "–" if value is None else f"{local(value):%d/%m/%Y %H:%M}"


def hour(value: datetime | None) -> str:
    """`14:05:07`."""
    return "–" if value is None else f"{local(value):%H:%M:%S}"


def day(value: datetime | date | None) -> str:
    """`22/11/2026`."""
    if value is None:
        return "–"
    return f"{local(value) if isinstance(value, datetime) else value:%d/%m/%Y}"


def long_day(value: datetime) -> str:
    """`domingo 22 de noviembre de 2026`."""
    there = local(value)
    return f"{_WEEKDAYS[there.weekday()]} {there.day} de {_MONTHS[there.month - 1]} de {there.year}"


def ago(value: datetime | None, *, at: datetime | None = None) -> Markup:
    """`hace 18 s`, always inside `<time>` with the absolute instant, so that the page can keep it true."""
    if value is None:
        return Markup("–")
    text = elapsed((at or clock.now()) - value)
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(value.isoformat(), moment(value), text)


def elapsed(span: timedelta) -> str:
    """`hace 18 s`, `hace 6 min`, `hace 2 h`, `hace 3 días`."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return "recién"
    for size, unit in ((86400, "días"), (3600, "h"), (60, "min")):
        if seconds >= size:
            amount = seconds // size
            return f"hace {amount} {'día' if unit == 'días' and amount == 1 else unit}"
    return f"hace {seconds} s"


def duration(span: timedelta | float | None) -> str:
    """`2 h 05 min`, `3 min 02 s`, `18 s`."""
    if span is None:
        return "–"
    seconds = round(span.total_seconds() if isinstance(span, timedelta) else span)
    days, hours, minutes, rest = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60
    if days:
        return f"{days} {'día' if days == 1 else 'días'} {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def stopwatch(span: timedelta | float) -> str:
    """`00:21:40`."""
    seconds = max(0, int(span.total_seconds() if isinstance(span, timedelta) else span))
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def number(value: int | float | Decimal | None, digits: int | None = None) -> str:
    """`1.234,5`; with `digits`, exactly that many decimals."""
    if value is None:
        return "–"
    pattern = "#,##0.###" if digits is None else "#,##0." + "0" * digits if digits else "#,##0"
    text: str = format_decimal(value, format=pattern, locale=LOCALE)
    return text.replace("-", MINUS)


def percent(value: float | None, digits: int = 0) -> str:
    """`97,1 %` for 0.971."""
    return "–" if value is None else f"{number(value * 100, digits)}{NBSP}%"


def size(octets: int | None) -> str:
    """`1,35 GB`: powers of 1000, three significant figures."""
    if octets is None:
        return "–"
    amount, unit = float(octets), "B"
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if amount < 1000 or unit == "PB":
            break
        amount /= 1000
    digits = 0 if unit == "B" or amount >= 100 else 1 if amount >= 10 else 2
    return f"{number(amount, digits)}{NBSP}{unit}"


def money(value: Decimal | float | None) -> str:
    """`$ 1.234,50`."""
    return "–" if value is None else f"${NBSP}{number(value, 2)}"


def plate(value: str | None) -> str:
    """`AB 123 CD` or `ABC 123`; anything else as it was read."""
    if not value:
        return "–"
    for pattern, groups in _PLATE_FORMATS:
        if match := pattern.fullmatch(value):
            return NBSP.join(match.groups()[:groups])
    return value


def address(street: str | None, street_number: str | None = None, between: str | None = None) -> str:
    """`Bolívar 640 e/ Lavalle y Pringles`; an intersection is its own street text."""
    parts = [part for part in (street, street_number) if part]
    text = " ".join(parts) or "Sin dirección"
    return f"{text} e/ {between}" if between else text


def national_id(value: str | int | None) -> str:
    """`12.345.678`."""
    digits = re.sub(r"\D", "", str(value or ""))
    return f"{int(digits):,}".replace(",", ".") if digits else "–"


def coordinates(lat: float | None, lon: float | None) -> str:
    """`−38,3737, −60,2798` with enough digits for a corner."""
    if lat is None or lon is None:
        return "–"
    return f"{number(lat, 5)}; {number(lon, 5)}"


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Version/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"))


def browser(agent: str | None) -> str:
    """`Chrome 153 en Linux` of what a browser says of itself; anything else as it came."""
    agent = agent or ""
    for mark, name in _BROWSERS:
        if found := re.search(re.escape(mark) + r"(\d+)", agent):
            system = next((word for sign, word in _SYSTEMS if sign in agent), "")
            return f"{name} {found[1]}" + (f" en {system}" if system else "")
    return agent or "Navegador desconocido"


def plain(value: object) -> str:
    """A detail of the record in words: lists by commas, yes and no, and what has parts by its parts."""
    if isinstance(value, bool):
        return "sí" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(part) for part in value)
    return "–" if value is None else str(value)


def short_hash(value: str | None) -> str:
    """The first and last characters of a digest, enough to compare by eye."""
    return "–" if not value else f"{value[:8]}…{value[-6:]}" if len(value) > 16 else value


def _offset(there: datetime) -> str:
    minutes = int((there.utcoffset() or timedelta()).total_seconds() // 60)
    sign = MINUS if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


FILTERS = {
    "moment": moment,
    "minute": minute,
    "hour": hour,
    "day": day,
    "long_day": long_day,
    "ago": ago,
    "duration": duration,
    "stopwatch": stopwatch,
    "number": number,
    "percent": percent,
    "bytes": size,
    "money": money,
    "plate": plate,
    "national_id": national_id,
    "short_hash": short_hash,
    "browser": browser,
    "plain": plain,
}
