"""The tasks of an instruction model beside translation: dictionary, glossing, segmentation, drills."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from seshat.config import Direction
from seshat.config.evaluate import EvaluateSection
from seshat.config.prompt import Task
from seshat.core.gate import least_open
from seshat.core.records import Access
from seshat.core.spaced import evenly
from seshat.evaluation.languagemodel import Responder
from seshat.evaluation.lookup import NAME as FLOOR
from seshat.evaluation.lookup import LookUp
from seshat.evaluation.questions import MEASURES, TEST, Question, meanings, normalised, read_questions
from seshat.evaluation.translations import translate
from seshat.inference.translator import Hypothesis, Translator
from seshat.project.folder import Project
from seshat.prompt.prompt import Message, Prompt
from seshat.prompt.request import Request, requests
from seshat.prompt.retrieval import dictionary_pairs
from seshat.report.tables import TaskAnswer, TaskMeasure, TaskResult, TaskSample, TaskTable
from seshat.scores.table import score_table

SHOWN = 6
"""Sample answers of each task."""
VALIDATION = "validation set (the test set has none)"
ASKED = "dictionary, asked in training"
NOT_ASKED = "dictionary, not asked in training"
ANSWERS = Direction("question", "answer")


def folder(project: Project) -> Path:
    """Where the instruction data are."""
    return project.training / "messages"


def read_test(project: Project, prompt: Prompt) -> list[Question]:
    """The questions to ask, evenly from all there are of a task.

    They come from the test set. A task of which it has none (a test set without glosses, say) is asked on validation,
    which no weight was trained on; and a dictionary belongs to training as a whole, so questions to it are parted into
    those that were asked in training and those that were not.

    Args:
        project: the project.
        prompt: what the instruction data were written with.
    """
    most = project.config.evaluate.task_examples
    if not most or not (folder(project) / "train.jsonl").exists():
        return []
    found: dict[tuple[Task, str], list[Question]] = {}
    for name, origin in (("test", TEST), ("validation", VALIDATION)):
        path = folder(project) / f"{name}.jsonl"
        for one in read_questions(path, prompt, project.gate) if path.exists() else ():
            if one.task in MEASURES and (origin == TEST or (one.task, TEST) not in found):
                found.setdefault((one.task, origin), []).append(replace(one, origin=origin))
    for one in _dictionary(project, prompt):
        found.setdefault((one.task, one.origin), []).append(one)
    order = {task: place for place, task in enumerate(MEASURES)}
    return [one for key in sorted(found, key=lambda key: order[key[0]]) for one in evenly(found[key], most)]


def _dictionary(project: Project, prompt: Prompt) -> Iterator[Question]:
    """Look-ups of every word and every meaning of the lexicon."""
    train = read_questions(folder(project) / "train.jsonl", prompt, project.gate)
    asked = {(one.task, normalised(one.text)) for one in train}
    ways: tuple[tuple[Task, str, str], ...] = (
        ("word-to-meaning", prompt.language, prompt.pivot),
        ("meaning-to-word", prompt.pivot, prompt.language),
    )
    known: dict[tuple[Task, str], dict[str, None]] = {}
    levels: dict[tuple[Task, str], Access] = {}
    for entry in project.entries():
        for pair in dictionary_pairs(entry, prompt.language, prompt.pivot):
            for (task, _, _), (text, answer) in zip(ways, (pair, pair[::-1]), strict=True):
                known.setdefault((task, text), {})[answer] = None
                level = levels.setdefault((task, text), entry.meta.access)
                levels[task, text] = least_open((level, entry.meta.access))
    for task, source, target in ways:
        for (of, text), answers in known.items():
            if of == task:
                yield Question(
                    id=f"{task}:{text}",
                    task=task,
                    direction=f"{source}-{target}",
                    text=text,
                    messages=tuple(prompt.messages(task, source=source, target=target, text=text)),
                    answer="; ".join(answers),
                    accepted=frozenset(one for answer in answers for one in meanings(answer)),
                    origin=ASKED if (task, normalised(text)) in asked else NOT_ASKED,
                    access=levels[task, text],
                )


def learn(project: Project, prompt: Prompt) -> LookUp:
    """The floor: what the instruction data of training, and its interlinear glosses, answer most often."""
    read = read_questions(folder(project) / "train.jsonl", prompt, project.gate)
    examples = (one for one in read if one.task in MEASURES)
    return LookUp(examples, project.segments("train"))


class _Responding(Translator):
    """A responder behind the seam of translators, so that a killed run goes on with what is finished."""

    direction = ANSWERS

    def __init__(self, responder: Responder) -> None:
        self.name = responder.name
        self._responder = responder

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Answers to chats written as JSON."""
        return [
            Hypothesis(answer, 0.0) for answer in self._responder.respond([json.loads(one.text) for one in requests])
        ]


def ask(responder: Responder, chats: Sequence[str], notes: Path | None = None) -> list[Hypothesis]:
    """The answers to chats.

    Args:
        responder: who is asked.
        chats: chats as JSON, see :func:`as_json`.
        notes: a journal of finished chunks; those found there are not asked again.
    """
    return translate(_Responding(responder), requests(chats), notes)


def as_json(chat: Sequence[Message]) -> str:
    """A chat as text."""
    return json.dumps(list(chat), ensure_ascii=False)


def tables(
    answers: Mapping[str, Sequence[str]],
    questions: Sequence[Question],
    floor: LookUp,
    models: Sequence[str],
    settings: EvaluateSection,
    seed: int,
) -> list[TaskTable]:
    """One table per task.

    Args:
        answers: per system, an answer to each question.
        questions: the test questions.
        floor: looks everything up.
        models: the names of those that are judged; the others are floors.
        settings: section ``evaluate``.
        seed: start of the random numbers.
    """
    made = []
    said = {**{name: list(found) for name, found in answers.items()}, FLOOR: floor.answers(questions)}
    for task, origin in dict.fromkeys((one.task, one.origin) for one in questions):
        places = [n for n, one in enumerate(questions) if (one.task, one.origin) == (task, origin)]
        asked = [questions[n] for n in places]
        given = {name: [found[n] for n in places] for name, found in said.items()}
        rows = {
            name: TaskResult(name=name, kind="model" if name in models else "floor", scores={}, difference={})
            for name in given
        }
        for measure in MEASURES[task]:
            counts = {name: measure.count(found, asked) for name, found in given.items()}
            for row in score_table(counts, FLOOR, settings.bootstrap, seed, (measure.name,), measure.score):
                rows[row.name].scores |= row.scores
                rows[row.name].difference |= row.difference
        made.append(
            TaskTable(
                task=task,
                origin=origin,
                questions=len(asked),
                fair=origin != ASKED,
                measures=[TaskMeasure(name=measure.name, label=measure.label) for measure in MEASURES[task]],
                reference=FLOOR,
                systems=list(rows.values()),
                samples=[
                    _sample(asked[n], {name: found[n] for name, found in given.items()})
                    for n in evenly(range(len(asked)), SHOWN)
                ],
            )
        )
    return made


def _sample(one: Question, given: Mapping[str, str]) -> TaskSample:
    answers = [
        TaskAnswer(name=name, text=text, same=normalised(text) == normalised(one.answer))
        for name, text in given.items()
    ]
    return TaskSample(id=one.id, text=one.text, answer=one.answer, systems=answers)
