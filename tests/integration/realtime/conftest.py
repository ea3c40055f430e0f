"""A hub on the real database whose Redis is a list: what units publish is handed to it, or withheld."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from app.http.hub import Event, Hub, Stream
from app.kernel import stream as told
from app.kernel.unit_of_work import unit_of_work
from tests.support.world import OURS, World, actor, configured

ROOM = frozenset({"all", "room"})


@pytest.fixture
def world(database_urls: dict[str, str]) -> Iterator[World]:
    with configured(database_urls) as made:
        yield made


@dataclass
class Wire:
    """Nudges on their way; `deliver` hands them to the hub."""

    world: World
    hub: Hub
    messages: queue.SimpleQueue[tuple[str, bytes]] = field(default_factory=queue.SimpleQueue)

    def tell(self, count: int = 1, *, tenant_id: int = OURS, audience: str = "room", deliver: bool = True) -> None:
        """Commit events, each in its own unit, and deliver their nudges unless they are to be lost."""
        for _ in range(count):
            with unit_of_work(actor(tenant_id)):
                told.append(
                    "alarm.raised", "alarma/1", {"id": "x", "priority": 1, "camera_name": "Plaza"}, audience=audience
                )
        sent, self.world.nudge.sent = self.world.nudge.sent, []
        for channel, body in sent if deliver else ():
            self.hub.take(channel, body)


@pytest.fixture
def hub(world: World) -> Hub:
    silent: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    made = Hub(lambda: world.databases.engine("rt"), lambda: iter(silent.get, None), limit=3)
    made._started = True  # its four duties are called by the tests themselves
    return made


@pytest.fixture
def wire(world: World, hub: Hub) -> Wire:
    return Wire(world, hub)


def numbers(stream: Stream) -> list[object]:
    """What waits in a stream: numbers of events, or the marks."""
    found: list[object] = []
    while (thing := stream.take(0)) is not None:
        found.append(thing.seq if isinstance(thing, Event) else thing)
    return found
