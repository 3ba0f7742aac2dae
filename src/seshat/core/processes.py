"""Several processes: which is the first, and workers that end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from multiprocessing.context import SpawnContext, SpawnProcess
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


class _Worker(SpawnProcess):
    def start(self) -> None:
        main = vars(sys.modules["__main__"])
        known: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
        main["__file__"] = main["__spec__"] = None
        try:
            super().start()
        finally:
            del main["__file__"], main["__spec__"]
            main.update(known)


class FreshProcesses(SpawnContext):
    """Starts processes afresh that import what they are sent, and never the program that started them.

    Python's own context imports the main program again in every worker: a script without ``if __name__ ==
    "__main__"`` would begin anew in each. Workers here are sent nothing but functions of Seshat.
    """

    Process = _Worker


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
