"""Several processes: which is the first, and workers that end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from typing import Any


def is_main_process() -> bool:
    """Whether this is the only process of a training, or the first of those that a launcher started.

    ``accelerate launch`` and ``torchrun`` number them. The first alone writes, draws progress and logs.
    """
    return os.environ.get("RANK", "0") == "0"


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
