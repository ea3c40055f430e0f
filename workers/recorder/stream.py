"""One thread per stream: opens the source, survives it, and publishes its fragments."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.recorder.backoff import Backoff, ConnectGate
from workers.recorder.clock import SECOND, Clock, RunClock
from workers.recorder.demo import DemoSource, Director, find_scene
from workers.recorder.derive import prepared
from workers.recorder.errors import SourceError, code_of, describe
from workers.recorder.hub import Hub
from workers.recorder.networks import NetworkPolicy
from workers.recorder.packager import Packager
from workers.recorder.parameters import sequence_set, template_of
from workers.recorder.sources import FileSource, NetworkSource, Source, SourceSpec, family_of, local_path

log = logging.getLogger(__name__)
OFFLINE_US = 10 * SECOND
JUMP_S = 1.0
MOST_OF_ONE_TIME = 8
PACKAGED = frozenset({"h264", "h265", "mjpeg", "mpeg4", "av1", "vp9"})
NO_KEYFRAME_US = 10 * SECOND
_FPS_WINDOW_US = 5 * SECOND


@dataclass
class Surroundings:
    """What every stream of a recorder shares."""

    policy: NetworkPolicy
    derived_dir: Path
    scene_roots: tuple[Path, ...] = ()
    clock: Clock = field(default_factory=Clock)
    director: Director = field(default_factory=Director)
    gate: ConnectGate = field(default_factory=ConnectGate)
    backoff: Callable[[], Backoff] = Backoff


class Stream:
    """Pulls one source for ever; its hub carries what came out."""

    def __init__(self, name: str, spec: SourceSpec, around: Surroundings) -> None:
        self.name, self.spec = name, spec
        self.hub = Hub()
        self.error_code: str | None = None
        self.derived = False
        self.reconnects = self.bytes_in = self.packets = 0
        self.last_packet_us: int | None = None
        self.fps = 0.0
        self._around = around
        self._stop = threading.Event()
        self._turn = threading.Event()
        self._thread: threading.Thread | None = None
        self._packager: Packager | None = None
        self._time = RunClock(around.clock)
        self._template: Any = None
        self._parameters: bytes | None = None
        self._family = ""
        self._epoch = self._seq = self._shift = 0
        self._last_dts = self._muxed_dts = self._longest_step = 0
        self._last_packet: Any = None
        self._cause = "start"
        self._waiting_since: int | None = None
        self._since_mono = around.clock.mono_us()
        self._last_mono: int | None = None
        self._window = (self._since_mono, 0)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"pull-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; a read in progress may hold it for a few seconds more."""
        self._stop.set()
        self._turn.set()

    def change(self, spec: SourceSpec) -> None:
        """Leave the present source for another one; the hub and its readers stay."""
        self.spec = spec
        self._turn.set()

    def join(self, timeout: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout)

    def state(self) -> str:
        """`online`, `offline` or `connecting`, judged by packets and by nothing the source claims."""
        now = self._around.clock.mono_us()
        if self._last_mono is not None and now - self._last_mono <= OFFLINE_US:
            return "online"
        silent = now - (self._last_mono or self._since_mono) > OFFLINE_US
        return "offline" if silent or self.error_code is not None else "connecting"

    def _run(self) -> None:
        backoff = self._around.backoff()
        while not self._stop.is_set() and self._around.gate.wait(self._stop):
            opened = self._around.clock.mono_us()
            code = self._turn_at_source()
            if code is None:
                self._end_epoch("update")
                continue
            self._fail(code)
            played = (self._last_mono or opened) - opened
            self._turn.wait(backoff.delay(code, played / SECOND))
            self.reconnects += 1
        self._end_epoch("shutdown")

    def _turn_at_source(self) -> str | None:
        """Pull until the source fails (its code) or somebody asks for another turn (None)."""
        self._turn.clear()
        if self._stop.is_set():
            return None
        try:
            self._pull()
        except Exception as error:
            if self._turn.is_set():
                return None
            log.warning("stream %s failed: %s", self.name, describe(error))
            return code_of(error)
        return None if self._turn.is_set() else "unreachable"

    def _fail(self, code: str) -> None:
        self.error_code = code
        self._end_epoch(code)
        self.hub.set_state(self.state())

    def _pull(self) -> None:
        source = self._open()
        try:
            self._adopt(source.template)
            self._waiting_since = None
            for packet in source.packets():
                if self._turn.is_set():
                    return
                # Stored clips carry no in-band parameter sets, so there the source itself says that they changed.
                if self._parameters is None and source.template is not self._template and packet.is_keyframe:
                    self._end_epoch("codec_change")
                    self._adopt(source.template)
                self._take(packet)
        finally:
            source.close()

    def _open(self) -> Source:
        around, spec = self._around, self.spec
        if spec.kind == "demo":
            scene = find_scene(around.scene_roots, spec.url.removeprefix("demo:"))
            return DemoSource(self.name, scene, around.director, self._turn)
        if spec.kind == "file":
            if not around.policy.files:
                raise SourceError("file_not_allowed")
            path, self.derived = prepared(local_path(spec.url), around.derived_dir, self._turn)
            return FileSource(path, self._turn)
        return NetworkSource(around.policy.resolve(spec.url), self._turn)

    def _adopt(self, template: Any) -> None:
        self._template, self._family = template, family_of(template)
        if self._family not in PACKAGED:
            raise SourceError("unsupported_codec")
        extradata = template.codec_context.extradata or b""
        self._parameters = sequence_set(extradata, self._family)

    def _take(self, packet: Any) -> None:
        """Mux one packet, which is a whole frame: the demuxer puts slices together however slowly they came."""
        clock = self._around.clock
        self._count(packet.size, clock.mono_us())
        dts = packet.dts
        if self._packager is not None:
            if dts == self._last_dts and bytes(packet) == bytes(self._last_packet):
                return  # sent twice: it is recorded, and decoding it twice would spoil the frames that refer to it
            if self._jumped(dts):
                self._end_epoch("dts_discontinuity")
        if packet.is_keyframe:
            self._follow_parameters(packet)
        if self._packager is None and not self._begin(packet, clock):
            return
        wall = self._time.read()
        if self._time.stepped:
            self._end_epoch("clock_step")
            return
        self._last_dts, self._last_packet = dts, packet
        self._shift_times(packet, dts)
        assert self._packager is not None
        self._packager.mux(packet, wall)

    def _shift_times(self, packet: Any, dts: int) -> None:
        """Move the times to those of the epoch; two frames of one time, which no muxer takes, end up one tick apart."""
        pts = packet.pts
        packet.dts = self._muxed_dts = dts = max(dts + self._shift, self._muxed_dts + 1)
        packet.pts = dts if pts is None else max(pts + self._shift, dts)

    def _count(self, size: int, mono: int) -> None:
        self.bytes_in += size
        self.packets += 1
        self._last_mono = mono
        self.last_packet_us = self._around.clock.wall_us()
        since, seen = self._window
        if mono - since >= _FPS_WINDOW_US:
            self.fps = round((seen + 1) * SECOND / (mono - since), 2)
            self._window = (mono, 0)
        else:
            self._window = (since, seen + 1)
        if self.error_code is not None and self.error_code != "no_keyframe":
            self.error_code = None
        self.hub.set_state("online")

    def _jumped(self, dts: int) -> bool:
        """Time went back, leapt, or stands still: a file whose time does not pass would never be cut."""
        stands_still = self._muxed_dts - self._shift - dts >= MOST_OF_ONE_TIME
        return stands_still or not 0 <= dts - self._last_dts <= self._longest_step

    def _follow_parameters(self, packet: Any) -> None:
        """A sequence parameter set that differs from the announced one begins a new epoch described by itself."""
        if self._family not in ("h264", "h265"):
            return
        found = sequence_set(bytes(packet), self._family)
        if found is None or found == self._parameters:
            return
        if self._parameters is not None:
            self._end_epoch("codec_change")
            self._template = template_of(bytes(packet), self._family)
        self._parameters = found

    def _begin(self, packet: Any, clock: Clock) -> bool:
        if not packet.is_keyframe:
            now = clock.mono_us()
            self._waiting_since = self._waiting_since or now
            if now - self._waiting_since > NO_KEYFRAME_US:
                self.error_code = "no_keyframe"
            return False
        self._waiting_since, self.error_code = None, None
        self._epoch += 1
        self._time = RunClock(clock)
        ticks = round(1 / packet.time_base)
        self._shift, self._longest_step = ticks - packet.dts, round(ticks * JUMP_S)
        self._muxed_dts = 0
        self._packager = Packager(
            self._template, epoch=self._epoch, first_seq=self._seq, cause=self._cause,
            on_init=self.hub.publish_init, on_fragment=self.hub.publish,
        )  # fmt: skip
        return True

    def _end_epoch(self, cause: str) -> None:
        packager, self._packager = self._packager, None
        if packager is None:
            return
        self._cause = cause
        try:
            packager.close()
        except Exception as error:
            log.warning("stream %s: closing an epoch failed: %s", self.name, describe(error))
        self._seq = packager.seq
