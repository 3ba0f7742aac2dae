"""The meaning of stems: one of those that training gave, or a word of the translation.

A stem that training has not seen has its meaning in the translation of the sentence, if anywhere: among its words, as
they are or without an ending (endings are learned from what people have glossed). Which one it is, is learned from
stems that are rare in training, as if they had not been seen. Texts that are glossed together help each other: a stem
that comes again and again has the same word beside it.
"""

from __future__ import annotations

import math
import random
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import regex

from seshat.models.glossing.choice import Choice, Features
from seshat.models.glossing.sentences import STEM, Glosses, Sentence, is_grammatical, meanings

_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)?")
RARE = 3
"""A stem of so few sentences teaches how unseen stems are found."""
SAMPLE = 2_500
"""Sentences, and rare stems among them, that the choice is learned from."""
RULE = 3
"""How often an ending must have been seen before it is taken off."""
FREE_RULE = 8
"""How often, before it is taken off words whose stem no gloss has."""


class Slot(NamedTuple):
    """A stem in a sentence."""

    word: int
    part: int
    stem: str
    """Lower-cased."""
    gloss: str
    """The right one, in training; else empty."""
    categories: tuple[str, ...]
    """The grammatical glosses of its word."""


class Where(NamedTuple):
    """A word of a translation that a gloss could be."""

    place: int
    written: str
    seen: int
    """How often training has seen the step from the word to the gloss."""


class Beside:
    """Which stems stand beside which words of translations, over several sentences, glossed or not."""

    def __init__(self, texts: Iterable[Sentence] = ()) -> None:
        self.together: Counter[tuple[str, str]] = Counter()
        """Sentences with a stem and a word of the translation."""
        self.stems: Counter[str] = Counter()
        self.words: Counter[str] = Counter()
        for sentence in texts:
            tokens = {token.lower() for token in _WORD.findall(sentence.translation)}
            stems = {part.lower() for parts in sentence.morphemes for part in parts}
            self.words.update(tokens)
            self.stems.update(stems)
            self.together.update((stem, token) for stem in stems for token in tokens)


class Stems:
    """What is known of stems and their meanings.

    Args:
        training: sentences with glosses.
        seed: of the choice.
    """

    def __init__(self, training: Sequence[Sentence], seed: int = 0) -> None:
        self._count(training)
        self._learn(training, seed)

    def _count(self, training: Sequence[Sentence]) -> None:
        self.glosses: dict[str, Counter[str]] = defaultdict(Counter)
        self._meanings: Counter[str] = Counter()
        self._written: dict[str, Counter[str]] = defaultdict(Counter)
        self._beside: Counter[tuple[str, str]] = Counter()
        self._appears: Counter[str] = Counter()
        rules: Counter[tuple[str, str]] = Counter()
        for sentence in training:
            tokens = {token.lower() for token in _WORD.findall(sentence.translation)}
            self._appears.update(tokens)
            for slot in _slots(sentence, sentence.glosses):
                self.glosses[slot.stem][slot.gloss] += 1
                heads = meanings(slot.gloss)
                for word in heads:
                    self._written[word.lower()][word] += 1
                    rules.update(_rule(word.lower(), tokens))
                if heads:
                    self._meanings[heads[0].lower()] += 1
                    self._beside.update((heads[0].lower(), category) for category in slot.categories)
        self._rules = {rule: count for rule, count in rules.items() if count >= RULE or rule == ("", "")}
        self._rules.setdefault(("", ""), 1)
        self._lemmas: dict[str, list[tuple[str, int]]] = {}

    def beside(self, texts: Iterable[Sentence]) -> Beside:
        """What stands beside what in sentences to be glossed; words are counted over training, too."""
        found = Beside(texts)
        found.words.update(self._appears)
        return found

    def _learn(self, training: Sequence[Sentence], seed: int) -> None:
        random_ = random.Random(seed)
        sample = random_.sample(training, min(SAMPLE, len(training)))
        beside = Beside(training)
        totals = {stem: found.total() for stem, found in self.glosses.items()}
        rare: list[tuple[list[Features], set[int]]] = []
        ambiguous: list[tuple[list[Features], set[int]]] = []
        for sentence in sample:
            view = _View(self, sentence, beside)
            slots = list(_slots(sentence, sentence.glosses))
            every = Counter(word.lower() for slot in slots for word in meanings(slot.gloss))
            for slot in slots:
                view.used = every - Counter(word.lower() for word in meanings(slot.gloss))
                if beside.stems[slot.stem] <= RARE and totals[slot.stem] <= RARE + 1:
                    named, kept = view.from_translation(slot), rare
                    right = {place for place, (gloss, _) in enumerate(named) if gloss.lower() == slot.gloss.lower()}
                elif len(self.glosses[slot.stem]) > 1:
                    named, kept = view.from_training(slot), ambiguous
                    right = {place for place, (gloss, _) in enumerate(named) if gloss == slot.gloss}
                else:
                    continue
                if right and len(named) > 1:
                    kept.append(([features for _, features in named], right))
        random_.shuffle(rare)
        random_.shuffle(ambiguous)
        self._unseen = Choice.learn(rare[:SAMPLE], seed)
        self._seen = Choice.learn(ambiguous[: 2 * SAMPLE], seed)

    def fill(self, sentence: Sentence, labels: Glosses, beside: Beside) -> Glosses:
        """Glosses for a sentence in which stems are labelled :data:`~seshat.models.glossing.sentences.STEM`."""
        view = _View(self, sentence, beside)
        found = [list(word) for word in labels]
        open_: list[tuple[bool, Slot]] = []
        for slot in _slots(sentence, labels):
            if slot.gloss != STEM:
                continue
            known = self.glosses.get(slot.stem, Counter())
            if len(known) == 1:
                found[slot.word][slot.part] = next(iter(known))
            else:
                open_.append((not known, slot))
        for unseen, slot in sorted(open_):
            view.used = Counter(
                word.lower() for glosses in found for gloss in glosses if gloss != STEM for word in meanings(gloss)
            )
            slot = slot._replace(gloss="")
            named = view.from_translation(slot) if unseen else view.from_training(slot)
            choice = self._unseen if unseen else self._seen
            found[slot.word][slot.part] = named[choice.best([features for _, features in named])][0]
        return tuple(tuple(word) for word in found)

    def lemmas(self, word: str) -> list[tuple[str, int]]:
        """What a word of a translation could be as a gloss, and how often such a step was seen."""
        if word not in self._lemmas:
            self._lemmas[word] = list(self._stripped(word))
        return self._lemmas[word]

    def _stripped(self, word: str) -> Iterator[tuple[str, int]]:
        for (ending, instead), seen in self._rules.items():
            if word.endswith(ending) and len(word) - len(ending) >= 2:
                lemma = word[: len(word) - len(ending)] + instead
                if (not ending and not instead) or lemma in self._meanings or seen >= FREE_RULE:
                    yield lemma, seen


class _View:
    """A sentence with its translation, as the choice of a gloss sees it."""

    def __init__(self, stems: Stems, sentence: Sentence, beside: Beside) -> None:
        self._stems, self._sentence, self._beside = stems, sentence, beside
        self._tokens = _WORD.findall(sentence.translation)
        self._lemmas: dict[str, list[Where]] = defaultdict(list)
        for place, token in enumerate(self._tokens):
            for lemma, seen in stems.lemmas(token.lower()):
                self._lemmas[lemma].append(Where(place, token, seen))
        self.used: Counter[str] = Counter()
        """Meanings that other stems of the sentence have."""

    def _distance(self, slot: Slot, place: int) -> float:
        return abs(slot.word / len(self._sentence.words) - place / len(self._tokens))

    def from_translation(self, slot: Slot) -> list[tuple[str, Features]]:
        """Every word of the translation as the gloss of a stem, and the stem itself (names, loans)."""
        stem = self._sentence.morphemes[slot.word][slot.part]
        found = [
            self._candidate(slot, stem, lemma, max(where, key=lambda one: one.seen))
            for lemma, where in self._lemmas.items()
        ]
        again = float(self._beside.stems[slot.stem] > 1)
        found.append((stem, {"copy": 1.0, "copy capital": float(stem[:1].isupper()), "copy again": again}))
        return found

    def _candidate(self, slot: Slot, stem: str, lemma: str, where: Where) -> tuple[str, Features]:
        stems, beside, token = self._stems, self._beside, where.written.lower()
        own = meanings(slot.gloss)[:1]
        frequency = stems._meanings[lemma]
        if own and own[0].lower() == lemma:  # in training: as if the stem had not been seen
            frequency = max(0, frequency - stems.glosses[slot.stem].total())
        together = beside.together[slot.stem, token]
        sentences = beside.stems[slot.stem]
        dice = 2 * together / max(1, sentences + beside.words[token])
        capital = where.written[0].isupper() and where.place > 0
        features: dict[str, float] = {
            "as it is": float(token == lemma),
            "step": math.log(where.seen) / 5,
            "known": float(frequency > 0),
            "frequency": math.log1p(frequency) / 3,
            "in translations": math.log1p(stems._appears[token]) / 3,
            "ratio": math.log((frequency + 0.5) / (stems._appears[token] + 1)),
            "used": float(self.used[lemma] > 0),
            "distance": self._distance(slot, where.place),
            "letters": math.log(len(lemma)),
            "short": float(len(lemma) < 3),
            "together": dice,
            "together again": dice * (sentences > 1),
            "always": (sentences > 1) * together / max(1, sentences),
            "capital": float(capital and stem[:1].isupper()),
            "capital differs": float(capital != stem[:1].isupper()),
            **_likeness(slot.stem, lemma),
        }
        ending = token[-2:]
        for category in slot.categories[:4]:
            features[f"ending {ending} {category}"] = features[f"known {frequency > 0} {category}"] = 1.0
        if not slot.categories:
            features[f"ending {ending}"] = 1.0
        shown = where.written if capital else lemma
        if not capital and lemma in stems._written:
            shown = stems._written[lemma].most_common(1)[0][0]
        return shown, features

    def from_training(self, slot: Slot) -> list[tuple[str, Features]]:
        """Every gloss that training gave to a stem."""
        stems = self._stems
        counts = Counter(stems.glosses[slot.stem])
        if slot.gloss:  # in training: as if this one had not been seen
            counts[slot.gloss] -= 1
        total, most = counts.total(), max(counts.values())
        words = self._sentence.morphemes
        before = words[slot.word - 1][-1] if slot.word else ""
        after = words[slot.word + 1][0] if slot.word + 1 < len(words) else ""
        found: list[tuple[str, Features]] = []
        for gloss, count in counts.items():
            heads = [word.lower() for word in meanings(gloss)]
            there = [word in self._lemmas for word in heads]
            head = heads[0] if heads else ""
            features: dict[str, float] = {
                "share": math.log((count + 0.3) / (total + 1)),
                "only here": float(count <= 0),
                "most frequent": float(count == most),
                "used": float(any(self.used[word] for word in heads)),
                f"{slot.stem}|{gloss}|<{before}": 0.5,
                f"{slot.stem}|{gloss}|>{after}": 0.5,
            }
            if there and there[0]:
                features |= {
                    "there": 1.0,
                    "all there": float(all(there)),
                    "there, used": float(self.used[head] > 0),
                    "distance": min(self._distance(slot, one.place) for one in self._lemmas[head]),
                    "ratio": math.log((stems._meanings[head] + 0.5) / (stems._appears[head] + 1)),
                }
            for category in slot.categories[:4]:
                beside = (stems._beside[head, category] + 0.3) / (stems._meanings[head] + 1)
                features["beside"] = features.get("beside", 0.0) + math.log(beside) / 5
                features[f"{slot.stem}|{gloss}|{category}"] = 0.5
            found.append((gloss, features))
        return found


def _slots(sentence: Sentence, glosses: Glosses) -> Iterator[Slot]:
    """The stems of a sentence: whatever has no grammatical gloss."""
    for number, (parts, labels) in enumerate(zip(sentence.morphemes, glosses, strict=True)):
        categories = tuple(label for label in labels if is_grammatical(label) and label != STEM)
        for place, (part, label) in enumerate(zip(parts, labels, strict=True)):
            if label == STEM or not is_grammatical(label):
                yield Slot(number, place, part.lower(), label, categories)


def _rule(meaning: str, tokens: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The step from a word of the translation to a meaning: an ending, and what stands in its place."""
    if meaning in tokens:
        yield "", ""
        return
    longest: tuple[int, str] | None = None
    for token in sorted(tokens):
        shared = next(
            (place for place, (one, other) in enumerate(zip(token, meaning, strict=False)) if one != other),
            min(len(token), len(meaning)),
        )
        close = shared >= 3 and shared >= len(meaning) - 3 and len(token) - shared <= 5
        if close and (longest is None or shared > longest[0]):
            longest = shared, token
    if longest:
        yield longest[1][longest[0] :], meaning[longest[0] :]


def _likeness(stem: str, word: str) -> dict[str, float]:
    """How alike a stem and a word are written: loans and names."""
    bare = "".join(one for one in unicodedata.normalize("NFD", stem) if not unicodedata.combining(one))
    ours = {bare[place : place + 2] for place in range(len(bare) - 1)}
    theirs = {word[place : place + 2] for place in range(len(word) - 1)}
    alike = len(ours & theirs) / max(1, len(ours | theirs))
    return {"alike": alike, "equal": float(bare == word), "begin alike": float(bare[:2] == word[:2])}


def state(stems: Stems) -> dict[str, Any]:
    """What a :class:`Stems` has learned, as plain values for JSON."""
    return {
        "glosses": stems.glosses,
        "meanings": stems._meanings,
        "written": {word: forms.most_common(1)[0][0] for word, forms in stems._written.items()},
        "beside": [[*pair, count] for pair, count in stems._beside.items()],
        "appears": stems._appears,
        "rules": [[*rule, count] for rule, count in stems._rules.items()],
        "unseen": stems._unseen.weights,
        "seen": stems._seen.weights,
    }


def restored(values: dict[str, Any]) -> Stems:
    """A :class:`Stems` out of what :func:`state` gave."""
    stems = Stems.__new__(Stems)
    stems.glosses = defaultdict(Counter, {stem: Counter(found) for stem, found in values["glosses"].items()})
    stems._meanings, stems._appears = Counter(values["meanings"]), Counter(values["appears"])
    stems._written = defaultdict(Counter, {word: Counter([form]) for word, form in values["written"].items()})
    stems._beside = Counter({(one, other): count for one, other, count in values["beside"]})
    stems._rules = {(ending, instead): count for ending, instead, count in values["rules"]}
    stems._lemmas = {}
    stems._unseen, stems._seen = Choice(values["unseen"]), Choice(values["seen"])
    return stems
