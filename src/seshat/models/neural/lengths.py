"""How long the training examples are, in tokens: counted with the tokenizer of the base, or guessed without it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from seshat.core.errors import CheckFailed, require
from seshat.core.progress import track
from seshat.core.records import Segment
from seshat.models.neural import base as bases
from seshat.models.neural import dialogues, preflight, texts
from seshat.models.neural.causal import MESSAGES, TEXTS
from seshat.models.neural.encoding import Encoding, name_codes
from seshat.models.neural.generation import answer_ends
from seshat.models.neural.phases import Traits
from seshat.models.neural.preflight import MASKED, Preflight
from seshat.models.neural.shapes import Facts
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt
from seshat.prompt.surroundings import Surroundings

BYTES = 2.5
"""Bytes of UTF-8 a token, without a tokenizer: subword tokenizers take two to four in languages they know little."""
_TURN = 8
"""Tokens that a chat template puts around a turn."""
Spans = list[tuple[str, bool]]
"""An example as text: (piece, whether it is trained)."""


@dataclass
class Lengths:
    """What there is to train on."""

    exact: bool
    """Counted; otherwise guessed from the bytes."""
    tokens: array[int] = field(default_factory=lambda: array("L"))
    """Of each example that is not too long; both sides of a pair together."""
    traits: list[Traits] = field(default_factory=list)
    trained: int = 0
    """Tokens that the loss is on."""
    left_out: int = 0
    """Examples that are longer than ``max_length``."""
    shortened: int = 0
    """Examples without some of the sentences before them, because they would be longer than ``max_length``."""
    longest: int = 0
    """Tokens of the longest example of all; for pairs of its longer side."""
    source: int = 0
    """Tokens of the longest source, or row, that is trained on."""
    target: int = 0
    """Tokens of the longest target that is trained on."""
    given: int | None = None
    """Tokens of the shortest part that is given, for decoders."""
    example: Spans = field(default_factory=list)
    where: str = ""
    """Of the example."""
    problems: list[str] = field(default_factory=list)
    """What the training would refuse."""

    @property
    def answers(self) -> int | None:
        """Tokens of the other side of a pair; of a decoder's row, those from the first answer in any row on."""
        return self.target or (None if self.given is None else self.source - self.given + 1)

    @property
    def examples(self) -> int:
        """Those that are trained on."""
        return len(self.tokens)

    @property
    def truncation(self) -> float:
        """Share of the examples that are too long."""
        return self.left_out / max(1, self.examples + self.left_out)


def tokenizer(known: Facts) -> Any | None:
    """The tokenizer of a base: from its folder; ByT5's needs no files; ``None`` where there is none."""
    if known.folder is not None and (known.folder / "tokenizer_config.json").exists():
        return bases.open_tokenizer(known.folder)
    if known.values.get("tokenizer_class") == "ByT5Tokenizer":
        return require("transformers", extra="train", purpose="Planning a training").ByT5Tokenizer()
    return None


def measure(project: Project, known: Facts) -> Lengths | None:
    """Read the training data of the configured family.

    Returns:
        ``None`` when nothing has been formatted yet.

    Raises:
        DataError: a line cannot be read.
    """
    family = project.config.train.kind
    files = [project.training / "train.jsonl"]
    if family.instructed:
        kinds = {phase.text for phase in project.config.phases}
        messages = [project.training / MESSAGES / "train.jsonl"] if False in kinds else []
        files = [*messages, *(project.training / name for name in TEXTS if True in kinds)]
    elif family.fills:
        files = [
            project.training / "monolingual.jsonl",
            *(files if project.config.train.masked.pairs or project.config.project.pivot is None else []),
        ]
    if not any(path.exists() for path in files):
        return None
    reader = _decoded if family.instructed else _texts if family.fills else _pairs
    return reader(project, known, tokenizer(known))


def _guess(text: str) -> int:
    return math.ceil(len(text.encode()) / BYTES)


def _take(found: Lengths, source: int, target: int | None, trained: int, traits: Traits, limit: int) -> bool:
    """Enter an example; says whether it is the first that can be trained on."""
    longer = max(source, target or 0)
    found.longest = max(found.longest, longer)
    if longer > limit:
        found.left_out += 1
        return False
    found.tokens.append(source + (target or 0))
    found.traits.append(traits)
    found.trained += trained
    if target is None:
        found.given = min(source - trained, source if found.given is None else found.given)
    found.source, found.target = max(found.source, source), max(found.target, target or 0)
    return len(found.tokens) == 1


def _decoded(project: Project, known: Facts, tool: Any) -> Lengths:
    """Dialogues and running text, as far as a phase learns from them."""
    kinds, language = {phase.text for phase in project.config.phases}, project.config.project.language
    found = _dialogues(project, known, tool) if False in kinds else Lengths(exact=tool is not None)
    segments = (segment for name in TEXTS if True in kinds for _, segment in _segments(project, name))
    for document in texts.documents(segments, language):
        text = document.texts[language]
        traits = replace(Traits.of(document), text=True)
        size = (len(tool(text, add_special_tokens=False, verbose=False)["input_ids"]) if tool else _guess(text)) + 1
        while size > 0:
            part = min(size, project.config.train.finetune.max_length)
            if _take(found, part, None, part, traits, part):
                found.where, found.example = document.id, [(text, True)]
            size -= part
    return found


def _dialogues(project: Project, known: Facts, tool: Any) -> Lengths:
    prompt, limit = Prompt.of(project), project.config.train.finetune.max_length
    path = project.training / MESSAGES / "train.jsonl"
    found = Lengths(exact=tool is not None)
    if tool is None:
        for one in track(dialogues.read(path, project.gate), "reading train"):
            given = [turn["content"] for turn in one.messages[:-1]]
            answer = _guess(one.answer) + 1
            size = sum(map(_guess, given)) + _TURN * len(one.messages) + answer
            if _take(found, size, None, answer, one.traits, limit):
                found.where = one.where
                found.example = [("\n".join(given) + "\n", False), (one.answer, True)]
        return found
    stops = set(answer_ends(tool, prompt)) | {tool.eos_token_id}
    if known.folder is not None:
        stops |= bases.stops(known.folder, tool)
    look = Preflight(limit, 1.0, stops)
    for one, row in track(
        dialogues.tokenised(dialogues.read(path, project.gate), prompt, tool, stops), "tokenising train"
    ):
        look.passes(row)
        trained = sum(label != MASKED for label in row.labels)
        if _take(found, len(row.ids), None, trained, one.traits, limit):
            found.where, found.example = row.where, preflight.spans(tool, row)
    found.problems += _refused(look)
    return found


def _refused(look: Preflight) -> list[str]:
    try:
        look.judge()
    except CheckFailed as problem:
        return [problem.message]
    return []


def _segments(project: Project, name: str) -> Iterator[tuple[str, Segment]]:
    path = project.training / name
    if path.exists():
        for number, segment in enumerate(track(project.gate.read(path, Segment), f"tokenising {name}"), start=1):
            yield f"{name}:{number} ({segment.id})", segment


def _pairs(project: Project, known: Facts, tool: Any) -> Lengths:
    prompt, train = Prompt.of(project), project.config.train
    found = Lengths(exact=tool is not None)
    limit = train.finetune.max_length
    read, written = _encoder(prompt, known, tool)
    surroundings = Surroundings((one for _, one in _segments(project, "train.jsonl")), prompt.context)
    for direction in project.config.directions:
        for where, segment in _segments(project, "train.jsonl"):
            source, target = (segment.texts.get(tag, "").strip() for tag in direction)
            if not (source and target):
                continue
            before = wanted = surroundings.texts(segment, direction.source)
            size, answer = read(source, direction, before), written(target, direction)
            while before and size > limit:
                before = before[1:]
                size = read(source, direction, before)
            found.shortened += len(before) < len(wanted)
            if _take(found, size, answer, answer, Traits.of(segment), limit):
                found.where = f"{where}, {direction}"
                found.example = [(prompt.source(source, direction, before) + "\n", False), (target, True)]
    return found


def _encoder(prompt: Prompt, known: Facts, tool: Any) -> tuple[Any, Any]:
    """Gives the tokens of a source behind the sentences before it, and those of a target."""
    if tool is None:
        return (
            lambda source, way, before: _guess(prompt.source(source, way, before)) + 1,
            lambda target, _way: _guess(target) + 1,
        )
    kind = str(known.values.get("model_type"))
    if Encoding.is_coded(kind):
        name_codes(tool, prompt.language_codes.values())
    encoding = Encoding(tool, prompt, kind)
    return (
        lambda source, way, before: len(encoding.sources([source], way, [before])[0]),
        lambda target, way: len(encoding.targets([target], way)[0]),
    )


def _texts(project: Project, _known: Facts, tool: Any) -> Lengths:
    section = project.config.train.masked
    limit = project.config.train.finetune.max_length
    tags = section.languages or project.config.project.tags
    found = Lengths(exact=tool is not None)
    for name in (
        "monolingual.jsonl",
        *(("train.jsonl",) if section.pairs or project.config.project.pivot is None else ()),
    ):
        for where, segment in _segments(project, name):
            for tag in tags:
                if not (text := segment.texts.get(tag, "").strip()):
                    continue
                size = len(tool(text, verbose=False)["input_ids"]) if tool else _guess(text) + 2
                while size > 0:  # a long text is learned in parts
                    part = min(size, limit)
                    trained = math.ceil(section.probability * part)
                    if _take(found, part, None, trained, Traits.of(segment), limit):
                        found.where, found.example = where, [(text, False)]
                    size -= part
    return found
