"""The child process as its supervisor sees it: lines in, lines out, pictures on disk, and a clean or a certain death."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import jsonschema_rs
import pytest

from tests.integration.analytics.street import FakeRecorder, encode, pictures

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "workers/contract/batch.schema.json").read_text())
SESSION, CAMERA = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
LANE = {"id": "mano", "polygon": [[0.05, 0], [0.6, 0], [0.6, 1], [0.05, 1]], "axis": [[0.35, 1], [0.35, 0]]}
PLATE, WRONG_WAY = {"id": "p", "kind": "plate", "priority": 2}, {"id": "w", "kind": "wrong_way", "priority": 2}

pytestmark = pytest.mark.slow("starts the child process and plays real seconds of video")


class Child:
    """The child with its lines in a queue."""

    def __init__(self, config: dict) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.analytics"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.lines: queue.Queue[dict] = queue.Queue()
        self.seen: list[dict] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.say(config)

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def say(self, message: dict) -> None:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def until(self, wanted, timeout: float = 60.0) -> dict:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                line = self.lines.get(timeout=0.5)
            except queue.Empty:
                assert self.process.poll() is None, self.process.stderr.read()
                continue
            self.seen.append(line)
            if wanted(line):
                return line
        raise AssertionError(f"nothing of the kind in {timeout} s; last: {self.seen[-3:]}")

    def item(self, kind: str) -> dict:
        """The first item of a kind, told already or still to come."""
        def wanted(line: dict) -> bool:
            return line["type"] == "item" and kind in (line["item"]["type"], line["item"].get("kind"))

        return next(filter(wanted, self.seen), None) or self.until(wanted)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


@pytest.fixture(scope="module")
def car() -> bytes:
    target = BytesIO()
    encode(pictures("ZA 123 BC", frames=84), target, fragmented=True)
    return target.getvalue()


@pytest.fixture
def recorder(tmp_path, car):
    served = FakeRecorder(tmp_path / "rec.sock", car, times=30, pace=0.19)
    yield served
    served.close()


@pytest.fixture
def start(tmp_path):
    children = []

    def run(config: dict) -> Child:
        children.append(Child(config))
        return children[-1]

    yield run
    for child in children:
        child.close()


def config(tmp_path, *rules: dict, **changes) -> dict:
    ingest = {"kind": "unix", "socket": str(tmp_path / "rec.sock"),
              "request": {"op": "ingest", "camera": CAMERA, "stream": "main"}}
    camera = {"id": CAMERA, "stream": "main", "lanes": [LANE], "zones": [], "rules": list(rules), "ingest": ingest}
    return {"type": "config", "schema": 1, "session": {"session_id": SESSION, "epoch": 3, "run": 5}, "config_version": 1,
            "blob_dir": str(tmp_path / "blobs"), "cameras": [camera], **changes}


def test_child_tells_the_wrong_way_driver_and_its_plate_with_their_pictures(tmp_path, recorder, start):
    child = start(config(tmp_path, PLATE, WRONG_WAY))

    ready = child.until(lambda line: line["type"] == "ready")
    event = child.item("wrong_way")
    plate = child.item("plate_provisional")
    final = child.item("plate_read")

    assert (ready["refused"], ready["config_version"]) == ([], 1)
    assert recorder.requests[0]["camera"] == CAMERA
    assert event["item"]["key"].startswith(f"{SESSION}:3:5:{CAMERA}:w:")
    assert [line["item"]["plate"] for line in (plate, final)] == ["ZA123BC"] * 2
    assert plate["item"]["pass_id"] == final["item"]["pass_id"]
    assert (plate["item"]["consensus"], plate["item"]["direction"]) == ("strong", "toward")
    batch = {"schema": 1, "batch_id": SESSION, "session": {"session_id": SESSION, "epoch": 3, "run": 5},
             "items": [{"n": n, **line["item"]} for n, line in enumerate((event, plate, final), start=1)]}
    jsonschema_rs.validator_for(SCHEMA).validate(batch)
    for line in (event, plate, final):
        names = {blob["sha256"] for blob in line["blobs"]}
        assert {line["item"]["crop_sha"], line["item"]["image_sha"]} == names
        for blob in line["blobs"]:
            data = Path(blob["path"]).read_bytes()
            assert sha256(data).hexdigest() == blob["sha256"]
            assert data[:2] == b"\xff\xd8"


def test_child_beats_each_second_and_stops_when_told(tmp_path, recorder, start):
    child = start(config(tmp_path, WRONG_WAY))

    beat = child.until(lambda line: line["type"] == "heartbeat" and line["state"] == "running")
    child.say({"type": "stop"})

    assert child.process.wait(timeout=20) == 0
    assert beat["cameras"][0]["camera_id"] == CAMERA
    assert beat["cameras"][0]["frames"] > 0
    assert beat["config_version"] == 1
    assert 0 < beat["rss_mb"] < 350


def test_child_takes_new_rules_in_place(tmp_path, recorder, start):
    child = start(config(tmp_path))
    child.until(lambda line: line["type"] == "heartbeat" and line["state"] == "running")

    child.say(config(tmp_path, WRONG_WAY, {"id": "c", "kind": "crowd"}, config_version=2))
    ready = child.until(lambda line: line["type"] == "ready" and line["config_version"] == 2)
    child.item("wrong_way")

    assert [(row["rule_id"], row["code"]) for row in ready["refused"]] == [("c", "needs_person")]
    assert child.process.poll() is None


def test_child_bad_later_configuration_is_told_and_ignored(tmp_path, recorder, start):
    child = start(config(tmp_path, WRONG_WAY))
    child.until(lambda line: line["type"] == "ready")

    child.say({"type": "config", "schema": 1, "cameras": "none"})

    assert child.until(lambda line: line["type"] == "log")["code"] == "bad_configuration"
    child.item("wrong_way")


@pytest.mark.parametrize("first", [{"schema": 9}, {"schema": 1, "session": {}}, {}])
def test_child_bad_first_configuration_ends_with_two(start, first):
    child = start(first)

    assert child.until(lambda line: line["type"] == "log")["code"] == "bad_configuration"
    assert child.process.wait(timeout=20) == 2


def test_child_ends_when_its_standard_input_does(tmp_path, recorder, start):
    child = start(config(tmp_path, WRONG_WAY))
    child.until(lambda line: line["type"] == "heartbeat")

    child.process.stdin.close()

    assert child.process.wait(timeout=20) == 0


def test_child_dies_with_a_parent_that_is_killed(tmp_path, recorder):
    code = ("import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'workers.analytics'], stdin=subprocess.PIPE,"
            " stdout=subprocess.PIPE, text=True); p.stdin.write(sys.argv[1] + chr(10)); p.stdin.flush();"
            " p.stdout.readline(); print(p.pid, flush=True); p.wait()")
    with subprocess.Popen([sys.executable, "-c", code, json.dumps(config(tmp_path, WRONG_WAY))], cwd=ROOT,
                          stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _runs(pid):
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_child_without_its_recorder_keeps_trying_and_says_so(tmp_path, car, start):
    child = start(config(tmp_path, WRONG_WAY))
    assert child.until(lambda line: line["type"] == "log")["code"] == "source_failed"

    recorder = FakeRecorder(tmp_path / "rec.sock", car, times=30, pace=0.19)

    child.item("wrong_way")
    recorder.close()


def test_importing_the_child_loads_no_web_no_database_and_no_second_reader():
    code = "import sys, json, workers.analytics.__main__; print(json.dumps(sorted(sys.modules)))"

    loaded = json.loads(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True,
                                       text=True).stdout)

    assert not {"flask", "sqlalchemy", "redis", "rq", "rapidocr", "scipy", "shapely"} & set(loaded)
