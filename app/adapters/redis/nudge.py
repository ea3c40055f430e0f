"""Wake-ups over Redis publish/subscribe."""

from __future__ import annotations

import redis

TIMEOUT_S = 0.5


class RedisNudge:
    """Publishes to whoever listens; a slow or absent server costs at most half a second and raises."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S)

    def publish(self, channel: str, message: bytes) -> None:
        self._client.publish(channel, message)

    def ping(self) -> str:
        """The server's version. Raises `redis.RedisError`."""
        facts = self._client.info("server")
        return str(facts.get("valkey_version") or facts.get("redis_version"))
