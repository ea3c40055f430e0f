"""Deleted footage as the screen shows it: unbroken spans in order of time."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.evidence.custody.types import PurgedSpan, joined

START = datetime.fromisoformat("2026-11-22T10:00:00+00:00")


def span(from_s: float, to_s: float, *, cause: str = "presion", deleted_s: float = 9000) -> PurgedSpan:
    at = [START + timedelta(seconds=one) for one in (from_s, to_s, deleted_s)]
    return PurgedSpan(at[0], at[1], 10, cause, at[2])


def test_spans_that_follow_each_other_are_one_with_the_last_deletion() -> None:
    (one,) = joined([span(120, 180, deleted_s=9100), span(0, 60), span(60.5, 119)])

    assert (one.from_at, one.to_at) == (START, START + timedelta(seconds=180))
    assert (one.bytes, one.deleted_at) == (30, START + timedelta(seconds=9100))


def test_what_lies_between_or_another_cause_keeps_them_apart() -> None:
    assert len(joined([span(0, 60), span(63, 120)])) == 2
    assert len(joined([span(0, 60), span(60, 120, cause="vencimiento")])) == 2
    assert joined([]) == []


def test_span_inside_another_shortens_nothing() -> None:
    (one,) = joined([span(0, 100), span(10, 20)])

    assert one.to_at == START + timedelta(seconds=100)
    assert one.label == "faltaba espacio en el disco"
    assert span(0, 1, cause="otra").label == "otra"
