"""Translations that are kept as they come, so that a job that was killed goes on with what is left.

Beside the file that is to be written stands ``NAME.partial``: JSON Lines of results, each with the number of its line
and a hash of its text, the models and the settings. When all lines are there, the file is written from them, in order
and at once, and the other is taken away.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import structlog

from seshat.core.errors import ProjectBusy
from seshat.core.jsonl import atomic_write, cannot_write, lock
from seshat.core.paths import inside, remove
from seshat.inference.batch import WINDOW, Found
from seshat.inference.translator import Candidate, Hypothesis

Run = Callable[[Sequence[str]], Iterator[Found]]
"""Translates texts: place and hypothesis, in any order."""
Show = Callable[[int, str, Hypothesis], str]
"""Number of the line, source and hypothesis as lines of the file."""
log = structlog.get_logger(__name__)


class Partial:
    """The results of a job so far.

    Args:
        path: the file, which may be there from before.
        job: tells this job from others; results of others do not count.

    Raises:
        ProjectBusy: another process is at it.
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path, job: str) -> None:
        self._path, self._job = path, job
        self._places: array[int] = array("q")
        try:
            inside(path).parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a+b")
        except OSError as error:
            raise cannot_write(path, error) from error
        if not lock(self._stream.fileno()):
            self._stream.close()
            raise ProjectBusy(f"{path}: another `seshat translate` writes this file.", "Wait for it, or name another.")
        self._keys = self._read_keys()

    def _read_keys(self) -> dict[int, str]:
        """Line number -> key of what is there; a line that a killed run did not finish is cut off."""
        keys: dict[int, str] = {}
        self._stream.seek(0)
        place = 0
        for line in self._stream:
            try:
                row = json.loads(line)
                number, key = int(row["line"]), str(row["key"])
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            keys[number] = key
            self._note(number, place)
            place += len(line)
        self._stream.truncate(place)
        return keys

    def _note(self, number: int, place: int) -> None:
        self._places.extend([-1] * (number + 1 - len(self._places)))
        self._places[number] = place

    def has(self, number: int, text: str) -> bool:
        """Whether this line of this job is done."""
        return self._keys.get(number) == self._key(text)

    def add(self, number: int, text: str, hypothesis: Hypothesis) -> None:
        """Keep a result; it is with the system at once, so that killing the program loses none."""
        row = {"line": number, "key": self._key(text), "source": text, **as_json(hypothesis)}
        place = self._stream.seek(0, 2)
        try:
            self._stream.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
            self._stream.flush()
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._note(number, place)

    def results(self, count: int) -> Iterator[tuple[int, str, Hypothesis]]:
        """Number, source and hypothesis of the first so many lines, in order."""
        for number in range(count):
            self._stream.seek(self._places[number])
            row = json.loads(self._stream.readline().decode("utf-8", "surrogatepass"))
            yield number, row["source"], from_json(row)

    def close(self, *, done: bool) -> None:
        """Let go of the file, and take it away when all is done."""
        if done:
            remove(self._path)
        self._stream.close()

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self._job}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def translate_file(
    run: Run, texts: Iterable[str], output: Path, job: str, show: Show, *, window: int | None = WINDOW
) -> int:
    """Translate texts into a file, going on with what an earlier run of the same job left behind.

    Args:
        run: translates.
        texts: what to translate.
        output: the file; it appears when all is done.
        job: tells the job from others, see :func:`seshat.inference.chain.fingerprint`.
        show: what stands in the file.
        window: texts that are sorted together; ``None``: all of them.

    Returns:
        How many lines were there from before.

    Raises:
        ProjectBusy: another process writes the same file.
    """
    partial = Partial(output.with_name(f"{output.name}.partial"), job)
    count = known = 0
    done = False
    rest = iter(texts)
    try:
        while part := list(islice(rest, window)):
            left = [place for place, text in enumerate(part) if not partial.has(count + place, text)]
            if len(left) < len(part) and not known:
                log.info("an earlier run did a part of it: this one goes on", lines=len(part) - len(left))
            known += len(part) - len(left)
            for number, hypothesis in run([part[place] for place in left]):
                partial.add(count + left[number], part[left[number]], hypothesis)
            count += len(part)
        with atomic_write(output) as stream:
            for row in partial.results(count):
                stream.write(show(*row))
        done = True
    finally:
        partial.close(done=done)
    return known


def as_json(hypothesis: Hypothesis) -> dict[str, Any]:
    """A hypothesis as a JSON object."""
    row: dict[str, Any] = {"text": hypothesis.text, "score": hypothesis.score}
    if hypothesis.alternatives:
        row["alternatives"] = [[one.text, one.score] for one in hypothesis.alternatives]
    if hypothesis.changes:
        row["changes"] = hypothesis.changes
    if hypothesis.agreement is not None:
        row["agreement"] = hypothesis.agreement
    return row


def from_json(row: dict[str, Any]) -> Hypothesis:
    """What :func:`as_json` wrote."""
    others = tuple(Candidate(text, score) for text, score in row.get("alternatives", ()))
    return Hypothesis(row["text"], row["score"], others, tuple(row.get("changes", ())), row.get("agreement"))
