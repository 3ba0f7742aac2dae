"""Many texts at once: batches, their order, and jobs that are killed and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.small_project import trained_project
from typer.testing import CliRunner, Result

from seshat.cli.app import app
from seshat.config import Direction
from seshat.config.mbr import MbrSection
from seshat.inference.batch import batch_size, batches, in_order, size, translate_all
from seshat.inference.chain import Chain
from seshat.inference.mbr import Consensus
from seshat.inference.partial import translate_file
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.prompt.request import Request, document, requests

TEXTS = st.lists(st.text(alphabet="ab ñழ", max_size=30), max_size=40)


class Upper(Translator):
    """Translates into capitals and remembers its batches."""

    name, direction = "upper", Direction("xx", "yy")

    def __init__(self, batch_size: int | None = None) -> None:
        self.batches: list[list[str]] = []
        self.batch_size = batch_size

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts, n_best = [one.text for one in requests], max(one.n_best for one in requests)
        self.batches.append(list(texts))
        others = tuple(Candidate(f"other {n}", -2.5 - n) for n in range(n_best - 1))
        return [Hypothesis(text.upper(), -1.5, others, ("names: x",), 0.25) for text in texts]


@given(TEXTS, st.integers(1, 9), st.integers(1, 60))
def test_batches_hold_every_text_once_and_no_more_than_there_is_room_for(
    texts: list[str], most: int, tokens: int
) -> None:
    made = list(batches(requests(texts), most, tokens))
    assert sorted(place for batch in made for place in batch) == list(range(len(texts)))
    sizes = [[size(texts[place]) for place in batch] for batch in made]
    assert all(len(batch) <= most for batch in made)
    assert all(len(batch) == 1 or max(batch) * len(batch) <= tokens for batch in sizes)
    flat = [one for batch in sizes for one in batch]
    assert flat == sorted(flat, reverse=True)


@given(TEXTS, st.integers(1, 9))
def test_order_is_restored_and_what_repeats_is_translated_once(texts: list[str], most: int) -> None:
    upper = Upper()
    done: list[float] = []
    found = in_order(translate_all(upper, requests(texts), batch=most, advance=done.append), len(texts))
    assert [one.text for one in found] == [text.upper() for text in texts]
    asked = [text for batch in upper.batches for text in batch]
    assert sorted(asked) == sorted(set(texts))
    assert sum(done) == len(texts)


def test_what_repeats_after_other_sentences_is_translated_again_where_they_are_read() -> None:
    asked = list(document(["yes", "no", "yes", "no", "yes"]))
    for context, times in ((0, 2), (1, 3), (2, 4)):
        upper = Upper()
        upper.context = context
        assert len(in_order(translate_all(upper, asked), 5)) == 5
        assert sum(map(len, upper.batches)) == times


def test_an_engine_says_how_much_it_wants_at_a_time() -> None:
    assert batch_size(Chain(Upper(batch_size=3))) == 3
    assert batch_size(Consensus([Upper(), Chain(Upper(batch_size=7))], MbrSection())) == 7
    assert batch_size(Upper()) == 256


def upper(asked: Sequence[Request]) -> Iterator[tuple[int, Hypothesis]]:
    return translate_all(Upper(), asked, batch=2)


def show(number: int, text: str, hypothesis: Hypothesis) -> str:
    assert hypothesis.changes == ("names: x",)
    assert hypothesis.agreement == 0.25
    return f"{number} {text} {hypothesis.text} {len(hypothesis.alternatives)}\n"


class TestPartial:
    def test_only_what_is_left_is_translated(self, tmp_path: Path) -> None:
        output, texts = tmp_path / "out.txt", requests(["a", "bbbbbbbbb", "", "dddd", "a"], n_best=2)

        def breaks(part: Sequence[Request]) -> Iterator[tuple[int, Hypothesis]]:
            for number, found in enumerate(upper(part)):
                if number == 3:
                    raise KeyboardInterrupt
                yield found

        with pytest.raises(KeyboardInterrupt):
            translate_file(breaks, texts, output, "job", show)
        partial = tmp_path / "out.txt.partial"
        assert not output.exists()
        assert len(partial.read_text().splitlines()) == 1 + 3
        with partial.open("a") as stream:
            stream.write('["4", {"source"')  # killed while it wrote
        asked: list[Request] = []

        def rest(part: Sequence[Request]) -> Iterator[tuple[int, Hypothesis]]:
            asked.extend(part)
            return upper(part)

        assert translate_file(rest, texts, output, "job", show) == 3
        assert len(asked) == 2
        whole = tmp_path / "whole.txt"
        translate_file(upper, texts, whole, "job", show, window=2)
        assert output.read_bytes() == whole.read_bytes()
        assert whole.read_text().splitlines()[1] == "1 bbbbbbbbb BBBBBBBBB 1"
        assert [path.name for path in sorted(tmp_path.iterdir())] == ["out.txt", "whole.txt"]

    @pytest.mark.parametrize(
        ("job", "asked", "known"),
        [
            ("job", requests("ac", 2), 1),
            ("job", requests("ab", 2), 2),
            ("job", requests("ab", 1), 0),
            ("job", list(document("ab", 2)), 1),
            ("other", requests("ab", 2), 0),
        ],
    )
    def test_another_job_or_another_text_counts_anew(
        self, tmp_path: Path, job: str, asked: list[Request], known: int
    ) -> None:
        output = tmp_path / "out.txt"

        def breaks(part: Sequence[Request]) -> Iterator[tuple[int, Hypothesis]]:
            yield from upper(part)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            translate_file(breaks, requests("ab", 2), output, "job", show)
        assert translate_file(upper, asked, output, job, show) == known
        assert [line.split()[2] for line in output.read_text().splitlines()] == [one.text.upper() for one in asked]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_project(tmp_path_factory.mktemp("small"))


def seshat(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["translate", "--project", str(project), *arguments])


def test_killed_in_the_middle_it_goes_on_with_what_is_left(project: Path, tmp_path: Path) -> None:
    words = ["mina", "tolo", "ruka", "sepo", "pali", "kumuna", "tekana", "basi", "dopa", "gelu"]
    lines = [f"{a.capitalize()} {b} {c}." for a in words for b in words for c in words]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n")
    output, partial = tmp_path / "out.txt", tmp_path / "out.txt.partial"
    arguments = ["-f", str(tmp_path / "in.txt"), "--set", "translate.batch=10"]
    command = [sys.executable, "-m", "seshat", "translate", "-p", str(project), *arguments, "-o", str(output)]
    running = subprocess.Popen(command, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not (partial.exists() and len(partial.read_bytes().splitlines()) >= 50):
            assert time.monotonic() < deadline
            assert running.poll() is None
            time.sleep(0.005)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert not output.exists()
    before = len(partial.read_bytes().splitlines()) - 1  # the first names the job
    assert 50 <= before < len(lines)
    done = seshat(project, *arguments, "-o", str(output))
    assert done.exit_code == 0, done.stderr
    kept = next(line for line in done.stderr.splitlines() if "an earlier run" in line)
    assert before - 1 <= int(kept.rsplit("lines=")[1].split()[0]) <= before
    assert output.read_text() == seshat(project, *arguments).stdout
    assert len(output.read_text().splitlines()) == len(lines)
    assert not partial.exists()


def test_settings_of_the_search(project: Path) -> None:
    shown = seshat(project, "Mina palina basi.", "--beams", "4", "--json", "--n-best", "8")
    assert "translate.decoding is left out" in shown.stderr
    found = json.loads(shown.stdout)
    assert found["alternatives"]
    assert all(other["score"] <= found["score"] for other in found["alternatives"])
    for arguments, message in (
        (["--engine", "llama"], "which llama cannot compute"),
        (["--engine", "llamma"], "llama"),
        (["--budget", "9h", "--no-mbr"], "for consensus decoding"),
        (["--beams", "0"], "translate.decoding.beams"),
    ):
        shown = seshat(project, "x", *arguments)
        assert shown.exit_code == 2
        assert message in shown.stderr
