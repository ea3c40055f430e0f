"""The observation's codec, its published schema and the invariants at the border."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.analytics.observation import (
    CLASSES,
    Border,
    Box,
    Obj,
    Observation,
    PlateRead,
    Quality,
    UnknownSchema,
    VendorFrame,
    VendorObj,
    dumps,
    loads,
)

SCHEMA = json.loads((Path(__file__).parents[3] / "workers/contract/observation.schema.json").read_text())
BASE = Observation(
    camera=UUID(int=1), stream="main", session=UUID(int=2), epoch=3, producer="cpu", producer_version="1",
    config_version=4, frame=10, pts_ns=1_000_000_000, ntp_ns=None, wall_ns=5, size=(960, 540), preset="home",
)
FULL = replace(
    BASE,
    objects=(
        Obj("18446744073709551615", "car", Box(0.1, 0.2, 0.3, 0.4), 0.9, track_conf=0.8, attrs={"color": "blanco"},
            vendor=VendorObj(roi=("NORTE",), status="STOPPED"),
            plate=PlateRead("ZA123BC", ((("Z", 0.9), ("2", 0.1)),), 0.9, Box(0.1, 0.3, 0.2, 0.35), 22.0, 0.7, "ab", "1")),
        Obj(None, "moving", Box(0.0, 0.0, 1.0, 1.0), 1.0),
    ),
    quality=Quality(100.0, 30.0, 0.1, 200.0, "00ff", None),
    vendor=VendorFrame(oc={"A": True}, lc_cum={"L": 3}),
)


def test_codec_full_observation_round_trips_and_matches_the_schema():
    line = dumps(FULL)

    assert loads(line) == FULL
    assert "\n" not in line
    jsonschema_rs.validator_for(SCHEMA).validate(json.loads(line))


def test_schema_wrong_box_is_refused():
    data = json.loads(dumps(FULL))
    data["objects"][0]["box"] = [0, 0, 2, 2]

    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(SCHEMA).validate(data)


def test_loads_unknown_keys_are_ignored():
    data = json.loads(dumps(FULL)) | {"weather": "rain"}
    data["vendor"]["future"] = 1

    assert loads(json.dumps(data)) == FULL


@pytest.mark.parametrize("schema", [2, 0, None, "1"])
def test_loads_other_schema_is_refused(schema):
    data = json.loads(dumps(BASE)) | {"schema": schema}

    with pytest.raises(UnknownSchema):
        loads(json.dumps(data))


@pytest.mark.parametrize("line", ["", "nonsense", "[]", "{}", '{"schema":1}', '{"schema":1,"camera":3}'])
def test_loads_nonsense_raises_value_error(line):
    with pytest.raises(ValueError, match=r"observation|schema|Expecting"):
        loads(line)


coordinates = st.floats(0, 1, allow_nan=False)


@given(st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates, st.sampled_from(CLASSES)), max_size=5))
def test_codec_any_admitted_objects_round_trip(rows):
    objects = tuple(Obj(str(n), cls, Box(a, b, c, d), 0.5) for n, (a, b, c, d, cls) in enumerate(rows))

    admitted = Border().admit(replace(BASE, objects=objects))

    assert admitted is not None
    assert all(obj.box.is_valid() for obj in admitted.objects)
    assert loads(dumps(admitted)) == admitted


@pytest.mark.parametrize(("fault", "obj"), [
    ("bad_box", Obj("1", "car", Box(0.5, 0.2, 0.5, 0.4), 0.9)),
    ("bad_box", Obj("1", "car", Box(0.5, 0.2, 1.1, 0.4), 0.9)),
    ("bad_box", Obj("1", "car", Box(float("nan"), 0.2, 0.9, 0.4), 0.9)),
    ("unknown_class", Obj("1", "spaceship", Box(0.1, 0.2, 0.3, 0.4), 0.9)),
    ("bad_track", Obj("x7", "car", Box(0.1, 0.2, 0.3, 0.4), 0.9)),
    ("bad_track", Obj("٣", "car", Box(0.1, 0.2, 0.3, 0.4), 0.9)),
    ("bad_confidence", Obj("1", "car", Box(0.1, 0.2, 0.3, 0.4), float("nan"))),
])
def test_border_unsound_object_is_counted_and_dropped(fault, obj):
    border = Border()
    sound = Obj("2", "car", Box(0.1, 0.2, 0.3, 0.4), 0.9)

    admitted = border.admit(replace(BASE, objects=(obj, sound)))

    assert admitted is not None
    assert admitted.objects == (sound,)
    assert border.dropped == {fault: 1}


def test_border_time_that_does_not_increase_is_dropped_until_the_epoch_changes():
    border = Border()
    assert border.admit(BASE) is BASE

    assert border.admit(BASE) is None
    assert border.admit(replace(BASE, pts_ns=BASE.pts_ns - 1)) is None
    assert border.admit(replace(BASE, epoch=2, pts_ns=BASE.pts_ns + 5)) is None
    assert border.admit(replace(BASE, epoch=4, pts_ns=0)) is not None
    assert border.dropped == {"pts_not_increasing": 2, "stale_epoch": 1}


def test_border_cameras_do_not_disturb_each_other():
    border = Border()
    other = replace(BASE, camera=UUID(int=9), pts_ns=1)

    assert border.admit(BASE) is BASE
    assert border.admit(other) is other
    assert border.admit(replace(BASE, size=(0, 540), pts_ns=BASE.pts_ns + 1)) is None


def test_border_forgotten_camera_starts_again():
    border = Border()
    border.admit(BASE)

    border.forget(BASE.camera)

    assert border.admit(replace(BASE, pts_ns=1)) is not None
