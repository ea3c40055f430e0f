"""What other processes say over Redis publish/subscribe, as an endless iterator."""

from __future__ import annotations

from collections.abc import Iterator

import redis

PATTERNS = ("rt:*", "session:revoked")


class RedisListener:
    """Calling it subscribes and yields (channel, body) until the server goes away, which raises."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self) -> Iterator[tuple[str, bytes]]:
        # The health check finds a server that vanished without closing the connection.
        with (
            redis.Redis.from_url(self._url, health_check_interval=10, socket_connect_timeout=2) as client,
            client.pubsub(ignore_subscribe_messages=True) as channel,
        ):
            channel.psubscribe(*PATTERNS)
            for message in channel.listen():
                yield message["channel"].decode(), message["data"]
