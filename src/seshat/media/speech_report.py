"""What hearing recordings takes, and how good the result is: word and character error rates with intervals.

Texts are compared in lower case and without punctuation, which neither people nor recognisers write alike.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from seshat.core.errors import require
from seshat.scores.significance import Interval

if TYPE_CHECKING:
    from seshat.project.folder import Project

SAMPLES = 1_000
"""Resamples of an interval."""
_PUNCTUATION = regex.compile(r"[^\p{L}\p{M}\p{N}'’ʼ]+")


@dataclass(frozen=True)
class ErrorRates:
    """Errors per hundred words and letters of what people wrote, with 95 % bootstrap intervals over the stretches."""

    stretches: int
    words: int
    wer: float
    wer_interval: Interval
    cer: float
    cer_interval: Interval


def plain(text: str) -> str:
    """A text as it is compared: lower case, no punctuation, single spaces."""
    return " ".join(_PUNCTUATION.sub(" ", text.casefold()).split())


def measured(pairs: Sequence[tuple[str, str]], seed: int) -> ErrorRates | None:
    """Error rates; None where there is nothing to compare with.

    Args:
        pairs: what people wrote, and what a machine understood.
        seed: start of the random numbers of the intervals.
    """
    import numpy as np

    from seshat.scores.significance import bootstrap, interval, percent

    known = [(text, plain(heard)) for wrote, heard in pairs if (text := plain(wrote))]
    if not known:
        return None
    jiwer = require("jiwer", extra="audio", purpose="Measuring transcriptions")
    found = []
    for process in (jiwer.process_words, jiwer.process_characters):
        rows = []
        for text, heard in known:
            one = process(text, heard)
            errors = one.substitutions + one.deletions + one.insertions
            rows.append((errors, one.hits + one.substitutions + one.deletions))
        counts = np.array(rows)
        found.append((
            round(float(percent(counts.sum(axis=0))[0]), 1),
            Interval(*(round(one, 1) for one in interval(bootstrap({"": counts}, SAMPLES, seed, percent)[""][:, 0]))),
            int(counts[:, 1].sum()),
        ))  # fmt: skip
    (wer, wer_interval, words), (cer, cer_interval, _letters) = found
    return ErrorRates(len(known), words, wer, wer_interval, cer, cer_interval)


def cost(project: Project) -> str:
    """What it would take to hear the recordings that have not been heard, in words; empty when there are none."""
    from seshat.formats.files import find

    report = project.transcribed / "report.json"
    known = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
    heard = {(one["file"], one["bytes"]) for one in known.get("recordings", [])}
    new = [
        path
        for section in project.config.transcribe.recordings
        for path in find(project.raw, section.patterns)[0]
        if (path.relative_to(project.raw).as_posix(), path.stat().st_size) not in heard
    ]
    if not new:
        return ""
    seconds = sum(map(duration, new))
    told = f"{len(new):,} recordings, {seconds / 60:.1f} minutes of sound"
    pace = known.get("seconds_per_second")
    return told + (f"; about {seconds * pace / 60:.1f} minutes at the pace of the last run" if pace else "")


def duration(path: object) -> float:
    """Seconds that a recording says it lasts; 0 for one that cannot be read."""
    av = require("av", extra="audio", purpose="Reading recordings")
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            return float(container.duration or 0) / float(av.time_base)
    except (av.error.FFmpegError, OSError):
        return 0.0
