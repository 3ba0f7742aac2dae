"""All queues: every module of this package declares one, called ``QUEUE``."""

from __future__ import annotations

import importlib
import pkgutil

from seshat.core.errors import UsageError
from seshat.review.queue import Queue


def queues() -> dict[str, Queue]:
    """Every queue by its name."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.QUEUE.name: module.QUEUE for module in modules}


def queue(name: str) -> Queue:
    """A queue by its name.

    Raises:
        UsageError: there is none of that name.
    """
    known = queues()
    if name not in known:
        raise UsageError(f"There is no review queue '{name}', only {', '.join(known)}.")
    return known[name]
