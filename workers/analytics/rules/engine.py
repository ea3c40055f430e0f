"""The fold at the heart of analytics: `step(state, observation, config) → (state, events)`.

Deterministic: the same observations give the same events and keys, whole or split at any point with the state kept.
The state is handed over, not copied: the one passed in is the caller's no more.
"""

from dataclasses import dataclass, field
from typing import Any

from workers.analytics.observation import Obj, Observation
from workers.analytics.rules import line_cross, scene, visits, wrong_way
from workers.analytics.rules.config import CameraConfig, Rule
from workers.analytics.rules.events import Event
from workers.analytics.rules.ground import Space
from workers.analytics.rules.moment import Ledger, Moment
from workers.analytics.rules.schedule import is_armed
from workers.analytics.rules.shake import HOLD_S, MIN_TRACKS, SHARE, Shake
from workers.analytics.rules.tracks import GRACE_S, Track

FREEZE_GAP_S, RESET_GAP_S = 2.0, 10.0
MINUTE_NS = 60_000_000_000

JUDGES = {
    "wrong_way": wrong_way.judge, "zone_enter": visits.enter, "dwell": visits.dwell, "line_cross": line_cross.judge,
}
LEAVERS: dict[str, Any] = {"wrong_way": wrong_way.leave, "zone_enter": visits.leave, "dwell": visits.leave}
SCENES = {"crowd": scene.crowd, "tamper": scene.tamper}


@dataclass(slots=True)
class State:
    """All that is remembered of one camera. It can be pickled between two observations."""

    epoch: int
    last_pts: int
    clock: float = 0.0
    tracks: dict[str, Track] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    shake: Shake = field(default_factory=Shake)
    scenes: dict[tuple[str, str], Any] = field(default_factory=dict)
    armed_minute: tuple[int, int] = (-1, -1)
    armed: frozenset[str] = frozenset()


def step(state: State | None, observation: Observation, config: CameraConfig) -> tuple[State, tuple[Event, ...]]:
    """Judge one observation. A new epoch forgets everything; a gap over 2 s stops the rule clock, over 10 s resets."""
    if state is None or state.epoch != observation.epoch:
        state = State(observation.epoch, observation.pts_ns)
    elapsed = (observation.pts_ns - state.last_pts) / 1e9
    state.last_pts = observation.pts_ns
    space = Space(observation.size[0] / observation.size[1], config.ground)
    moment = Moment(state.clock, observation, space, state.ledger, state.tracks)
    if elapsed > RESET_GAP_S:
        _close_all(state, config, moment, "reset")
        state.scenes.clear()
    elif elapsed > FREEZE_GAP_S:
        for track in state.tracks.values():
            track.forget_motion()
    else:
        state.clock += elapsed
        moment.now = state.clock
    _arm(state, observation, config)
    _judge_scene(state, config, moment)
    if observation.preset is None:
        _close_all(state, config, moment, "camera_moved")
    else:
        _judge_tracks(state, config, moment)
    return state, tuple(moment.events)


def _arm(state: State, observation: Observation, config: CameraConfig) -> None:
    """The weekly calendar is the one thing that needs the wall clock; every duration runs on presentation time."""
    minute = (observation.wall_ns // MINUTE_NS, config.version)
    if minute != state.armed_minute:
        armed = (rule.signature for rule in config.rules if is_armed(rule.schedule, observation.wall_ns, config.zone))
        state.armed_minute, state.armed = minute, frozenset(armed)


def _judge_scene(state: State, config: CameraConfig, moment: Moment) -> None:
    for rule in config.rules:
        judge = SCENES.get(rule.kind)
        if judge is None or (rule.kind == "crowd" and moment.observation.preset is None):
            continue
        for region in rule.regions:
            judge(rule, region, state.scenes, moment, rule.signature in state.armed)


def _judge_tracks(state: State, config: CameraConfig, moment: Moment) -> None:
    present = _update_tracks(state, config, moment)
    quality = moment.observation.quality
    scene_sim = quality.scene_sim if quality else None
    if not state.shake.update(present, moment.now, moment.space.aspect, scene_sim):
        for rule in config.rules:
            judge = JUDGES.get(rule.kind)
            if judge is not None:
                armed = rule.signature in state.armed
                for region in rule.regions:
                    for track in present:
                        judge(rule, region, track, moment, armed)
    lost = [track for track in state.tracks.values() if moment.now - track.seen > GRACE_S]
    for track in lost:
        del state.tracks[track.id]
        _close(track, config, moment, "lost")


def _update_tracks(state: State, config: CameraConfig, moment: Moment) -> list[Track]:
    """Add the sightings; what jumped is another thing under the same number, and starts again."""
    seen = [obj for obj in moment.observation.objects if obj.track is not None]
    jumped = _jumped(state, seen, moment)
    present = []
    for obj in seen:
        track_id = obj.track or ""
        if track_id in jumped:
            _close(state.tracks.pop(track_id), config, moment, "broken")
        track = state.tracks.get(track_id)
        if track is None:
            track = state.tracks[track_id] = Track(track_id, moment.now)
        track.see(obj, moment.space, moment.now, moment.observation.pts_ns)
        if track.samples and track.samples[-1].at == moment.now:
            present.append(track)
    return present


def _jumped(state: State, seen: list[Obj], moment: Moment) -> set[str]:
    """The tracks that break here; when most of them would at once it was the camera that jumped, and none does."""
    known = [(track, obj) for obj in seen if (track := state.tracks.get(obj.track or "")) is not None]
    jumped = {track.id for track, obj in known if track.breaks(obj, moment.space, moment.now)}
    if len(jumped) >= MIN_TRACKS and len(jumped) > SHARE * len(known):
        state.shake.until = moment.now + HOLD_S
    return set() if moment.now <= state.shake.until else jumped


def _close(track: Track, config: CameraConfig, moment: Moment, why: str) -> None:
    by_signature: dict[str, Rule] = {rule.signature: rule for rule in config.rules}
    for (signature, _), memory in track.memory.items():
        rule = by_signature.get(signature)
        leave = LEAVERS.get(rule.kind) if rule else None
        if rule and leave:
            leave(rule, track, memory, moment, why)


def _close_all(state: State, config: CameraConfig, moment: Moment, why: str) -> None:
    for track in state.tracks.values():
        _close(track, config, moment, why)
    state.tracks.clear()
