"""What the generated notebook calls: a submission step by step, each saying in a line what it did.

The steps are those of ``seshat submit``; the notebook holds no code of its own that could differ.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import typer

from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.progress import Advance, reporting
from seshat.inference.postprocess import tally
from seshat.inference.translator import Hypothesis
from seshat.project.folder import open_project
from seshat.submit import submission

INPUT = Path("/kaggle/input")
"""Where Kaggle mounts datasets and the files of competitions."""
_EVERY = 30.0
"""Seconds between two lines about progress."""


def find_test(name: str, competition: str | None, folder: Path = INPUT) -> Path:
    """The test file of a competition below Kaggle's input folder; the variable ``SESHAT_TEST`` names another one.

    Raises:
        DataError: there is none, or there are several.
    """
    if given := os.environ.get("SESHAT_TEST"):
        return Path(given)
    found = [one for one in sorted(folder.rglob(Path(name).name)) if competition is None or competition in one.parts]
    if len(found) != 1:
        raise DataError(
            f"{folder}: {len(found)} files '{Path(name).name}' of the competition '{competition}'.",
            "Add the competition to the inputs of the notebook, or set SESHAT_TEST to the path.",
        )
    return found[0]


class Job:
    """A submission in the making.

    Args:
        bundle: the folder of the dataset: a project without its raw data.
        model: name of the model in it.
        budget: a duration for consensus decoding; ``None``: as many candidates as configured.
    """

    def __init__(self, bundle: Path, model: str, budget: str | None = None) -> None:
        self._started = monotonic()
        self.project = open_project(bundle)
        section = self.project.config.submit
        self._section = section
        self._model = model
        self.rows = submission.read_rows(find_test(section.test, section.kaggle.competition), section.columns)
        self.translator = submission.open_translator(self.project, model, budget)
        self.found: list[Hypothesis] = []
        self._seconds = 0.0
        typer.echo(f"{len(self.rows):,} rows; model {model}: {self.translator.direction}")

    def preprocess(self) -> None:
        """Say how the model sees the first rows; it normalises by itself."""
        requests = submission.requests(self.rows)[:3]
        for request, prepared in zip(requests, self.translator.prepared(requests), strict=True):
            typer.echo(f"{request.text}\n  -> {prepared.text}")

    def translate(self) -> None:
        """Translate and mend all rows, by consensus where that is configured, within the budget."""
        started = monotonic()
        with reporting(_Lines()):
            self.found = submission.translate_rows(
                self.translator, self.rows, batch=self.project.config.translate.batch
            )
        self._seconds = monotonic() - started
        typer.echo(f"{self._seconds:.1f} s, {self._seconds / max(len(self.rows), 1):.4f} s a row")

    def consensus(self) -> None:
        """Say how much the candidates agreed on what was chosen."""
        agreed = [one.agreement for one in self.found if one.agreement is not None]
        if agreed:
            typer.echo(f"consensus of candidates: mean agreement {sum(agreed) / len(agreed):.3f}")
        else:
            typer.echo("no consensus decoding (translate.mbr.enabled)")

    def postprocess(self) -> None:
        """Say how many translations post-processing changed."""
        typer.echo(f"mended: {tally(self.found) or 'nothing'}")

    def write(self, path: str) -> None:
        """Write the submission when it has no faults, and beside it how long everything took."""
        output = Path(path)
        self.translator.close()
        texts = [one.text for one in self.found]
        submission.write(output, self.rows, texts, self._section.columns, self._section.empty, None)
        report = {
            "rows": len(self.rows),
            "seconds": round(self._seconds, 3),
            "seconds_per_row": round(self._seconds / max(len(self.rows), 1), 5),
            "seconds_with_loading": round(monotonic() - self._started, 3),
        }
        write_json(output.with_name(submission.REPORT), report)
        typer.echo(f"{output}: {len(self.rows):,} rows; {report}")


class _Lines:
    """Progress as a line now and then: output of a notebook is kept."""

    @contextmanager
    def task(self, description: str, total: float | None) -> Iterator[Advance]:
        started = last = monotonic()
        done = 0.0

        def advance(amount: float) -> None:
            nonlocal done, last
            done += amount
            now = monotonic()
            if now - last >= _EVERY and total:
                last = now
                left = (now - started) * (total - done) / done if done else 0.0
                typer.echo(f"{description}: {done:,.0f} of {total:,.0f}, about {left / 60:.0f} min left")

        yield advance
