"""Glosses for sentences, and the look-up that they have to beat."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from seshat.core.errors import DataError
from seshat.core.jsonl import atomic_path, write_bytes, write_json
from seshat.models.glossing import features, stems
from seshat.models.glossing.segmenter import Segmenter
from seshat.models.glossing.sentences import STEM, Glosses, Sentence, as_written, is_grammatical
from seshat.models.glossing.stems import Stems
from seshat.models.glossing.tagger import Tagger

UNKNOWN = "?"
"""What the look-up says of a morpheme that training has not."""
SMALL = 200
"""With fewer sentences, cross-validation says whether categories are tagged or looked up."""
FOLDS = 5
_OFTEN = 5
"""A meaning of an ambiguous stem that occurs so often becomes a label of its own."""
_NUMBERS, _WORDS = "taggers.npz", "stems.json.gz"
log = structlog.get_logger(__name__)


class LookUp:
    """The most frequent gloss of each morpheme; of a whole word where it has been seen as it is."""

    def __init__(self, training: Iterable[Sentence]) -> None:
        self._words: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self.morphemes: dict[str, Counter[str]] = defaultdict(Counter)
        for sentence in training:
            for word, parts, glosses in zip(sentence.words, sentence.morphemes, sentence.glosses, strict=True):
                self._words[word.lower()][glosses] += 1
                for part, gloss in zip(parts, glosses, strict=True):
                    self.morphemes[part.lower()][gloss] += 1

    def gloss(self, sentence: Sentence) -> Glosses:
        """Glosses of the morphemes of a sentence; of its words where nobody has cut them."""
        if not sentence.morphemes:
            return tuple(_first(self._words.get(word.lower()), (UNKNOWN,)) for word in sentence.words)
        return tuple(
            tuple(_first(self.morphemes.get(part.lower()), UNKNOWN) for part in parts) for parts in sentence.morphemes
        )


def _first(found: Counter[Any] | None, otherwise: Any) -> Any:
    return min(found, key=lambda one: (-found[one], one)) if found else otherwise


class _Labeller:
    """Labels for morphemes: categories and common meanings by name, other stems as ``LEX``."""

    def __init__(self, look_up: Mapping[str, Counter[str]], tagger: Tagger | None) -> None:
        self._known, self.tagger = look_up, tagger

    @classmethod
    def train(cls, training: Sequence[Sentence]) -> _Labeller:
        known = LookUp(training).morphemes
        often = Counter(
            gloss for sentence in training for word in sentence.glosses for gloss in word if not is_grammatical(gloss)
        )
        kept = {
            gloss
            for found in known.values()
            if sum(count > 1 for gloss, count in found.items() if not is_grammatical(gloss)) > 1
            for gloss in found
            if often[gloss] >= _OFTEN
        }
        labeller = cls(known, None)

        def examples() -> Iterable[tuple[list[list[str]], list[str]]]:
            for sentence in training:
                labels = [
                    gloss if is_grammatical(gloss) or gloss in kept else STEM
                    for word in sentence.glosses
                    for gloss in word
                ]
                yield features.of_morphemes(sentence.morphemes, labeller._of), labels

        labeller.tagger = Tagger.train(examples())
        return labeller

    def _of(self, morpheme: str) -> Sequence[str]:
        """What training says of a morpheme."""
        found = self._known.get(morpheme.lower())
        return [f"usual={_first(found, '')}", f"glosses={min(len(found), 3)}"] if found else ["unseen"]

    def label(self, sentence: Sentence) -> Glosses:
        """A label for each morpheme."""
        if self.tagger is None:
            return tuple(tuple(self._usual(part) for part in parts) for parts in sentence.morphemes)
        labels = iter(self.tagger.tag(features.of_morphemes(sentence.morphemes, self._of)))
        return tuple(tuple(next(labels) for _ in parts) for parts in sentence.morphemes)

    def _usual(self, part: str) -> str:
        gloss: str = _first(self._known.get(part.lower()), STEM)
        return gloss if is_grammatical(gloss) else STEM


class Glosser:
    """Glosses sentences, cut into morphemes or not."""

    def __init__(self, stems_: Stems, labeller: _Labeller, written: _Labeller, segmenter: Segmenter) -> None:
        self._stems, self._labeller, self._written, self._segmenter = stems_, labeller, written, segmenter

    @classmethod
    def train(cls, training: Sequence[Sentence], seed: int = 0) -> Glosser:
        """Learn from glossed sentences.

        Raises:
            DataError: there are none.
            MissingPackage: ``python-crfsuite`` is not installed.
        """
        if not training:
            raise DataError(
                "There is nothing to learn glosses from: no sentence has a gloss for each of its morphemes.",
                "Name the tiers, markers or columns of the glosses in ingest.sources (docs/formats.md).",
            )
        written = [as_written(sentence) for sentence in training]
        labeller = _Labeller.train(training)
        if len(training) < SMALL and not _tagging_helps(training, seed):
            log.info("categories are looked up: tagging them is no better on so few sentences", sentences=len(training))
            labeller.tagger = None
        return cls(Stems(training, seed), labeller, _Labeller.train(written), Segmenter.train(written))

    def gloss(self, texts: Sequence[Sentence]) -> list[Sentence]:
        """The sentences with their glosses, and cut where nobody has cut them.

        Sentences that are given together help each other: what stands beside a stem that is not known is counted over
        all of them.
        """
        cut = [
            sentence
            if sentence.morphemes
            else replace(sentence, morphemes=tuple(self._segmenter.cut(word) for word in sentence.words))
            for sentence in texts
        ]
        beside = self._stems.beside(cut)
        found = []
        for sentence, given in zip(cut, texts, strict=True):
            labeller = self._labeller if given.morphemes else self._written
            found.append(replace(sentence, glosses=self._stems.fill(sentence, labeller.label(sentence), beside)))
        return found

    def save(self, folder: Path) -> None:
        """Write the model: numbers, and names as JSON."""
        import numpy as np

        taggers = {"labeller": self._labeller.tagger, "written": self._written.tagger, "cut": self._segmenter.tagger}
        arrays = {f"{name}.{key}": array for name, one in taggers.items() if one for key, array in one.arrays().items()}
        with atomic_path(folder / _NUMBERS) as path, path.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)
        names = {
            "stems": stems.state(self._stems),
            "labeller": self._labeller._known,
            "written": self._written._known,
            "words": self._segmenter.words,
        }
        said = json.dumps(names, ensure_ascii=False).encode()
        write_bytes(folder / _WORDS, gzip.compress(said, compresslevel=5, mtime=0))
        write_json(folder / "glosser.json", {"version": 1})

    @classmethod
    def load(cls, folder: Path) -> Glosser:
        """Open a model.

        Raises:
            DataError: there is none, or it is damaged.
        """
        import numpy as np

        path = folder / _NUMBERS
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            with gzip.open(folder / _WORDS, "rt", encoding="utf-8") as text:
                names = json.load(text)
            taggers = {
                name: Tagger.of_arrays(
                    {key.partition(".")[2]: one for key, one in arrays.items() if key.startswith(f"{name}.")}, path
                )
                for name in ("labeller", "written", "cut")
                if f"{name}.labels" in arrays
            }
            known = {
                name: defaultdict(Counter, {part: Counter(found) for part, found in names[name].items()})
                for name in ("labeller", "written")
            }
            return cls(
                stems.restored(names["stems"]),
                _Labeller(known["labeller"], taggers.get("labeller")),
                _Labeller(known["written"], taggers.get("written")),
                Segmenter(taggers["cut"], {word: tuple(parts) for word, parts in names["words"].items()}),
            )
        except FileNotFoundError as error:
            raise DataError(f"{folder}: there is no glosser here.", "Train one with: seshat gloss") from error
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise DataError(f"{folder}: this glosser is damaged: {error}.", "Train it again: seshat gloss") from error


def _tagging_helps(training: Sequence[Sentence], seed: int) -> bool:
    """Whether tagging gets more morphemes right than looking up, each sentence left out once."""
    order = list(training)
    random.Random(seed).shuffle(order)
    right = {"tagged": 0, "looked up": 0}
    for fold in range(FOLDS):
        rest = [sentence for place, sentence in enumerate(order) if place % FOLDS != fold]
        if not rest:
            return False
        labeller = _Labeller.train(rest)
        plain = _Labeller(labeller._known, None)
        for sentence in order[fold::FOLDS]:
            for name, one in (("tagged", labeller), ("looked up", plain)):
                for gold, labels in zip(sentence.glosses, one.label(sentence), strict=True):
                    right[name] += sum(
                        label == gloss or (label == STEM and not is_grammatical(gloss))
                        for label, gloss in zip(labels, gold, strict=True)
                    )
    return right["tagged"] > right["looked up"]
