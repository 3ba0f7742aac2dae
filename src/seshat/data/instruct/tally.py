"""What the instruction data hold, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from seshat.config.prompt import Task
from seshat.data.instruct.tasks import Question

FILES = ("train", "validation", "test")
CONTAINS_TEST = "contains a test sentence"
_GLOSSED = "no segment of train has an interlinear gloss with morphemes."
_LACKING = {
    "translate": "no segment of train is in both languages.",
    "cloze": "no segment of train has at least three words and a translation.",
    "segment": _GLOSSED,
    "gloss": _GLOSSED,
    "inflect": _GLOSSED,
    "explain": _GLOSSED,
    "word-to-meaning": "no entry of the lexicon has a meaning in the other language.",
    "meaning-to-word": "no entry of the lexicon has a meaning in the other language.",
    "examples": "no entry of the lexicon has an example in both languages.",
}


@dataclass
class MessagesTally:
    """What was written; figures only, no text."""

    tasks: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in FILES})
    """File -> task -> examples."""
    sources: Counter[str] = field(default_factory=Counter)
    """Source -> examples of all files."""
    licences: dict[str, set[str]] = field(default_factory=dict)
    """Source -> licences."""
    access: Counter[str] = field(default_factory=Counter)
    """Access level -> examples of all files."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason -> what was kept out of train."""

    def count(self, name: str, question: Question, access: str) -> None:
        """Count an example of a file, and the level that it is open to."""
        self.tasks[name][question.task] += 1
        source = question.meta.source or "unknown"
        self.sources[source] += 1
        self.licences.setdefault(source, set()).add(question.meta.licence or "unknown")
        self.access[access] += 1


def warnings(tally: MessagesTally, tasks: Iterable[Task], *, guarded: bool) -> Iterator[str]:
    """What people should know about what was written.

    Args:
        tally: what was written.
        tasks: those that were asked for.
        guarded: whether test sentences were kept out.
    """
    lacking: dict[str, list[str]] = {}
    for task in tasks:
        if not tally.tasks["train"][task]:
            lacking.setdefault(_LACKING.get(task, _LACKING["translate"]), []).append(task)
    for reason, names in lacking.items():
        yield f"no training examples of {' and '.join(names)}: {reason}"
    if left := sum(tally.left_out.values()):
        yield (
            f"{left} pieces of training messages were left out because they contain a test sentence: "
            + ", ".join(f"{reason} {count}" for reason, count in sorted(tally.left_out.items()) if count)
            + "."
        )
    if not guarded:
        yield "split.allow_leaks is on: nothing keeps test sentences out of the training messages."
