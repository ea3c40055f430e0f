"""Maps: all the municipalities, the inset, cones and the list twin's data."""

from __future__ import annotations

import json

from app.ui.maps import District, MapCamera, province, town

CENTRE = (-38.3739, -60.2798)


def _camera(lat: float, lon: float, azimuth: float | None = None) -> MapCamera:
    return MapCamera("c1", "Plaza", lat, lon, "online", "en línea", azimuth)


def test_province_draws_the_135_and_enlarges_24() -> None:
    drawn = province({})

    assert (len(drawn.main), len(drawn.inset)) == (135, 24)
    assert {shape.slug for shape in drawn.inset} <= {shape.slug for shape in drawn.main}
    assert all(shape.path.startswith("M") and shape.path.endswith("Z") for shape in drawn.main)


def test_province_shows_what_is_known_and_says_the_rest_is_not() -> None:
    drawn = province({"azul": District(2, "98,8 % en línea", "/direccion/municipios/azul")})
    by_slug = {shape.slug: shape for shape in drawn.main}

    assert (by_slug["azul"].level, by_slug["azul"].href) == (2, "/direccion/municipios/azul")
    assert (by_slug["tandil"].level, by_slug["tandil"].text) == (0, "sin datos")


def test_keyboard_reaches_each_municipality_once() -> None:
    drawn = province({})

    assert all(shape.in_tab_order for shape in drawn.main)
    assert not any(shape.in_tab_order for shape in drawn.inset)


def test_town_puts_north_up_and_east_right() -> None:
    drawn = town("tres-arroyos", [_camera(-38.37, -60.28), _camera(-38.36, -60.27)], centre=CENTRE)
    south_west, north_east = drawn.points

    assert north_east.y < south_west.y
    assert north_east.x > south_west.x


def test_town_grows_until_every_camera_fits() -> None:
    far = town("tres-arroyos", [_camera(-38.30, -60.28), _camera(-38.50, -60.28)], centre=CENTRE)
    left, _, width, _ = map(float, far.view_box.split())

    assert all(left <= point.x <= left + width for point in far.points)
    assert width > 20


def test_town_without_cameras_is_centred_on_its_head_town() -> None:
    drawn = town("laprida", [], centre=(-37.54, -60.80))

    assert drawn.points == []
    assert drawn.land


def test_cone_is_drawn_only_when_the_direction_is_known() -> None:
    drawn = town("tres-arroyos", [_camera(-38.37, -60.28, 0.0), _camera(-38.36, -60.27)], centre=CENTRE)

    assert drawn.points[0].cone
    assert drawn.points[1].cone == ""


def test_map_that_moves_gets_the_same_cameras() -> None:
    drawn = town("tres-arroyos", [_camera(-38.37, -60.28, 90.0)], centre=CENTRE)
    feature = json.loads(drawn.points_json)["features"][0]

    assert feature["geometry"]["coordinates"] == [-60.28, -38.37]
    assert feature["properties"]["azimuth"] == 90.0
