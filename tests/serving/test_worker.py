"""The thread that owns the engines."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait

import pytest

from seshat.core.errors import DataError
from seshat.serving.worker import Busy, Stopping, Worker


class Gate:
    """Upper-cases; stands still until it is opened."""

    def __init__(self) -> None:
        self.open, self.entered = threading.Event(), threading.Event()
        self.batches: list[list[str]] = []

    def __call__(self, items: list[str]) -> list[str]:
        self.batches.append(items)
        self.entered.set()
        self.open.wait(10)
        if "bad" in items:
            raise DataError("That cannot be said.")
        return [item.upper() for item in items]


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def worker(gate: Gate) -> Iterator[Worker]:
    worker = Worker(queue=8, batch=4, gather=0)
    yield worker
    gate.open.set()
    assert worker.close(10)


def held(worker: Worker, gate: Gate) -> None:
    """Give the worker something that keeps it busy."""
    worker.submit("first", ["x"], gate, 10)
    assert gate.entered.wait(10)


def test_what_waits_is_done_together_and_everybody_gets_their_own(worker: Worker, gate: Gate) -> None:
    held(worker, gate)
    futures = [worker.submit("a", [f"t{n}"], gate, 10) for n in range(3)]
    other = worker.submit("b", ["u", "v"], gate, 10)
    futures.append(worker.submit("a", ["t3"], gate, 10))
    gate.open.set()
    assert [future.result(10) for future in futures] == [["T0"], ["T1"], ["T2"], ["T3"]]
    assert other.result(10) == ["U", "V"]
    assert gate.batches == [["x"], ["t0", "t1", "t2", "t3"], ["u", "v"]]


def test_a_full_queue_says_when_to_come_back(worker: Worker, gate: Gate) -> None:
    held(worker, gate)
    worker.submit("a", ["t"] * 7, gate, 10)
    with pytest.raises(Busy) as refused:
        worker.submit("a", ["t"] * 2, gate, 10)
    assert refused.value.retry_after >= 1
    worker.submit("a", ["t"], gate, 10)
    assert worker.waiting == 8


def test_one_bad_text_spoils_only_its_own_request(worker: Worker, gate: Gate) -> None:
    held(worker, gate)
    good, bad = worker.submit("a", ["good"], gate, 10), worker.submit("a", ["bad"], gate, 10)
    gate.open.set()
    assert good.result(10) == ["GOOD"]
    with pytest.raises(DataError):
        bad.result(10)


def test_nobody_waits_any_more(worker: Worker, gate: Gate) -> None:
    held(worker, gate)
    late, gone = worker.submit("a", ["late"], gate, 0), worker.submit("a", ["gone"], gate, 10)
    assert gone.cancel()
    last = worker.submit("a", ["last"], gate, 10)
    gate.open.set()
    assert last.result(10) == ["LAST"]
    with pytest.raises(CancelledError):
        late.result(10)
    assert ["last"] in gate.batches


def test_stopping_finishes_what_is_there_and_takes_nothing_new(worker: Worker, gate: Gate) -> None:
    held(worker, gate)
    waiting = worker.submit("a", ["waiting"], gate, 10)
    worker.refuse()
    with pytest.raises(Stopping):
        worker.submit("a", ["new"], gate, 10)
    assert not worker.close(0)  # it stands at the gate; what waited is told so
    with pytest.raises(Stopping):
        waiting.result(10)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signal masks on Windows")
def test_ctrl_c_does_not_reach_the_processes_of_an_engine(worker: Worker) -> None:
    shown = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"

    def start(_items: list[str]) -> list[str]:
        return [subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True).stdout]

    assert worker.submit("a", ["x"], start, 30).result(30) == ["True\n"]


def test_the_thread_survives_everything(worker: Worker, gate: Gate) -> None:
    def leave(_items: list[str]) -> list[str]:
        raise SystemExit

    with pytest.raises(SystemExit):
        worker.submit("a", ["x"], leave, 10).result(10)
    gate.open.set()
    assert worker.submit("a", ["y"], gate, 10).result(10) == ["Y"]


def test_many_threads(gate: Gate) -> None:
    gate.open.set()
    worker = Worker(queue=10_000, batch=16, gather=0.001)

    def ask(n: int) -> list[str]:
        answer: list[str] = worker.submit(n % 3, [f"t{n}"], gate, 10).result(10)
        return answer

    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(ask, n) for n in range(400)]
        wait(asked)
    assert [one.result() for one in asked] == [[f"T{n}"] for n in range(400)]
    assert worker.waiting == 0
    assert worker.close(10)


def test_a_long_job_is_done_piece_by_piece_and_others_come_in_between(worker: Worker, gate: Gate) -> None:
    held(worker, gate)
    bulk = worker.submit("a", ["x" * 1_500] * 4, gate, 10, client="bulk")
    small = [worker.submit("a", [f"s{n}"], gate, 10, client="small") for n in range(2)]
    gate.open.set()
    assert [one.result(10) for one in small] == [["S0"], ["S1"]]
    assert bulk.result(10) == ["X" * 1_500] * 4
    assert [len(batch) for batch in gate.batches[1:]] == [3, 1, 1, 1]  # the small ones go with the first piece
    assert worker.waiting == 0


def test_what_nobody_waits_for_is_given_up_between_two_pieces(worker: Worker, gate: Gate) -> None:
    held(worker, gate)
    bulk = worker.submit("a", ["x" * 1_500] * 6, gate, 10, client="bulk")
    other = worker.submit("b", ["y"], gate, 10, client="other")
    gate.open.set()
    assert other.result(10) == ["Y"]
    assert bulk.cancel() or bulk.done()
    assert worker.submit("a", ["z"], gate, 10).result(10) == ["Z"]
    assert worker.waiting == 0


def test_who_would_wait_too_long_is_told_so(gate: Gate) -> None:
    worker = Worker(queue=1_000, batch=4, gather=0)
    worker._pace = 0.01  # seconds a character
    held(worker, gate)
    worker.submit("a", ["x" * 900], gate, 10, client="bulk")
    with pytest.raises(Busy) as refused:  # its own work alone keeps it waiting
        worker.submit("a", ["y"], gate, 10, client="bulk")
    assert 5 <= refused.value.retry_after <= 10
    waiting = [worker.submit("a", ["y" * 20], gate, 10, client="small") for _ in range(4)]  # others get their share
    gate.open.set()
    assert [one.result(10) for one in waiting] == [["Y" * 20]] * 4
    assert worker.close(10)
