"""What a word that the phrase table does not know may become, and how likely each way is.

Four ways out are tried: the word as it is written (*copy*: a name, a loan word), the word without an ending that known
words take too (*strip*: ``diciembrenin`` -> ``diciembre``), a word of the target texts that it begins with or is spelt
like (*cognate*), and what a known word of the same stem becomes (*relative*). How far to trust each way is learned from
the words that the training texts have just once: see :mod:`seshat.models.statistical.guesses`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

from seshat.models.statistical.phrases import Phrase, Scores
from seshat.models.statistical.tokens import fold, is_word

Lookup = Callable[[str], list[tuple[Phrase, Scores]]]
MIN_STEM = 3
"""Letters that two words must share to be relatives."""
MAX_AFFIX = 10
MIN_AFFIX_COUNT = 3
RELATIVES, TRANSLATIONS, COGNATES, STRIPPED = 4, 4, 2, 2
"""How many are tried of each."""
WAYS = ("copy", "strip", "cognate", "relative")
CLUES = (
    *WAYS,
    "copy:name",
    "copy:loan",
    "copy:known",
    "strip:name",
    "strip:loan",
    "strip:suffix",
    "strip:length",
    "cognate:name",
    "cognate:loan",
    "cognate:cost",
    "cognate:suffix",
    "cognate:length",
    "relative:name",
    "relative:loan",
    "relative:cost",
    "relative:probability",
    "relative:suffix",
)
"""What is known of a guess: its way, and per way what speaks for it."""


@dataclass(frozen=True)
class Guess:
    """One way out: target tokens, and its clues by name (:data:`CLUES`)."""

    target: Phrase
    way: str
    clues: dict[str, float]


class Affixes:
    """Endings that turn a known word into another known word, and how often."""

    def __init__(self, words: Iterable[str]) -> None:
        vocabulary = set(words)
        counts: Counter[str] = Counter()
        for word in vocabulary:
            for cut in range(max(MIN_STEM, len(word) - MAX_AFFIX), len(word)):
                if word[:cut] in vocabulary:
                    counts[word[cut:]] += 1
        self.endings = {ending: count for ending, count in counts.items() if count >= MIN_AFFIX_COUNT}


class Spelling:
    """How much more a word looks like the target language than like the source, by character trigrams."""

    def __init__(self, source_words: Iterable[str], target_words: Iterable[str]) -> None:
        self._source, self._target = self._count(source_words), self._count(target_words)

    @staticmethod
    def _count(words: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
        trigrams: Counter[str] = Counter()
        contexts: Counter[str] = Counter()
        for word in words:
            padded = f"  {word} "
            for start in range(len(padded) - 2):
                trigrams[padded[start : start + 3]] += 1
                contexts[padded[start : start + 2]] += 1
        return trigrams, contexts

    def loan(self, word: str) -> float:
        """Mean log ratio per character; above 0 for what looks like the target language."""
        padded = f"  {fold(word)} "
        total = 0.0
        for start in range(len(padded) - 2):
            gram = padded[start : start + 3]
            for sign, (trigrams, contexts) in ((1, self._target), (-1, self._source)):
                total += sign * log((trigrams[gram] + 0.3) / (contexts[gram[:2]] + 9.0))
        return total / (len(padded) - 2)


class Guesser:
    """Makes guesses for unknown words.

    Args:
        lookup: gives the scored translations of a known word.
        known: source words of the training texts (keys).
        vocabulary: target words in their usual spelling, the most frequent first.
    """

    def __init__(self, lookup: Lookup, known: Iterable[str], vocabulary: Sequence[str]) -> None:
        self._lookup = lookup
        words = sorted({word for word in known if is_word(word)})
        self.known = set(words)
        self._endings = Affixes(words).endings
        self._forms: dict[str, str] = {}
        for word in vocabulary:
            if is_word(word):
                self._forms.setdefault(fold(word), word)
        self._spelling = Spelling(map(fold, words), self._forms)
        self._by_start: dict[str, list[str]] = defaultdict(list)
        self._by_end: dict[str, list[str]] = defaultdict(list)
        for word in words:
            if len(word) > MIN_STEM:
                self._by_start[word[: MIN_STEM + 1]].append(word)
                self._by_end[word[-MIN_STEM - 1 :]].append(word)

    def guess(self, key: str, surface: str, *, name: bool) -> list[Guess]:
        """Guesses for a word, each target once.

        Args:
            key: what the word is looked up as.
            surface: the word as it is written.
            name: whether it has a capital that does not come from the start of a sentence.
        """
        found: dict[Phrase, Guess] = {}
        for guess in (
            *self._copy(key, surface, name),
            *self._cognates(surface, name),
            *self._strip(key, surface, name),
            *self._relatives(key, name),
        ):
            found.setdefault(guess.target, guess)
        return list(found.values())

    def _copy(self, key: str, surface: str, name: bool) -> Iterator[Guess]:
        usual = self._forms.get(fold(surface))
        shown = surface if name or surface[1:] != surface[1:].lower() else surface.lower()
        clues = {"name": float(name), "loan": self._spelling.loan(key), "known": float(usual is not None)}
        yield _guess((usual or shown,), "copy", clues)

    def _strip(self, key: str, surface: str, name: bool) -> Iterator[Guess]:
        cuts = [cut for cut in range(MIN_STEM, len(key)) if key[cut:] in self._endings and len(key) == len(surface)]
        rated = []
        for cut in cuts:
            count = self._endings[key[cut:]]
            rated.append((log(count) + 3 * self._spelling.loan(key[:cut]), cut))
        for _, cut in sorted(rated, reverse=True)[:STRIPPED]:
            stem = surface[:cut] if name else surface[:cut].lower()
            clues = {
                "name": float(name),
                "loan": self._spelling.loan(key[:cut]),
                "suffix": log(self._endings[key[cut:]]),
                "length": log(cut),
            }
            yield _guess((self._forms.get(fold(stem), stem),), "strip", clues)

    def _cognates(self, surface: str, name: bool) -> Iterator[Guess]:
        folded = fold(surface)
        count = 0
        for cut in range(len(folded) - 1, MIN_STEM, -1):
            form = self._forms.get(folded[:cut])
            if form is None or count == COGNATES:
                continue
            count += 1
            clues = {
                "name": float(name),
                "loan": self._spelling.loan(folded[:cut]),
                "cost": (len(folded) - cut) / cut,
                "suffix": float(folded[cut:] in self._endings),
                "length": log(cut),
            }
            yield _guess((form,), "cognate", clues)

    def _relatives(self, key: str, name: bool) -> Iterator[Guess]:
        loan = self._spelling.loan(key)
        for other, cost, regular in self._nearest(key):
            for target, scores in self._lookup(other)[:TRANSLATIONS]:
                clues = {
                    "name": float(name),
                    "loan": loan,
                    "cost": cost,
                    "probability": scores[0] + 0.3 * scores[2],
                    "suffix": float(regular),
                }
                yield _guess(target, "relative", clues)

    def _nearest(self, word: str) -> list[tuple[str, float, bool]]:
        candidates = {*self._by_start.get(word[: MIN_STEM + 1], ()), *self._by_end.get(word[-MIN_STEM - 1 :], ())}
        candidates |= {part for cut in range(MIN_STEM, len(word)) for part in (word[:cut], word[-cut:])} & self.known
        candidates.discard(word)
        rated = []
        for other in candidates:
            start = _common(word, other)
            end = _common(word[start:][::-1], other[start:][::-1])
            longest = max(len(word), len(other))
            if start + end < MIN_STEM or 2 * (start + end) < longest:
                continue
            endings = [ending for ending in (word[start:], other[start:]) if ending]
            regular = end == 0 and all(ending in self._endings for ending in endings)
            cost = longest / (start + end) - 1.0
            rated.append((cost + (0.0 if regular else 0.3), other, cost, regular))
        return [(other, cost, regular) for _, other, cost, regular in sorted(rated)[:RELATIVES]]


def _guess(target: Phrase, way: str, clues: dict[str, float]) -> Guess:
    return Guess(target, way, {way: 1.0, **{f"{way}:{name}": value for name, value in clues.items()}})


def _common(a: str, b: str) -> int:
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return length
