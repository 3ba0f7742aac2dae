"""The questions of the instruction data: dictionary, glossing, segmentation … and how right an answer is.

Glosses are judged as in the SIGMORPHON 2023 shared task on interlinear glossing (Ginn et al. 2023,
https://aclanthology.org/2023.sigmorphon-1.20; its ``eval.py``): what stands at a place must be what stands at the same
place of the reference; words are parted by white space, morphemes by hyphens too. Morphemes of segmented words are
judged without their places, by F1, as in the SIGMORPHON 2022 task on segmentation (Batsuren et al. 2022,
https://aclanthology.org/2022.sigmorphon-1.11).
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from seshat.config import Direction
from seshat.config.prompt import Task
from seshat.core.errors import DataError
from seshat.core.gate import Gate
from seshat.core.records import Access
from seshat.prompt.prompt import Message, Prompt
from seshat.scores.formulas import Floats
from seshat.scores.metrics import CHRF2, Scorer, scores
from seshat.scores.significance import Rows, Score, percent

_AROUND = regex.compile(r"^[\p{P}\p{S}\s]+|[\p{P}\p{S}\s]+$")
_MEANINGS = regex.compile(r"\s*[;,/|]\s*|\n+")
_MORPHEMES = regex.compile(r"[\s-]+")


TEST = "test set"


@dataclass(frozen=True)
class Question:
    """One test question of an instruction model."""

    id: str
    task: Task
    direction: str | None
    text: str
    """What is asked about, without the words around it."""
    messages: tuple[Message, ...]
    """The chat up to the answer."""
    answer: str
    accepted: frozenset[str]
    """All that counts as right, normalised: homonyms have several answers, and an answer may list meanings."""
    record: str = ""
    """Id of the record it is about."""
    origin: str = TEST
    """Where it was taken from, in words."""
    access: Access = Access.RESTRICTED


@dataclass(frozen=True)
class Measure:
    """One way to judge the answers to a task, 0 to 100."""

    name: str
    label: str
    count: Callable[[Sequence[str], Sequence[Question]], Rows]
    """Answers and their questions to rows of numbers, one per question."""
    score: Score
    """Sums of rows to the score."""


def read_questions(path: Path, prompt: Prompt, gate: Gate) -> Iterator[Question]:
    """The questions of a file of messages that a run may use.

    Args:
        path: ``data/training/messages/test.jsonl`` or ``train.jsonl``.
        prompt: what the file was written with.
        gate: lets through what may be used.

    Raises:
        DataError: a line is none that this version reads.
    """
    read = list(_lines(path, gate))
    accepted: dict[tuple[str, str | None, str], set[str]] = {}
    texts = []
    for line in read:
        texts.append(_text(prompt, line))
        key = line["task"], line.get("direction"), normalised(texts[-1])
        accepted.setdefault(key, set()).update(meanings(line["messages"][-1]["content"]))
    for line, text in zip(read, texts, strict=True):
        task, direction = line["task"], line.get("direction")
        yield Question(
            id=str(line["id"]),
            task=task,
            direction=direction,
            text=text,
            messages=tuple(line["messages"][:-1]),
            answer=line["messages"][-1]["content"],
            accepted=frozenset(accepted[task, direction, normalised(text)]),
            record=str(line["meta"].get("record") or ""),
            access=Access.parse(line["meta"].get("access")),
        )


def _lines(path: Path, gate: Gate) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for number, text in enumerate(stream, start=1):
            try:
                line: dict[str, Any] = json.loads(text)
                usable = line["messages"][-1]["role"] == "assistant" and line["messages"][-2]["role"] == "user"
                known = isinstance(line["task"], str) and "id" in line
            except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
                raise DataError(f"{path}:{number}: not a line of messages ({error!r}).", _AGAIN) from error
            if not (usable and known):
                raise DataError(f"{path}:{number}: the chat does not end with a question and its answer.", _AGAIN)
            if gate.admits_example(line):
                yield line


_AGAIN = "Write the instruction data again: seshat format"


def _text(prompt: Prompt, line: Mapping[str, Any]) -> str:
    """What a question is about: the user turn without the words of the template around it."""
    source, _, target = (line.get("direction") or "").partition("-")
    ways = {str(d): d for a, b in [(prompt.language, prompt.pivot)] for d in (Direction(a, b), Direction(b, a))}
    way = ways.get(line.get("direction") or "", Direction(source or prompt.language, target or prompt.pivot))
    content: str = line["messages"][-2]["content"]
    empty = prompt.messages(line["task"], source=way.source, target=way.target, text="\0")[-1]["content"]
    before, _, after = empty.partition("\0")
    start = content.rfind(before) + len(before) if before in content else 0
    return content[start : len(content) - len(after)] if content.endswith(after) else content[start:]


def normalised(text: str) -> str:
    """A text as it is compared: composed letters, no case, single spaces, no punctuation around it."""
    return _AROUND.sub("", " ".join(unicodedata.normalize("NFC", text).casefold().split()))


def meanings(answer: str) -> set[str]:
    """An answer and each of the meanings that it lists, normalised."""
    return {found for part in (answer, *_MEANINGS.split(answer)) if (found := normalised(part))}


def _exact(answers: Sequence[str], questions: Sequence[Question]) -> Rows:
    return _shares((answer.strip() == one.answer.strip(), 1) for answer, one in zip(answers, questions, strict=True))


def _matched(answers: Sequence[str], questions: Sequence[Question]) -> Rows:
    """Right when any of the meanings given is one of those accepted."""
    return _shares((bool(meanings(a) & one.accepted), 1) for a, one in zip(answers, questions, strict=True))


def _placed(cut: Callable[[str], list[str]]) -> Callable[[Sequence[str], Sequence[Question]], Rows]:
    """Parts that stand where the reference has them, of all parts of the reference."""

    def count(answers: Sequence[str], questions: Sequence[Question]) -> Rows:
        pairs = [(cut(answer), cut(one.answer)) for answer, one in zip(answers, questions, strict=True)]
        return _shares((sum(a == b for a, b in zip(said, gold, strict=False)), len(gold)) for said, gold in pairs)

    return count


def _glosses(text: str) -> list[str]:
    """As the shared task cuts: an empty gloss, between two hyphens, is one too."""
    return regex.split(r"\s|-", text.strip()) if text.strip() else []


def _words(text: str) -> list[str]:
    return text.split()


def _morphemes(text: str) -> list[str]:
    return [part for part in _MORPHEMES.split(text.strip()) if part]


def _found(answers: Sequence[str], questions: Sequence[Question]) -> Rows:
    """Morphemes in common, said, and wanted."""
    rows = []
    for answer, one in zip(answers, questions, strict=True):
        said, gold = (Counter(_morphemes(normalised(text))) for text in (answer, one.answer))
        rows.append((float((said & gold).total()), float(said.total()), float(gold.total())))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _chrf2(answers: Sequence[str], questions: Sequence[Question]) -> Rows:
    return Scorer([one.answer for one in questions]).count(answers)


def _shares(pairs: Iterable[tuple[int, int]]) -> Rows:
    return np.array(list(pairs), dtype=np.float64).reshape(-1, 2)


def _f1(sums: NDArray[Any]) -> Floats:
    return percent(np.stack([2 * sums[..., 0], sums[..., 1] + sums[..., 2]], axis=-1))


def _letters(sums: NDArray[Any]) -> Floats:
    return scores(sums)[..., CHRF2 : CHRF2 + 1]


_CHRF2 = Measure("chrf2", "chrF2", _chrf2, _letters)
_ANSWERS = (
    Measure("match", "right", _matched, percent),
    Measure("exact", "letter for letter", _exact, percent),
    _CHRF2,
)
_GLOSSES = (
    Measure("morphemes", "morphemes right", _placed(_glosses), percent),
    Measure("words", "words right", _placed(_words), percent),
    _CHRF2,
)
_SEGMENTS = (
    Measure("words", "words right", _placed(lambda text: normalised(text).split()), percent),
    Measure("morphemes_f1", "F1 of morphemes", _found, _f1),
    Measure("exact", "whole texts right", _exact, percent),
)
_EXPLANATIONS = (
    Measure("words", "words right", _placed(str.splitlines), percent),
    _CHRF2,
)
MEASURES: dict[Task, tuple[Measure, ...]] = {
    "word-to-meaning": _ANSWERS,
    "meaning-to-word": _ANSWERS,
    "gloss": _GLOSSES,
    "segment": _SEGMENTS,
    "explain": _EXPLANATIONS,
    "cloze": _ANSWERS,
    "inflect": _ANSWERS,
    "examples": (_CHRF2,),
}
"""What the answers to each task are judged by, the most telling first; translation is measured elsewhere."""
