"""Every second that should have been recorded and was not is a row with a cause."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.ids import new_id
from workers.recorder.clock import SECOND
from workers.recorder.index import IndexWriter

SEAM_US = 2 * SECOND
ROWS_PER_HOUR = 60
HOUR_US = 3600 * SECOND

CAUSES = {
    "camera_offline": "camara", "auth_failed": "camara", "stream_stalled": "camara", "no_keyframe": "camara",
    "codec_change": "camara", "dts_discontinuity": "camara", "unsupported_codec": "camara", "network": "red",
    "switch_group": "red", "disk_full": "disco", "hold_only": "disco", "volume_missing": "disco", "io_error": "disco",
    "recorder_restart": "reinicio", "host_restart": "reinicio", "update": "reinicio", "clock_step": "reloj",
    "unknown": "desconocida", "scheduled_off": "prevista", "privacy_block": "prevista", "maintenance": "prevista",
}  # fmt: skip

_OF_SOURCE = {
    "unreachable": "camera_offline", "not_found": "camera_offline", "timeout": "stream_stalled",
    "protocol_error": "stream_stalled", "network_not_allowed": "network", "file_not_allowed": "camera_offline",
    "start": "recorder_restart", "shutdown": "recorder_restart",
}  # fmt: skip


def code_of_break(cause: str | None) -> str:
    """The gap code of what ended an epoch or of a source's error code."""
    code = _OF_SOURCE.get(cause or "unknown", cause or "unknown")
    return code if code in CAUSES else "unknown"


@dataclass
class _Open:
    id: str
    from_us: int
    code: str


class GapLog:
    """The gaps of one camera: at most one open, at most sixty rows an hour."""

    def __init__(self, index: IndexWriter, camera: str) -> None:
        self._index, self._camera = index, camera
        self._open: _Open | None = None
        self._recent: list[int] = []
        self._last_id: str | None = None

    @property
    def open_since(self) -> int | None:
        return self._open.from_us if self._open else None

    def adopt(self, identifier: str, from_us: int, code: str) -> None:
        """Continue a gap that a former process left open."""
        self._open = _Open(identifier, from_us, code)

    def begin(self, from_us: int, code: str) -> None:
        """Open a gap; while one is open, a better known cause replaces `unknown` only."""
        if self._open is not None:
            if self._open.code == "unknown" and code != "unknown":
                self._open.code = code
                self._index.write((
                    "UPDATE gaps SET cause=?, code=?, version=version+1 WHERE id=?", (CAUSES[code], code, self._open.id)
                ))  # fmt: skip
            return
        self._open = _Open(self._row(from_us, None, code), from_us, code)

    def end(self, to_us: int) -> None:
        """Footage is back: close the open gap."""
        if self._open is None:
            return
        self._index.write((
            "UPDATE gaps SET to_us=?, version=version+1 WHERE id=?", (max(to_us, self._open.from_us), self._open.id)
        ))  # fmt: skip
        self._open = None

    def between(self, from_us: int, to_us: int, cause: str) -> str | None:
        """Account for the hole before a new segment: a row above two seconds, the text of a seam note below."""
        code = code_of_break(cause)
        if self._open is not None:
            self.end(to_us)
            return None
        if to_us - from_us > SEAM_US:
            self._row(from_us, to_us, code)
            return None
        return f"seam:{code}"

    def _row(self, from_us: int, to_us: int | None, code: str) -> str:
        self._recent = [at for at in self._recent if from_us - at < HOUR_US]
        if len(self._recent) >= ROWS_PER_HOUR and self._last_id is not None:
            self._index.write((
                "UPDATE gaps SET flaps=flaps+1, to_us=?, version=version+1 WHERE id=?", (to_us, self._last_id)
            ))  # fmt: skip
            return self._last_id
        self._recent.append(from_us)
        self._last_id = str(new_id())
        self._index.write((
            "INSERT INTO gaps (id, camera, from_us, to_us, cause, code) VALUES (?,?,?,?,?,?)",
            (self._last_id, self._camera, from_us, to_us, CAUSES[code], code),
        ))  # fmt: skip
        return self._last_id
