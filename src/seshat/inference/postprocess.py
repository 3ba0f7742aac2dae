"""Post-processing: what is mended in a translation, step by step, each with its reason.

A step is a pure function of the text, its source and the other candidates. Which steps there are, in which order and
with which thresholds, stands in ``translate.postprocess``; ``seshat evaluate`` leaves out each in turn and says
whether it helps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import regex

from seshat.config import Config, Direction
from seshat.config.clean import Profile, WhitespaceRule
from seshat.config.postprocess import (
    EmptyStep,
    Fallback,
    MarksStep,
    NamesStep,
    PostprocessStep,
    RepetitionsStep,
    ResidueStep,
    WhitespaceStep,
)
from seshat.inference.lexicon import Lexicon, Match
from seshat.inference.marks import mend_marks
from seshat.inference.repetitions import collapse
from seshat.inference.residue import Residue
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.prompt.request import requests
from seshat.text.lookup import fold, key
from seshat.text.normalise import Normaliser
from seshat.text.words import PLACEHOLDER, word_spans

if TYPE_CHECKING:
    from seshat.project.folder import Project


_NOTHING, _CANDIDATE = "nothing was said", "the next candidate"
_SAYS_SOMETHING = regex.compile(rf"[\p{{L}}\p{{N}}]|{PLACEHOLDER}")

Changed = tuple[str, list[str]]
"""A text, and why it was changed, in words; none: it is as it was."""


@dataclass(frozen=True)
class Given:
    """What a step may look at beside the text."""

    source: str
    candidates: Iterable[str] = ()
    """The model's other translations, best first."""


Apply = Callable[[str, Given], Changed]


@dataclass(frozen=True)
class Step:
    """A named step."""

    name: str
    apply: Apply


@dataclass(frozen=True)
class Postprocessor:
    """Steps in order."""

    steps: tuple[Step, ...]

    def without(self, name: str) -> Postprocessor:
        """All steps but one."""
        return Postprocessor(tuple(step for step in self.steps if step.name != name))

    def mend(self, text: str, source: str, candidates: Sequence[str] = ()) -> tuple[str, tuple[str, ...]]:
        """One translation mended.

        Args:
            text: what the model said.
            source: what it was asked to translate.
            candidates: its other translations, best first; looked at where ``text`` is empty.

        Returns:
            The text, and what was changed, as ``step: reason``.
        """
        changes: list[str] = []
        given = Given(source, (self.alternative(one, source) for one in candidates))
        for step in self.steps:
            text, reasons = step.apply(text, given)
            changes += [f"{step.name}: {reason}" for reason in reasons]
        return text, tuple(changes)

    def alternative(self, text: str, source: str) -> str:
        """Another candidate mended: it may stay empty."""
        return self.without("empty").mend(text, source)[0]

    def hypothesis(self, found: Hypothesis, source: str) -> Hypothesis:
        """A hypothesis mended, with its alternatives: each once, none empty."""
        also = [(one, self.alternative(one.text, source)) for one in found.alternatives]
        text, changes = self.mend(found.text, source, [one.text for one in found.alternatives])
        kept: dict[str, Candidate] = {}
        for one, mended in also:
            if not is_empty(mended, source):
                kept.setdefault(mended, Candidate(mended, one.score))
        # The score is that of what is given: of the candidate, where the best was empty.
        score = kept[text].score if "empty" in changed_steps(changes) and text in kept else found.score
        others = tuple(kept.values())
        return replace(found, text=text, score=score, alternatives=others, changes=(*found.changes, *changes))


def is_empty(text: str, source: str) -> bool:
    """Whether a translation says nothing although its source says something."""
    return _SAYS_SOMETHING.search(text) is None and _SAYS_SOMETHING.search(source) is not None


def is_filled(changes: Iterable[str]) -> bool:
    """Whether a text is not the model's, but was put where it said nothing: its score says nothing of it."""
    return any(change.startswith(f"empty: {_NOTHING}") and not change.endswith(_CANDIDATE) for change in changes)


def changed_steps(changes: Iterable[str]) -> tuple[str, ...]:
    """The names of the steps in ``Hypothesis.changes``, each once."""
    return tuple(dict.fromkeys(change.partition(":")[0] for change in changes))


def tally(hypotheses: Iterable[Hypothesis]) -> dict[str, int]:
    """How many translations each step changed; steps that changed none are left out."""
    return dict(Counter(name for one in hypotheses for name in changed_steps(one.changes)))


def build(
    steps: Sequence[PostprocessStep],
    direction: Direction,
    *,
    lexicon: Lexicon | None = None,
    word_by_word: Callable[[], Translator | None] = lambda: None,
    languages: Iterable[str] = (),
) -> Postprocessor:
    """Make the steps of a configuration.

    Args:
        steps: ``translate.postprocess.steps``.
        direction: from and into which language.
        lexicon: where names are looked up; without one the step ``names`` does nothing.
        word_by_word: opens the word-by-word translator, when it is needed for the first time.
        languages: names of the two languages, which models write as labels too.
    """
    return Postprocessor(
        tuple(
            Step(one.type, _step(one, direction, lexicon, cache(word_by_word), tuple(languages)))
            for one in steps
            if not (one.type == "names" and lexicon is None)
        )
    )


def for_project(project: Project, direction: Direction) -> Postprocessor:
    """The steps that a project is configured with; its lexicon and word table are read when they are needed."""
    config = project.config
    settings = config.project
    steps = config.translate.postprocess.steps
    lexicon = None
    if any(isinstance(one, NamesStep) for one in steps):
        lexicon = Lexicon(project.entries(), *settings.pair)
    return build(
        steps,
        direction,
        lexicon=lexicon,
        word_by_word=lambda: _word_by_word(project, direction),
        languages=language_names(config),
    )


def language_names(config: Config) -> list[str]:
    """The names of the two languages of a project, and their tags."""
    settings = config.project
    return [name for tag in settings.tags for name in (settings.language_name(tag), tag)]


def _word_by_word(project: Project, direction: Direction) -> Translator | None:
    """Learned from the training data now; ``None`` where there are none."""
    from seshat.core.errors import DataError
    from seshat.inference.engines.wordbyword import WordByWordTranslator
    from seshat.models.wordbyword import read

    try:
        return WordByWordTranslator(direction, read(project, direction))
    except DataError:
        return None


def _step(
    settings: PostprocessStep,
    direction: Direction,
    lexicon: Lexicon | None,
    word_by_word: Callable[[], Translator | None],
    languages: tuple[str, ...],
) -> Apply:
    match settings:
        case ResidueStep():
            residue = Residue((*settings.labels, *languages), settings.notes)
            return lambda text, given: residue.clean(text, given.source)
        case RepetitionsStep():
            return lambda text, given: collapse(text, given.source, settings.times)
        case NamesStep():
            whole = lexicon or Lexicon((), *direction)
            names = Names(whole.of_types(settings.types), whole, settings.threshold, direction.source)
            return lambda text, given: names.mend(text, given.source)
        case MarksStep():
            return lambda text, given: mend_marks(text, given.source, direction.target)
        case WhitespaceStep():
            rule = WhitespaceRule(name="white space", type="whitespace")
            tidy = Normaliser(Profile(rules=(rule,))).apply
            return lambda text, _given: _tidied(text, tidy(text))
        case EmptyStep():
            return lambda text, given: _filled(text, given, settings.fallback, word_by_word)


def _tidied(text: str, tidy: str) -> Changed:
    return tidy, ["spaces, line breaks or invisible characters"] if tidy != text else []


def _filled(
    text: str, given: Given, fallback: Sequence[Fallback], word_by_word: Callable[[], Translator | None]
) -> Changed:
    if not is_empty(text, given.source):
        return text, []
    for way, found in _offers(given, fallback, word_by_word):
        if not is_empty(found, given.source):
            return found, [f"{_NOTHING}; {way}"]
    return text, []


def _offers(
    given: Given, fallback: Sequence[Fallback], word_by_word: Callable[[], Translator | None]
) -> Iterator[tuple[str, str]]:
    for kind in fallback:
        if kind == "candidate":
            yield from ((_CANDIDATE, one) for one in given.candidates)
        elif kind == "copy":
            yield "the source, copied", given.source
        elif translator := word_by_word():
            yield "word by word", translator.translate(requests([given.source]))[0].text


class Names:
    """Sets misspelt names right: of names that stand in the source, and nothing else.

    Args:
        names: the entries of the lexicon that are names.
        lexicon: the whole of it: a word that it knows is no misspelling.
        threshold: how alike (0 to 100) a misspelling is to the name.
        source: the language of the source.
    """

    def __init__(self, names: Lexicon, lexicon: Lexicon, threshold: float, source: str) -> None:
        self._names = names
        self._lexicon = lexicon
        self._threshold = threshold
        self._source = source
        self._target = lexicon.other(source)

    def mend(self, text: str, source: str) -> tuple[str, list[str]]:
        """The text with its names as the lexicon writes them, and what was changed, in words."""
        reasons: list[str] = []
        if not len(self._names):
            return text, reasons
        for match in self._names.find(source, self._source, near=False):
            wanted = _written(match)
            if not wanted or any(_says(text, one) for one in wanted):
                continue
            best = max((found for one in wanted if (found := self._misspelt(text, one))), default=None)
            if best is not None:
                _, start, end, name = best
                reasons.append(f"{text[start:end]} → {name}")
                text = text[:start] + name + text[end:]
        return text, reasons

    def _misspelt(self, text: str, name: str) -> tuple[float, int, int, str] | None:
        """Where the name stands, misspelt: (likeness, start, end, name)."""
        from rapidfuzz import fuzz

        spans = word_spans(text)
        size = len(word_spans(name)) or 1
        found = None
        for place in range(len(spans) - size + 1):
            start, end = spans[place][0], spans[place + size - 1][1]
            there = text[start:end]
            alike = fuzz.ratio(key(there), key(name))
            if key(there) != key(name) and name[:1].isupper() and not there[:1].isupper():
                continue  # a word, not a name: mina, the weight, is not Minā
            if fold(key(there)) == fold(key(name)):
                alike = 100.0
            if alike >= self._threshold and (found is None or alike > found[0]) and not self._is_other(there, name):
                found = (alike, start, end, name)
        return found

    def _is_other(self, there: str, name: str) -> bool:
        """Whether what stands there is a word or name of its own, not this one."""
        return key(there) != key(name) and self._lexicon.knows(there, self._target)


def _written(match: Match) -> list[str]:
    """How a name is written in the other language; as in its own where the lexicon does not say."""
    return [one.strip() for one in match.meanings or (match.entry.headword,) if one.strip()]


def _says(text: str, name: str) -> bool:
    """Whether a text has the name, perhaps with an ending: letter by letter, capitals and accents too.

    A name in small letters may begin a sentence, and any may stand in a line of capitals.
    """
    wanted = name, name[:1].upper() + name[1:], name.upper()
    spans = word_spans(text)
    size = len(word_spans(name)) or 1
    places = ((spans[n][0], spans[n + size - 1][1]) for n in range(len(spans) - size + 1))
    return any(text[start:end].startswith(wanted) for start, end in places)
