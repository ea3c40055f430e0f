"""In-process domain events: how a low context tells a high one, in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

Event = TypeVar("Event")

_subscribers: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(event_type: type[Event], handler: Callable[[Event], None]) -> None:
    """Call `handler` for every published `event_type`; the factory alone does this, once per process."""
    if handler not in _subscribers[event_type]:
        _subscribers[event_type].append(handler)


def publish(event: object) -> None:
    """Run the subscribers of `event` now, inside the open transaction; a failing one fails the use case."""
    for handler in _subscribers[type(event)]:
        handler(event)
