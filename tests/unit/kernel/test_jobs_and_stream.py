"""Declaring jobs, asking for them, and telling consoles: what is refused before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.kernel import events, jobs, stream
from app.kernel.actor import Actor
from app.kernel.unit_of_work import UnitOfWork, _unit, canonical


@pytest.fixture
def unit() -> Iterator[UnitOfWork]:
    opened = UnitOfWork(Actor("system", 1, "x"), None, read_only=False)  # type: ignore[arg-type]  # nothing is written
    token = _unit.set(opened)
    yield opened
    _unit.reset(token)


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_registry", {})


def test_a_job_is_found_by_its_name() -> None:
    @jobs.job("clips.cut", queue="media", timeout_s=9, long=True, cron="* * * * *")
    def cut() -> None: ...

    found = jobs.find("clips.cut")
    assert (found.queue, found.timeout_s, found.long, found.cron, found.handler) == ("media", 9, True, "* * * * *", cut)
    assert jobs.declared() == {"clips.cut": found}


def test_two_jobs_of_one_name_are_refused_and_the_same_again_is_not() -> None:
    def first() -> None: ...
    def second() -> None: ...

    jobs.job("clips.cut", queue="media")(first)
    jobs.job("clips.cut", queue="media")(first)
    with pytest.raises(ValueError, match=r"clips\.cut"):
        jobs.job("clips.cut", queue="media")(second)


def test_an_undeclared_job_cannot_be_asked_for(unit: UnitOfWork) -> None:
    with pytest.raises(LookupError, match=r"clips\.gone"):
        jobs.after_commit("clips.gone")
    assert unit.outbox == []


def test_a_job_takes_plain_values(unit: UnitOfWork) -> None:
    jobs.job("clips.cut", queue="media")(lambda: None)

    asked = jobs.after_commit("clips.cut", dedupe="x", clip_id=7)

    [row] = unit.outbox
    assert (row.id, row.queue, row.args, row.dedupe) == (asked, "media", {"clip_id": "7"}, "x")


def test_a_console_is_told_little(unit: UnitOfWork) -> None:
    stream.append("alarm.raised", "a", {"id": 1})
    with pytest.raises(ValueError, match="pocos datos"):
        stream.append("alarm.raised", "a", dict.fromkeys("abcdefghijklmnopq", 1))

    assert [row.kind for row in unit.stream] == ["alarm.raised"]


@pytest.mark.parametrize(("detail", "text"), [
    ({"b": 1, "a": "ñ"}, '{"a":"ñ","b":1}'),
    ({"x": "a\x00b", "y\x00": ["\x00", {"z": "\x00"}]}, '{"x":"ab","y":["",{"z":""}]}'),
    ({"x": "\\u0000"}, '{"x":"\\\\u0000"}'),
    ({"x": (1, None, True)}, '{"x":[1,null,true]}'),
])  # fmt: skip
def test_a_detail_has_one_text(detail: dict[str, Any], text: str) -> None:
    assert canonical(detail) == text


def test_events_reach_each_subscriber_once_and_a_failing_one_fails_the_deed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Happened: ...

    heard: list[object] = []
    monkeypatch.setattr(events, "_subscribers", type(events._subscribers)(list))
    events.subscribe(Happened, heard.append)
    events.subscribe(Happened, heard.append)
    event = Happened()
    events.publish(event)

    def refuse(_: Happened) -> None:
        raise RuntimeError("no")

    events.subscribe(Happened, refuse)
    with pytest.raises(RuntimeError, match="no"):
        events.publish(event)
    assert heard[0] is event
    assert len(heard) == 2
