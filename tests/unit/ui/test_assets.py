"""The asset build: names, icons, swap, and one sentence when it cannot be done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.ui import assets as served
from tools import assets as built


def test_manifest_resolves_our_modules_and_the_bare_names() -> None:
    manifest = served.load()
    imports = json.loads(manifest.import_map)["imports"]

    assert imports["/static/dist/modules/boot.js"] == manifest.url("modules/boot.js")
    assert imports["maplibre-gl"] == manifest.url("maplibre-gl.mjs")


def test_unknown_file_names_the_next_command() -> None:
    with pytest.raises(served.AssetsMissing, match="make assets"):
        served.load().url("no-existe.css")


def test_start_without_a_build_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(served.AssetsMissing, match="make assets"):
        served.load(tmp_path)


def test_licences_cover_every_package_taken() -> None:
    names = {row["name"] for row in served.licences()}

    assert names == {*built.COPIED, *built.FOLDED}
    assert all(row["text"] for row in served.licences())


@pytest.mark.parametrize(
    "call", ['{{ icon("lock") }}', "icon('lock')", 'empty_state("x", icon = "lock")', '{"icon": "lock"}']
)
def test_icon_is_found_where_it_is_named(call: str) -> None:
    assert built.ICON_CALL.findall(call) == ["lock"]


def test_emitted_file_is_named_by_its_content(tmp_path: Path) -> None:
    first = built._emit(tmp_path, "modules/a.js", b"x" * 2000)
    second = built._emit(tmp_path, "modules/a.js", b"y" * 2000)

    assert first != second
    assert (tmp_path / first).read_bytes() == b"x" * 2000
    assert (tmp_path / f"{first}.gz").exists()


def test_missing_package_file_names_the_next_command() -> None:
    with pytest.raises(built.BuildError, match="make assets"):
        built._package_file("htmx.org", "dist/no-existe.js")


def test_swap_leaves_one_folder(tmp_path: Path) -> None:
    place, new = tmp_path / "dist", tmp_path / "new"
    for folder, text in ((place, "old"), (new, "new")):
        folder.mkdir()
        (folder / "a").write_text(text)

    built._swap(new, place)

    assert (place / "a").read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["dist"]
