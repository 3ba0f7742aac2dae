"""Work that goes on after a kill: what a journal keeps, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seshat.core.errors import DataError, ProjectBusy
from seshat.core.journal import Journal, key_of

WORK = """
import sys
from pathlib import Path
from seshat.core.journal import Journal
with Journal(Path(sys.argv[1]), "count") as journal:
    for number in range(100_000):
        journal.put(str(number), number * number)
        print(number, flush=True)
"""


def test_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "work.jsonl"
    with Journal(path, "job") as journal:
        journal.put("a", 1)
        journal.put_all([("b", {"x": "ñ\ud800"}), ("c", None)])
    with Journal(path, "job") as journal:
        assert ("a" in journal, "d" in journal, len(journal)) == (True, False, 3)
        assert (journal.get("b"), journal.get("c"), journal.get("d")) == ({"x": "ñ\ud800"}, None, None)
        journal.put("a", 2)
        assert list(journal.values()) == [2, {"x": "ñ\ud800"}, None]
    with Journal(path, "job") as journal:
        assert journal.get("a") == 2
        journal.finish()
    assert not path.exists()


def test_without_a_job_any_result_counts(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('["a", 1]\n')
    with Journal(path, durable=True) as journal:
        journal.put("b", 2)
    assert path.read_text() == '["a", 1]\n["b", 2]\n'


@pytest.mark.parametrize("tail", ['["c", {"y"', '["c", 3]', "[", '{"job": "x"}\n', "nonsense\n"])
def test_half_a_line_costs_one_result(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "work.jsonl"
    with Journal(path, "job") as journal:
        journal.put_all([("a", 1), ("b", 2)])
    with path.open("a") as stream:
        stream.write(tail)
    with Journal(path, "job") as journal:
        assert (len(journal), journal.get("b"), journal.get("c")) == (2, 2, None)
        journal.put("c", 3)
    with Journal(path, "job") as journal:
        assert list(journal.values()) == [1, 2, 3]


def test_a_damaged_line_inside_is_told(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    path.write_text('["a", 1]\n["b", \n["c", 3]\n')
    with pytest.raises(DataError, match=r"work\.jsonl:2: this line is damaged"):
        Journal(path)
    assert path.read_text() == '["a", 1]\n["b", \n["c", 3]\n'


def test_another_job_is_refused_or_replaced(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    with Journal(path, "one") as journal:
        journal.put("a", 1)
    for other in ("two", ""):
        with pytest.raises(DataError, match="another job"):
            Journal(path, other)
    with Journal(path, "two", replace=True) as journal:
        assert "a" not in journal
        journal.put("b", 2)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"job": "two"}, ["b", 2]]


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_one_writer(tmp_path: Path) -> None:
    with Journal(tmp_path / "work.jsonl"), pytest.raises(ProjectBusy, match="another process"):
        Journal(tmp_path / "work.jsonl")
    Journal(tmp_path / "work.jsonl").close()


def test_threads_share_it(tmp_path: Path) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 50):
            journal.put(str(number), number)
            assert journal.get(str(number)) == number

    with Journal(tmp_path / "work.jsonl", "job") as journal:
        workers = [threading.Thread(target=work, args=(50 * number,)) for number in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    with Journal(tmp_path / "work.jsonl", "job") as journal:
        assert sorted(journal.values()) == list(range(400))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_it_loses_nothing_that_was_put(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    with subprocess.Popen([sys.executable, "-c", WORK, str(path)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        told = [0]
        for line in running.stdout:
            if line.endswith("\n"):
                told.append(int(line))
            if told[-1] == 200:
                running.kill()
    with Journal(path, "count") as journal:
        assert len(journal) > told[-1]
        assert journal.get("200") == 40_000


def test_a_disk_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        Journal(tmp_path / "file" / "work.jsonl")


def test_keys() -> None:
    assert key_of("a", {"x": 1, "y": 2}) == key_of("a", {"y": 2, "x": 1})
    assert key_of("a", "b") != key_of("ab", "")
    assert len(key_of("\ud800")) == 32
