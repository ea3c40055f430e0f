"""One source from beginning to end in one thread, nothing dropped: manual runs, tests and measurements."""

from collections.abc import Callable, Mapping
from typing import Any

from workers.analytics.blobs import BlobFolder
from workers.analytics.configuration import Setup
from workers.analytics.items import Teller
from workers.analytics.plates.desk import PlateDesk
from workers.analytics.plates.reader import PlateReader
from workers.analytics.producers.frames import Throttle, from_url
from workers.analytics.watch import Watch

UNBOUNDED = 1e9


def analyse(setup: Setup, url: str, say: Callable[[Mapping[str, Any]], None], *, pace: bool = False,
            reader: Callable[[], Any] = PlateReader) -> int:
    """Analyse the one camera of the configuration over `url`; the number of frames looked at."""
    (camera,) = setup.cameras.values()
    teller = Teller(say, BlobFolder(setup.blobs), session=setup.session, epoch=setup.epoch, run=setup.run,
                    context_images=setup.context_images)
    desk = PlateDesk(reader, teller.plate, UNBOUNDED)
    watch, throttle, looked = Watch(setup, camera, desk, teller), Throttle(camera.fps), 0
    for frame in from_url(url, pace=pace, keyframes_only=not camera.sees_motion):
        if throttle.takes(frame.pts_ns):
            watch.process(frame)
            looked += 1
            while desk.run_once():
                pass
    watch.end()
    while desk.run_once():
        pass
    return looked
