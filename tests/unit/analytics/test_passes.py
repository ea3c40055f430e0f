"""One event per pass: provisional, final, two plates in a track, parked cars and broken tracks."""

from dataclasses import replace

from tests.unit.analytics.test_consensus import read
from workers.analytics.observation import Box
from workers.analytics.plates.passes import PassBook, Sighting


def sighting(text: str, at: float, y: float = 0.3, **changes) -> Sighting:
    return Sighting(replace(read(text, **changes), box=Box(0.4, y, 0.5, y + 0.05)), at)


def told(results):
    return [(one.phase, one.track, one.n, one.consensus.text, one.consensus.strength) for one in results]


def test_pass_tells_a_provisional_once_and_a_final_with_the_same_number():
    book = PassBook()

    results = [*book.add("7", sighting("ZA123BC", 0.0)), *book.add("7", sighting("ZA123BC", 0.3, 0.4)),
               *book.add("7", sighting("ZA123BC", 0.6, 0.5)), *book.close("7", 2.0, "left")]

    assert told(results) == [("provisional", "7", 0, "ZA123BC", "strong"), ("final", "7", 0, "ZA123BC", "strong")]
    assert results[1].direction == "toward"


def test_pass_with_one_reading_is_stored_as_single_without_a_provisional():
    book = PassBook()

    results = [*book.add("7", sighting("ZA123BC", 0.0)), *book.close("7", 2.0, "lost")]

    assert told(results) == [("final", "7", 0, "ZA123BC", "single")]
    assert results[0].direction is None


def test_pass_without_readings_tells_nothing():
    assert list(PassBook().close("7", 2.0, "left")) == []


def test_pass_closes_by_itself_after_six_seconds():
    book = PassBook()
    list(book.add("7", sighting("ZA123BC", 1.0)))

    assert list(book.expire(6.9)) == []
    assert told(book.expire(7.0)) == [("final", "7", 0, "ZA123BC", "single")]
    assert list(book.expire(8.0)) == []


def test_pass_two_plates_in_one_track_are_two_passes():
    book = PassBook()
    results = []
    for at, text in enumerate(["ZA123BC", "ZX987QW", "ZA123BC", "ZX987QW"]):
        results += book.add("7", sighting(text, at * 0.3))

    results += book.close("7", 3.0, "left")

    assert told(results) == [
        ("provisional", "7", 0, "ZA123BC", "strong"), ("provisional", "7", 1, "ZX987QW", "strong"),
        ("final", "7", 0, "ZA123BC", "strong"), ("final", "7", 1, "ZX987QW", "strong"),
    ]


def test_pass_misread_of_the_same_plate_is_the_same_pass():
    book = PassBook()
    results = []
    for text in ("ZA123BC", "ZA12BC", "ZA123BC", "Z4123BC"):
        results += book.add("7", sighting(text, 0.3))

    results += book.close("7", 3.0, "left")

    assert [one.phase for one in results] == ["provisional", "final"]


def pass_through(book: PassBook, track: str, at: float, ending, y=(0.3, 0.5), text="ZA123BC"):
    return [*book.add(track, sighting(text, at, y[0])), *book.add(track, sighting(text, at + 0.3, y[1])),
            *book.close(track, at + 1, ending)]


def test_parked_car_read_again_under_another_track_is_the_same_sighting():
    book = PassBook()

    first = pass_through(book, "1", 0.0, "lost", y=(0.4, 0.4))
    again = pass_through(book, "2", 60.0, "lost", y=(0.4, 0.4))
    later = pass_through(book, "3", 400.0, "lost", y=(0.4, 0.4))

    assert [len(results) for results in (first, again, later)] == [2, 0, 2]
    assert book.duplicates == 1


def test_car_that_left_and_comes_back_is_another_pass():
    book = PassBook()

    first = pass_through(book, "1", 0.0, "left")
    back = pass_through(book, "2", 60.0, "left")

    assert [len(results) for results in (first, back)] == [2, 2]


def test_broken_track_of_one_crossing_is_one_pass():
    book = PassBook()

    first = pass_through(book, "1", 0.0, "left")
    rest = pass_through(book, "2", 1.5, "left", y=(0.5, 0.7))

    assert [len(results) for results in (first, rest)] == [2, 0]


def test_car_that_turns_around_is_seen_twice():
    book = PassBook()

    toward = pass_through(book, "1", 0.0, "lost", y=(0.3, 0.6))
    away = pass_through(book, "2", 30.0, "lost", y=(0.6, 0.3))

    assert [one.phase for one in toward + away] == ["provisional", "final", "final"]


def test_wants_stops_once_told_and_resumes_after_a_while():
    book = PassBook()
    assert book.wants("7", 0.0)

    for at in (0.0, 0.3, 0.6):
        list(book.add("7", sighting("ZA123BC", at)))

    assert not book.wants("7", 0.7)
    list(book.close("7", 2.0, "left"))
    assert not book.wants("7", 5.0)
    assert book.wants("7", 12.1)


def test_long_pass_keeps_its_best_readings_only():
    book = PassBook()
    for n in range(20):
        list(book.add("7", sighting("ZA123BC", n * 0.1, height=10.0 + n)))

    (final,) = book.close("7", 3.0, "left")

    assert final.consensus.reads == 8
    assert final.shown.read.height_px == 29.0
