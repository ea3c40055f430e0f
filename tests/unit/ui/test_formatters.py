"""How dates, numbers, plates and addresses are written for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.ui import formatters as f

AT = datetime(2026, 11, 22, 17, 5, 7, tzinfo=UTC)
NB = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f.moment(AT), "22/11/2026 14:05:07 (UTC−3)"),
        (f.minute(AT), "22/11/2026 14:05"),
        (f.hour(AT), "14:05:07"),
        (f.day(datetime(2026, 11, 23, 2, 59, tzinfo=UTC)), "22/11/2026"),
        (f.day(date(2026, 1, 2)), "02/01/2026"),
        (f.long_day(AT), "domingo 22 de noviembre de 2026"),
        (f.moment(datetime(2008, 1, 1, 12, 0, tzinfo=UTC)), "01/01/2008 10:00:00 (UTC−2)"),
        (f.number(1234.5), "1.234,5"),
        (f.number(1234567), "1.234.567"),
        (f.number(-3.14159, 2), "−3,14"),
        (f.number(2, 1), "2,0"),
        (f.percent(0.971, 1), f"97,1{NB}%"),
        (f.size(1_350_000_000), f"1,35{NB}GB"),
        (f.size(999), f"999{NB}B"),
        (f.size(12_400), f"12,4{NB}kB"),
        (f.money(Decimal("1234.5")), f"${NB}1.234,50"),
        (f.plate("AB123CD"), f"AB{NB}123{NB}CD"),
        (f.plate("ABC123"), f"ABC{NB}123"),
        (f.plate("A123BCD"), f"A{NB}123{NB}BCD"),
        (f.plate("1234XY"), "1234XY"),
        (f.address("Bolívar", "640", "Lavalle y Pringles"), "Bolívar 640 e/ Lavalle y Pringles"),
        (f.address("Rivadavia y Mitre"), "Rivadavia y Mitre"),
        (f.address(None), "Sin dirección"),
        (f.national_id("12345678"), "12.345.678"),
        (f.coordinates(-38.3737, -60.2798), "−38,37370; −60,27980"),
        (f.short_hash("9f86d081884c7d659a2feaa0c55ad015"), "9f86d081…5ad015"),
        (f.duration(7500), "2 h 05 min"),
        (f.duration(182), "3 min 02 s"),
        (f.duration(timedelta(days=1, hours=3)), "1 día 3 h"),
        (f.duration(18), "18 s"),
        (f.stopwatch(1300), "00:21:40"),
    ],
)
def test_value_is_written_the_argentine_way(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    "write", [f.moment, f.minute, f.hour, f.day, f.number, f.percent, f.size, f.money, f.plate, f.duration]
)
def test_missing_value_is_a_dash(write: object) -> None:
    assert write(None) == "–"  # type: ignore[operator]


def test_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="sin zona"):
        f.moment(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, "recién"),
        (18, "hace 18 s"),
        (60, "hace 1 min"),
        (7199, "hace 1 h"),
        (86400, "hace 1 día"),
        (200_000, "hace 2 días"),
    ],
)
def test_elapsed_time_is_rounded_down(seconds: int, expected: str) -> None:
    assert f.elapsed(timedelta(seconds=seconds)) == expected


def test_relative_time_always_carries_the_absolute() -> None:
    html = f.ago(AT, at=AT + timedelta(seconds=18))

    assert 'datetime="2026-11-22T17:05:07+00:00"' in html
    assert 'title="22/11/2026 14:05:07 (UTC−3)"' in html
    assert ">hace 18 s<" in html


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36", "Chrome 147 en Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/146.0.0.0 Safari/537.36 Edg/146.0", "Edge 146 en Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 en Windows"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Navegador desconocido"),
    ],
    ids=["chrome", "edge", "firefox", "program", "nothing"],
)  # fmt: skip
def test_browser_is_named_as_people_name_it(agent: str, expected: str) -> None:
    assert f.browser(agent) == expected


def test_detail_of_the_record_is_written_in_words() -> None:
    written = f.plain({"funciones": ["supervisor", "alumno"], "hecho": True, "nota": None})

    assert written == "funciones supervisor, alumno, hecho sí, nota –"
