"""Where the keys of a namespace are on a Redis Cluster: all on one node, or the scripts do not work."""

from typing import Any

import redis


class NoPlaceForKeys(Exception):
    """Raised when a process is to start on a cluster with a namespace that spreads its keys over several nodes."""


def require_place(client: redis.Redis, namespace: str) -> None:
    """Checks that a namespace has a hash tag if Redis is a cluster; who may not ask is believed.

    Raises:
        NoPlaceForKeys: says what to set.
    """
    try:
        info: Any = client.info("cluster")
    except redis.ResponseError:
        return
    if info.get("cluster_enabled") and "{" not in namespace:
        raise NoPlaceForKeys(
            f"Redis is a cluster, and the namespace {namespace!r} has no hash tag, which keeps all keys on one node: "
            f"set INTERLOCK_NAMESPACE to {{{namespace}}}, for producers and consumers too"
        )
