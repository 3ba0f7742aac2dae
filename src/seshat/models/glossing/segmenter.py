"""Words into the pieces that stand for morphemes, as they are written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from seshat.models.glossing import features
from seshat.models.glossing.sentences import STEM, Sentence, is_grammatical
from seshat.models.glossing.tagger import Tagger

Parts = tuple[str, ...]
_INSIDE = "I"
_NOTHING = Tagger.of({}, {})


class Segmenter:
    """Cuts words.

    Args:
        tagger: says of every letter whether a stem (``LEX``) or another morpheme (``B``) begins there.
        words: the words of training as they are cut most often there.
    """

    def __init__(self, tagger: Tagger, words: Mapping[str, tuple[str, ...]]) -> None:
        self.tagger, self.words = tagger, words
        self._pieces = frozenset(part.lower() for parts in words.values() for part in parts if part)
        self._found = dict(words)

    @classmethod
    def train(cls, sentences: Iterable[Sentence]) -> Segmenter:
        """Learn from sentences whose morphemes are pieces of their words."""
        seen: dict[str, Counter[tuple[Parts, Parts]]] = defaultdict(Counter)
        for sentence in sentences:
            for word, parts, glosses in zip(sentence.words, sentence.morphemes, sentence.glosses, strict=True):
                if word and "".join(parts) == word:
                    seen[word][parts, glosses] += 1
        usual = {word: min(found, key=lambda one: (-found[one], one)) for word, found in sorted(seen.items())}
        segmenter = cls(_NOTHING, {word: parts for word, (parts, _) in usual.items()})
        examples = []
        for word, (parts, glosses) in usual.items():
            labels: list[str] = []
            for part, gloss in zip(parts, glosses, strict=True):
                labels += ["B" if is_grammatical(gloss) else STEM, *[_INSIDE] * (len(part) - 1)][: len(part)]
            examples.append((features.of_letters(word, segmenter._pieces.__contains__), labels))
        segmenter.tagger = Tagger.train(examples)
        return segmenter

    def cut(self, word: str) -> tuple[str, ...]:
        """The pieces of a word."""
        if word not in self._found:
            labels = self.tagger.tag(features.of_letters(word, self._pieces.__contains__))
            starts = [place for place, label in enumerate(labels) if label != _INSIDE or not place]
            ends = [*starts[1:], len(word)]
            self._found[word] = tuple(word[start:end] for start, end in zip(starts, ends, strict=True))
        return self._found[word]
