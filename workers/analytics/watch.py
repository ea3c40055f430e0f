"""One camera under watch: each frame is seen, judged and told, and its vehicles are offered to the reading desk."""

from workers.analytics.configuration import CameraSetup, Setup
from workers.analytics.items import CONTEXT_WIDTH, Teller
from workers.analytics.observation import Border, Box
from workers.analytics.pictures import Picture, crop, sharpness, shrink
from workers.analytics.plates.desk import Candidate, PlateDesk, candidate_score
from workers.analytics.producers.cpu import CpuEye, Identity, Look
from workers.analytics.producers.frames import Frame
from workers.analytics.rules.engine import State, step

VEHICLE_MARGIN = 0.06
MIN_VEHICLE_PX = 110
"""A plate is a fifth of a car's width; in a narrower picture its characters have too few pixels to be told apart."""


class Watch:
    """Used from one thread; `apply` changes what is asked of the camera without losing what is remembered."""

    def __init__(self, setup: Setup, camera: CameraSetup, desk: PlateDesk, teller: Teller) -> None:
        self._desk, self._teller, self._border = desk, teller, Border()
        self._key = str(camera.id)
        identity = Identity(camera.id, setup.session, camera.stream, setup.epoch)
        self._eye = CpuEye(identity, camera.lanes, sees_motion=camera.sees_motion)
        self._camera = camera
        self._state: State | None = None
        self.last_pts_ns = 0

    def apply(self, camera: CameraSetup) -> None:
        self._camera = camera
        self._eye.lanes, self._eye.sees_motion = camera.lanes, camera.sees_motion

    def process(self, frame: Frame) -> None:
        look = self._eye.look(frame, self._camera.rules.version)
        observation = self._border.admit(look.observation)
        if observation is None:
            return
        self.last_pts_ns = observation.pts_ns
        self._state, events = step(self._state, observation, self._camera.rules)
        for event in events:
            self._teller.event(event, frame)
        if self._camera.plates:
            self._offer(look, frame, observation.pts_ns / 1e9)

    def end(self) -> None:
        """The source is over for good: what is being followed is gone."""
        for follow in self._eye.follows():
            self._desk.ended(self._key, follow, self.last_pts_ns / 1e9, "lost")

    def _offer(self, look: Look, frame: Frame, at: float) -> None:
        luma, colour, context = frame.luma(), None, None
        for track, box in look.vehicles:
            if box.width * frame.width < MIN_VEHICLE_PX:
                continue
            score = candidate_score(box, frame.width, frame.height, sharpness(crop(luma, box)))
            if not self._desk.wants(self._key, track, at, score):
                continue
            if colour is None or context is None:
                colour = frame.colour()
                context = shrink(colour, CONTEXT_WIDTH)
            self._desk.offer(self._key, track, _candidate(frame, at, score, box, colour, context))
        for track, how in look.ended:
            self._desk.ended(self._key, track, at, how)
        self._desk.passed(self._key, at)


def _candidate(frame: Frame, at: float, score: float, box: Box, colour: Picture, context: Picture) -> Candidate:
    grown = box.grown(VEHICLE_MARGIN)
    return Candidate(at, frame.wall_ns, score, grown, crop(colour, grown), context)
