"""Ray: work over several processes or machines."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from seshat.core.errors import require
from seshat.core.trust import asked_for

T = TypeVar("T")
R = TypeVar("R")

_STORE = 256 * 2**20
"""Bytes of Ray's own memory on this machine; texts are small."""
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray would tell its makers about this run
    "RAY_DATA_LOG_LEVEL": "ERROR",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}


@contextmanager
def cluster(address: str | None, workers: int | None, purpose: str) -> Iterator[Any]:
    """Ray, on this machine or where the address says; one that runs already is left as it is.

    Args:
        address: of a cluster; ``None`` for one on this machine, for the time of the block.
        workers: processes of that one; ``None`` for one a processor.
        purpose: what it is needed for.

    Raises:
        MissingPackage: Ray is not installed.
        UsageError: nobody on this machine has allowed the address, which a file of the project names.
    """
    os.environ.update(_ENVIRONMENT)
    ray = require("ray", extra="scale", purpose=purpose)
    if ray.is_initialized():
        yield ray
        return
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False, "configure_logging": False}
    if address is None:
        here = {"object_store_memory": _STORE, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        ray.init(num_cpus=workers, **here, **quiet)
    else:
        ray.init(address=asked_for(address), **quiet)
    try:
        yield ray
    finally:
        ray.shutdown()


def in_order(
    ray: Any, function: Callable[[Any, list[T]], list[R]], shared: Any, items: Iterable[T], size: int
) -> Iterator[tuple[T, R]]:
    """Each item with what a function of many says of it, in the order of the items; few of them are in memory at once.

    Args:
        ray: what :func:`cluster` gives.
        function: of ``shared`` and a list of items; gives a list as long.
        shared: goes to every machine once.
        items: what to work on.
        size: items of a task.
    """
    remote, there, items = ray.remote(function), ray.put(shared), iter(items)
    most = 2 * int(ray.cluster_resources().get("CPU", 1))
    waiting: deque[tuple[list[T], Any]] = deque()
    while part := list(islice(items, size)):
        waiting.append((part, remote.remote(there, part)))
        if len(waiting) > most:
            yield from _finished(ray, waiting)
    while waiting:
        yield from _finished(ray, waiting)


def _finished(ray: Any, waiting: deque[tuple[list[T], Any]]) -> Iterator[tuple[T, Any]]:
    part, running = waiting.popleft()
    yield from zip(part, ray.get(running), strict=True)
