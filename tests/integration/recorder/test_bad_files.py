"""The start-up sweep against damaged, foreign and missing files: what is video is kept, the rest is set aside, nothing is deleted."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.support.recorder_rig import CAMERA, TENANT, RecorderRig, camera, wait_until
from tests.support.video import frames_of
from workers.recorder.boxes import scan
from workers.recorder.clock import Clock
from workers.recorder.files import CameraFolder
from workers.recorder.index import open_index
from workers.recorder.sweep import SweepReport, sweep
from workers.recorder.volume import mount

pytestmark = pytest.mark.slow("records a few seconds first")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some sealed segments, copied by each test."""
    from tests.support.video import make_video

    folder = tmp_path_factory.mktemp("recorded")
    rig = RecorderRig(folder / "node").start()
    try:
        rig.apply(camera(make_video(folder / "bar.mp4")))
        wait_until(lambda: len(rig.segments()) >= 4)
        rig.ask("stop")
        assert rig.process is not None
        rig.process.wait(20)
    finally:
        rig.stop()
    return folder / "node"


@pytest.fixture
def place(recorded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(recorded, tmp_path / "node")


def files(place: Path) -> list[Path]:
    return sorted((place / "volume" / TENANT).rglob("*.mp4"))


def run_sweep(place: Path) -> SweepReport:
    connection = open_index(place / "index.sqlite")
    try:
        volume = connection.execute("SELECT id FROM volumes").fetchone()["id"]
        return sweep(connection, CameraFolder(place / "volume", volume, UUID(TENANT), UUID(CAMERA)), Clock())
    finally:
        connection.close()


def rows(place: Path, sql: str) -> list[tuple[object, ...]]:
    connection = open_index(place / "index.sqlite")
    try:
        return [tuple(row) for row in connection.execute(sql)]
    finally:
        connection.close()


def as_new_part(original: Path, content: bytes) -> Path:
    """Leave this content as an open segment of a crash."""
    start = int(original.name.split("_")[0]) + 10_000_000
    part = original.with_name(f"{start}_{uuid4()}.part")
    part.write_bytes(content)
    return part


def test_zero_filled_tail_keeps_only_real_fragments(place: Path) -> None:
    original = files(place)[0]
    data = original.read_bytes()
    with original.open("rb") as file:
        fragments = scan(file, len(data)).fragments
    last = fragments[-1]
    head = last.offset + last.moof.data_offset
    part = as_new_part(original, data[:head] + bytes(len(data) - head))

    report = run_sweep(place)

    assert report.recovered == 1
    sealed = part.with_suffix(".mp4")
    assert rows(place, f"SELECT usable_bytes, bytes FROM segments WHERE relpath LIKE '%{sealed.name}'") == [
        (fragments[-2].offset + fragments[-2].size, len(data))
    ]


def test_file_truncated_inside_mdat_keeps_the_fragments_before(place: Path) -> None:
    original = files(place)[0]
    data = original.read_bytes()
    with original.open("rb") as file:
        fragments = scan(file, len(data)).fragments
    cut = fragments[-1].offset + fragments[-1].size // 2
    part = as_new_part(original, data[:cut])

    run_sweep(place)

    usable = rows(place, f"SELECT usable_bytes FROM segments WHERE relpath LIKE '%{part.stem}.mp4'")
    assert usable == [(fragments[-1].offset,)]
    assert frames_of(part.with_suffix(".mp4"), fragments[-1].offset) == sum(
        len(one.moof.sizes) for one in fragments[:-1]
    )


@pytest.mark.parametrize("content", ["header", "empty", "noise"])
def test_file_without_video_is_quarantined_and_the_rest_is_listed(place: Path, content: str) -> None:
    original = files(place)[0]
    data = original.read_bytes()
    with original.open("rb") as file:
        head = scan(file, len(data)).fragments[0].offset
    body = {"header": data[:head], "empty": b"", "noise": bytes(range(256)) * 40}[content]
    part = as_new_part(original, body)
    good = as_new_part(original, data)

    report = run_sweep(place)

    assert (report.quarantined, report.recovered) == (1, 1)
    assert not part.exists()
    assert good.with_suffix(".mp4").exists()
    assert [path.name for path in (place / "volume" / "quarantine").iterdir()] == [f"{CAMERA}_{part.name}"]


def test_file_of_unknown_origin_is_quarantined_never_deleted(place: Path) -> None:
    original = files(place)[0]
    stranger = original.with_name("grabacion.mp4")
    shutil.copy(original, stranger)

    assert run_sweep(place).quarantined == 1

    assert (place / "volume" / "quarantine" / f"{CAMERA}_grabacion.mp4").read_bytes() == original.read_bytes()


def test_empty_index_is_rebuilt_from_the_files(place: Path) -> None:
    before = sorted(rows(place, "SELECT relpath, sha256, bytes FROM segments"))
    for path in place.glob("index.sqlite*"):
        path.unlink()
    connection = open_index(place / "index.sqlite")
    volume = mount(connection, place / "volume", UUID(TENANT))
    connection.close()

    run_sweep(place)

    assert volume.writable
    assert sorted(rows(place, "SELECT relpath, sha256, bytes FROM segments")) == before


def test_missing_file_becomes_a_missing_row(place: Path) -> None:
    gone = files(place)[1]
    gone.unlink()

    assert run_sweep(place).missing == 1

    assert rows(place, "SELECT relpath FROM segments WHERE state='missing'") == [
        (str(gone.relative_to(place / "volume")),)
    ]


def test_losing_most_files_at_once_stops_the_sweep(place: Path) -> None:
    connection = open_index(place / "index.sqlite")
    connection.executescript(
        "CREATE TEMP TABLE copies AS SELECT * FROM segments LIMIT 1;"
        + "".join(
            f"UPDATE copies SET id='{uuid4()}', relpath='x{n}.mp4', seq={n + 100};INSERT INTO segments SELECT * FROM copies;"
            for n in range(20)
        )
    )
    connection.close()

    report = run_sweep(place)

    assert report.refused
    assert rows(place, "SELECT count(*) FROM segments WHERE state='missing'") == [(0,)]


def test_link_in_the_folder_is_not_followed(place: Path, tmp_path: Path) -> None:
    original = files(place)[0]
    outside = tmp_path / "outside.mp4"
    shutil.copy(original, outside)
    link = original.with_name(f"{int(original.name.split('_')[0]) + 5}_{uuid4()}.mp4")
    link.symlink_to(outside)

    report = run_sweep(place)

    assert (report.indexed, report.quarantined) == (0, 0)
    assert link.is_symlink()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [("missing", "volume_missing"), ("other", "wrong_volume"), ("ahead", "index_older_than_volume")],
)
def test_doubtful_volume_is_read_only_and_untouched(place: Path, spoil: str, reason: str) -> None:
    import json

    card = place / "volume" / "volume.json"
    body = json.loads(card.read_text())
    if spoil == "missing":
        card.unlink()
    else:
        body["uuid" if spoil == "other" else "open_counter"] = str(uuid4()) if spoil == "other" else 99
        card.write_text(json.dumps(body))
    before, count = files(place), rows(place, "SELECT count(*) FROM segments")

    rig = RecorderRig(place).start()
    try:
        rig.apply(camera(place / "absent.mp4"))
        status = rig.ask("status")
    finally:
        rig.stop()

    assert (status["volume"]["state"], status["volume"]["reason"]) == ("read_only", reason)
    assert files(place) == before
    assert rows(place, "SELECT count(*) FROM segments") == count
