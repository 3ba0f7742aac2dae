"""Translations that are kept as they come, so that a job that was killed goes on with what is left.

Beside the file that is to be written stands ``NAME.partial``, a :class:`~seshat.core.journal.Journal` of results by the
number of the line. When all lines are there, the file is written from them, in order and at once, and the other is
taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import structlog

from seshat.core.journal import Journal
from seshat.core.jsonl import atomic_write
from seshat.inference.batch import WINDOW, Found
from seshat.inference.translator import Candidate, Hypothesis
from seshat.prompt.request import Request

Run = Callable[[Sequence[Request]], Iterator[Found]]
"""Translates texts: place and hypothesis, in any order."""
Show = Callable[[int, str, Hypothesis], str]
"""Number of the line, source and hypothesis as lines of the file."""
log = structlog.get_logger(__name__)


def translate_file(
    run: Run, requests: Iterable[Request], output: Path, job: str, show: Show, *, window: int | None = WINDOW
) -> int:
    """Translate texts into a file, going on with what an earlier run of the same job left behind.

    Args:
        run: translates.
        requests: what to translate.
        output: the file; it appears when all is done.
        job: tells the job from others, see :func:`seshat.inference.opening.fingerprint`.
        show: what stands in the file.
        window: texts that are sorted together; ``None``: all of them.

    Returns:
        How many lines were there from before.

    Raises:
        ProjectBusy: another process writes the same file.
    """
    count = known = 0
    rest = iter(requests)
    with Journal(output.with_name(f"{output.name}.partial"), job, replace=True) as journal:
        while part := list(islice(rest, window)):
            left = [place for place, one in enumerate(part) if not _is_done(journal, count + place, one)]
            if len(left) < len(part) and not known:
                log.info("an earlier run did a part of it: this one goes on", lines=len(part) - len(left))
            known += len(part) - len(left)
            for number, hypothesis in run([part[place] for place in left]):
                row = {**_asked(part[left[number]]), **as_json(hypothesis)}
                journal.put(str(count + left[number]), row)
            count += len(part)
        with atomic_write(output) as stream:
            for number in range(count):
                row = journal.get(str(number))
                stream.write(show(number, row["source"], from_json(row)))
        journal.finish()
    return known


def _asked(request: Request) -> dict[str, Any]:
    return {"source": request.text, "before": list(request.before), "n_best": request.n_best}


def _is_done(journal: Journal, number: int, request: Request) -> bool:
    """Whether this line is translated, and neither its text nor what stands before it has been changed since."""
    return str(number) in journal and _asked(request).items() <= journal.get(str(number)).items()


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
