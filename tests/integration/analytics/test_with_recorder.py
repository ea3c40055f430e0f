"""The child on the real recorder: the same car, pulled, fragmented and served as in production."""

import time

import pytest

from tests.integration.analytics.street import encode, pictures
from tests.integration.analytics.test_child import CAMERA, LANE, PLATE, SESSION, WRONG_WAY, Child
from tests.support.recorder_rig import RecorderRig, camera

pytestmark = pytest.mark.slow("starts the recorder and the child and plays real seconds of video")


def test_child_reads_the_real_recorder_across_the_loop_of_its_file(tmp_path):
    encode(pictures("ZA 123 BC", frames=84), tmp_path / "street.mp4")
    rig = RecorderRig(tmp_path / "r", segment_s=10).start()
    child = None
    try:
        rig.apply(camera(tmp_path / "street.mp4", identifier=CAMERA))
        request = {"op": "ingest", "camera": CAMERA, "stream": "main"}
        child = Child({
            "type": "config", "schema": 1, "session": {"session_id": SESSION, "epoch": 1, "run": 1}, "config_version": 1,
            "blob_dir": str(tmp_path / "blobs"),
            "cameras": [{"id": CAMERA, "lanes": [LANE], "rules": [PLATE, WRONG_WAY],
                         "ingest": {"kind": "unix", "socket": str(rig.socket), "request": request}}],
        })

        read = child.item("plate_provisional")["item"]
        event = child.item("wrong_way")["item"]
        again = child.until(lambda line: line["type"] == "item" and line["item"].get("kind") == "wrong_way", timeout=60)

        assert read["plate"] == "ZA123BC"
        assert again["item"]["key"] != event["key"]
        assert abs(time.time() - again["item"]["completed_wall_ns"] / 1e9) < 20
    finally:
        if child is not None:
            child.close()
        rig.stop()
