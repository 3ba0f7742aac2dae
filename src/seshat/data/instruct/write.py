"""Writes ``data/training/messages``: the instruction data of the causal family, from the files that passed the gate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from seshat.config import Direction
from seshat.config.prompt import Task
from seshat.core.gate import least_open, read_everything
from seshat.core.jsonl import atomic_write, write_json, write_text
from seshat.core.progress import track
from seshat.core.records import Access, Entry, Meta, Segment
from seshat.core.written import note_written, remove_written
from seshat.corpus.duplicates import fingerprint
from seshat.data.instruct.dictionary import questions_to
from seshat.data.instruct.explain import etymologies
from seshat.data.instruct.guard import TestSentences
from seshat.data.instruct.inflection import questions_on
from seshat.data.instruct.mixture import Mixture, limits
from seshat.data.instruct.tally import CONTAINS_TEST, FILES, MessagesTally, warnings
from seshat.data.instruct.tasks import Question, questions_of
from seshat.project.folder import Project
from seshat.prompt.prompt import WORDING_FILE, Prompt
from seshat.prompt.retrieval import FOLDER, LEXICON, PAIRS, Retriever, save
from seshat.prompt.surroundings import Surroundings
from seshat.report.messages_card import messages_card

Asked = tuple[Question, tuple[Segment, ...]]
"""A question, and the segments before it in its document."""


@dataclass(frozen=True)
class _Beside:
    """What stands beside a text, and the least open level among it."""

    context: list[str] = field(default_factory=list)
    hints: list[tuple[str, str]] = field(default_factory=list)
    shots: list[tuple[str, str]] = field(default_factory=list)
    access: Access = Access.PUBLIC


def write_messages(project: Project) -> dict[str, Any]:
    """Write ``train.jsonl, validation.jsonl, test.jsonl`` and a card to ``data/training/messages``.

    What hints and similar pairs are looked up in goes to ``messages/memory``, when the prompt has any.

    Returns:
        Examples per file and task, ``left_out`` (reason -> count) and ``warnings``.
    """
    return _Writer(project).write()


class _Writer:
    """Asks the questions of one project in the words of its prompt object.

    Args:
        project: formatted, so that all its training files may be used.
    """

    def __init__(self, project: Project) -> None:
        config = project.config
        self.project, self.config = project, config
        self.folder = project.training / "messages"
        self.prompt = Prompt.of(project)
        self.tally = MessagesTally()
        self.languages: Direction = Direction(*config.project.pair)
        self.ways = config.directions
        self.guard = None if config.split.allow_leaks else _test_sentences(project)
        self._taught: set[str] = set()  # glosses of train; whether a form is known by heart, validation need not ask
        self.mixture = self._mixture()
        self.retriever = Retriever(self.prompt)

    def write(self) -> dict[str, Any]:
        """Write all files; gives counts per file and task, what was left out, and warnings."""
        memory = tuple(f"{FOLDER}/{name}" for name in (PAIRS, LEXICON))
        written = [*(f"{name}.jsonl" for name in FILES), "README.md", WORDING_FILE]
        if self.prompt.hints or self.prompt.shots:
            pairs = self._pairs() if self.prompt.shots else ()
            written += memory
            save(self.folder / FOLDER, pairs, self._lexicon() if self.prompt.hints else ())
            self.retriever = Retriever.load(self.folder / FOLDER, self.prompt)
        for name in FILES:
            self._file(name)
        write_text(self.folder / "README.md", messages_card(self.config, self.prompt, self.tally))
        write_json(self.folder / WORDING_FILE, self.prompt.wording)
        remove_written(self.folder, keep=written)
        note_written(self.folder, written)
        left_out = {reason: count for reason, count in sorted(self.tally.left_out.items()) if count}
        return {
            **{name: dict(sorted(counts.items())) for name, counts in self.tally.tasks.items()},
            **({"left_out": left_out} if left_out else {}),
            "warnings": list(warnings(self.tally, self.mixture.tasks, guarded=self.guard is not None)),
        }

    def _mixture(self) -> Mixture:
        section = self.config.format.instruct
        everything = Mixture(section.tasks, self.config.project.seed)
        if section.limit is None:
            return everything
        questions = (question for question, _ in self._questions("train", everything.tasks))
        return Mixture(section.tasks, self.config.project.seed, limits(questions, everything, section.limit))

    def _file(self, name: str) -> None:
        """Train is mixed as configured; of validation and test, everything that could be asked is asked once."""
        wanted = self.mixture.tasks
        mixture = self.mixture if name == "train" else Mixture(dict.fromkeys(wanted, 1.0), self.config.project.seed)
        with atomic_write(self.folder / f"{name}.jsonl") as stream:
            for question, before in track(self._questions(name, wanted), f"writing messages of {name}"):
                for number, text, answer in mixture.copies(question):
                    example = self._example(question, number, text, answer, before, training=name == "train")
                    if example is not None:
                        stream.write(json.dumps(example, ensure_ascii=False) + "\n")
                        self.tally.count(name, question, example["meta"]["access"])

    def _questions(self, name: str, wanted: Iterable[Task]) -> Iterator[Asked]:
        """All questions of a file, in the order of the records; the lexicon belongs to train."""
        wanted = tuple(wanted)
        surroundings = Surroundings(self.project.segments(name), self.prompt.context)
        origins = etymologies(self.project.entries()) if "explain" in wanted else {}
        for segment in self.project.segments(name):
            before = surroundings.before(segment)
            for question in questions_of(segment, self.languages, self.ways, wanted, origins):
                yield question, before
        if "inflect" in wanted:
            taught = () if name == "train" else self._taught
            for question in questions_on(self.project.segments(name), self.languages.source, taught):
                if name == "train":
                    self._taught.add(question.variants[0][0])
                yield question, ()
        if name == "train":
            for question in questions_to(self.project.entries(), self.languages, wanted):
                yield question, ()

    def _example(
        self, question: Question, number: int, text: str, answer: str, before: tuple[Segment, ...], *, training: bool
    ) -> dict[str, Any] | None:
        guard = self.guard if training else None
        meta, beside = question.meta, _Beside()
        if question.task == "translate" and question.way is not None:
            beside = self._beside(question.way, text, answer if training else None, before)
            meta = meta.model_copy(update={"access": least_open((meta.access, beside.access))})
        way = question.way or self.languages
        messages = self.prompt.messages(
            question.task,
            source=way.source,
            target=way.target,
            text=text,
            answer=answer,
            context=beside.context,
            hints=beside.hints,
            shots=beside.shots,
        )
        if guard is not None and guard.inside(*(message["content"] for message in messages)):
            self.tally.left_out[f"{question.task}: {CONTAINS_TEST}"] += 1
            return None
        return {
            "messages": messages,
            "id": f"{question.key}#{number}" if number > 1 else question.key,
            "task": question.task,
            "direction": str(question.way) if question.way else None,
            "meta": described(question.record, meta),
        }

    def _beside(self, way: Direction, text: str, answer: str | None, before: tuple[Segment, ...]) -> _Beside:
        """What a prompt shows beside a text to translate; with an answer it is one of train."""
        told = [one for one in before if one.texts.get(way.source, "").strip()]
        if answer is not None and self.guard is not None:
            allowed = [one for one in told if not self.guard.inside(one.texts[way.source])]
            self.tally.left_out["context: " + CONTAINS_TEST] += len(told) - len(allowed)
            told = allowed
        hints, shots = self.retriever.hints(text, *way), self.retriever.shots(text, *way, answer)
        looked_up = self.retriever.access(*(part for pair in (*hints, *shots) for part in pair))
        access = least_open((*(one.meta.access for one in told), looked_up))
        return _Beside([one.texts[way.source] for one in told], hints, shots, access)

    def _pairs(self) -> Iterator[Segment]:
        """What may be shown as an example: the pairs of train, each once, without test sentences."""
        seen: set[int] = set()
        for segment in self.project.segments("train"):
            texts = {tag: segment.texts.get(tag, "").strip() for tag in self.languages}
            key = fingerprint("\n".join(texts.values()))
            if not all(texts.values()) or key in seen:
                continue
            seen.add(key)
            if self.guard is not None and self.guard.inside(*texts.values()):
                self.tally.left_out["shots: " + CONTAINS_TEST] += 1
                continue
            yield Segment(id=segment.id, texts=texts, meta=segment.meta)

    def _lexicon(self) -> Iterator[Entry]:
        """The lexicon without its examples, which hints do not show."""
        for entry in self.project.entries():
            senses = tuple(sense.model_copy(update={"examples": ()}) for sense in entry.senses)
            said = (entry.headword, *(g for sense in senses for glosses in sense.glosses.values() for g in glosses))
            if self.guard is not None and self.guard.inside(*said):
                self.tally.left_out["hints: " + CONTAINS_TEST] += 1
            else:
                yield entry.model_copy(update={"senses": senses})


def described(record: str, meta: Meta) -> dict[str, Any]:
    """What is known about the record of an example: the same fields in every line, as tables want it."""
    return {
        "record": record,
        "source": meta.source,
        "origin": str(meta.origin) if meta.origin else None,
        "doc_id": meta.doc_id,
        "order": meta.order,
        "speaker": meta.speaker,
        "genre": meta.genre,
        "licence": meta.licence,
        "access": meta.access.value,
        "method": meta.method.value,
        "score": meta.score,
        "tags": list(meta.tags),
    }


def _test_sentences(project: Project) -> TestSentences:
    # Also those that this run may not measure with: another run may.
    texts = (segment.texts for segment in read_everything(project.processed / "test.jsonl", Segment))
    return TestSentences(texts, project.config.split.min_words)
