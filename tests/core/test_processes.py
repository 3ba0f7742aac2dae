"""Workers end with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

POOL = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from seshat.core.processes import leave_with_parent

if __name__ == "__main__":
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=leave_with_parent)
    pids = {pool.submit(os.getpid).result()}
    print(*pids, flush=True)
    time.sleep(60)
"""


def test_killed_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    worker = int(process.stdout.readline().split()[0])
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while _lives(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    alive = _lives(worker)
    if alive:
        os.kill(worker, signal.SIGKILL)
    assert not alive


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended and that nobody has collected is not alive.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def test_workers_do_not_begin_the_program_anew(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import operator\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from seshat.core.processes import FreshProcesses\n"
        "print('begun')\n"
        "with ProcessPoolExecutor(2, mp_context=FreshProcesses()) as pool:\n"
        "    print(list(pool.map(operator.neg, range(4))), __file__ is not None)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["begun", "[0, -1, -2, -3] True", ""]
