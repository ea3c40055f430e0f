"""`python -m workers.recorder`: the recorder child of one municipality, started by the node daemon and outliving it."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from uuid import UUID

from workers.recorder.control import ControlServer, Desk
from workers.recorder.engine import Place, Recorder
from workers.recorder.errors import redact
from workers.recorder.volume import RootFilesystemError


class RedactingFormatter(logging.Formatter):
    """No credential reaches a log, whoever wrote the message."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure_logging() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.recorder")
    parser.add_argument("--tenant", type=UUID, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="state of this municipality on the node")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--scenes", type=Path, action="append", default=[])
    parser.add_argument("--segment-seconds", type=int, default=60)
    parser.add_argument("--allow-root-fs", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    configure_logging()
    options.folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(options.folder / "recorder.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        logging.error("another recorder of this municipality is running")
        return 3
    place = Place(
        options.tenant, options.folder / "volume", options.folder / "index.sqlite", options.folder / "derived",
        tuple(options.scenes), options.segment_seconds, options.allow_root_fs,
    )  # fmt: skip
    try:
        recorder = Recorder(place)
    except RootFilesystemError as error:
        logging.error("%s", error)
        return 2
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the daemon, which then asks the recorder
    server = ControlServer(options.socket, Desk(recorder, ending.set))
    server.start()
    ending.wait()
    recorder.stop()
    server.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
