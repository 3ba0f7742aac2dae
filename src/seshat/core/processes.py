"""Several processes: which is the first, and workers that end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from typing import Any

from seshat.core.errors import UsageError


def is_main_process() -> bool:
    """Whether this is the only process of a training, or the first of those that a launcher started.

    ``accelerate launch`` and ``torchrun`` number them. The first alone writes, draws progress and logs.
    """
    return os.environ.get("RANK", "0") == "0"


def process_count() -> int:
    """How many processes a launcher has started for one training; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def alone(what: str) -> None:
    """Refuse to do in several processes what one does.

    Raises:
        UsageError: a launcher has started several.
    """
    if process_count() > 1:
        raise UsageError(
            f"{what} works in one process, and a launcher has started {process_count()}.",
            "Several processes are for the fine-tuning of a base model: accelerate launch -m seshat train",
        )


def wait_for_all() -> None:
    """Wait until all processes of a training are here."""
    if process_count() > 1:
        import torch

        if torch.distributed.is_initialized():
            torch.distributed.barrier()


def leave_with_parent() -> None:
    """Make this worker end when its parent does, however it does: the ``initializer`` of a pool.

    A pool tells its workers to stop when it is closed. When its process is killed nobody tells them, and they would
    wait for work, with all their memory, until somebody finds them.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: Any) -> None:
    parent.join()
    os._exit(1)
