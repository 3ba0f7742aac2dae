"""A small grammar of Lumeko, a constructed agglutinative language, beside Spanish.

Lumeko puts the verb last. Nouns take plural and case suffixes, verbs take negation, tense and person; possessors and
adjectives stand before their noun. One sound rule: ``t`` of a suffix turns into ``d`` after ``n``. Everything is
written here by hand or drawn from a seeded generator, and nothing is taken from any real language.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import vocabulary as words

CASES = {"ERG": "so", "ACC": "ta", "DAT": "kiʼ", "LOC": "me", "COM": "waru", "GEN": "nɨ", "ABL": "tepo"}
TENSES = {"past": ("PST", "ke"), "present": ("PRS", "i"), "future": ("FUT", "nũ")}
PERSONS = {"1sg": ("1SG", "ma"), "2sg": ("2SG", "si"), "3sg": ("", ""), "1pl": ("1PL", "mun"), "3pl": ("3PL", "ro")}
PLURAL, NEGATION, COPULA, QUESTION = "ri", "pak", "wa", "kaʼ"

_ONSETS = ["p", "t", "k", "m", "n", "s", "r", "w", "y", "ch", "sh", "l", "b", "d", "g", "h"]
_VOWELS = ["a", "e", "i", "o", "u", "ɨ"]
_ENDINGS = {
    "ar": {"present": "o as a amos an", "past": "é aste ó amos aron"},
    "er": {"present": "o es e emos en", "past": "í iste ió imos ieron"},
    "ir": {"present": "o es e imos en", "past": "í iste ió imos ieron"},
    "future": {"future": "é ás á emos án"},
}


@dataclass(frozen=True)
class Stem:
    """A Lumeko stem and its Spanish word. ``kind`` is the class it is drawn from."""

    form: str
    spanish: str
    kind: str
    gender: str = "m"


@dataclass(frozen=True)
class Word:
    """A Lumeko word as morphemes with their glosses."""

    morphemes: tuple[str, ...]
    glosses: tuple[str, ...]

    @property
    def form(self) -> str:
        """The morphemes joined, after the sound rule."""
        form = self.morphemes[0]
        for morpheme in self.morphemes[1:]:
            form += "d" + morpheme[1:] if form.endswith("n") and morpheme.startswith("t") else morpheme
        return form


@dataclass
class Sentence:
    """A sentence: Lumeko words, Spanish words, and whether it asks."""

    words: list[Word]
    spanish: list[str]
    question: bool = False

    @property
    def lumeko_text(self) -> str:
        """The Lumeko sentence as it is written."""
        return _written([word.form for word in self.words], "?" if self.question else ".")

    @property
    def spanish_text(self) -> str:
        """The Spanish sentence as it is written."""
        text = " ".join(self.spanish).replace(" a el ", " al ").replace(" de el ", " del ")
        return ("¿" if self.question else "") + _written(text.split(), "?" if self.question else ".")


def _written(tokens: list[str], end: str) -> str:
    text = " ".join(tokens)
    return text[0].upper() + text[1:] + end


class Lexicon:
    """All stems, drawn once from a seed."""

    def __init__(self, rng: random.Random) -> None:
        self._taken: set[str] = {*CASES.values(), QUESTION, COPULA}
        self._rng = rng
        kinds = [
            ("animal", words.ANIMALS), ("food", words.FOOD), ("thing", words.THINGS), ("place", words.PLACES),
            ("person", words.PEOPLE), ("intransitive", words.INTRANSITIVE), ("transitive", words.TRANSITIVE),
            ("adjective", words.ADJECTIVES), ("adverb", " ".join(words.ADVERBS)), ("number", " ".join(words.NUMBERS)),
        ]  # fmt: skip
        self.by_kind: dict[str, list[Stem]] = {
            kind: [self._stem(w, kind) for w in text.split()] for kind, text in kinds
        }
        self.by_kind["name"] = [self._name("name", 3) for _ in range(36)]
        self.by_kind["name"] += [Stem(name, name, "name") for name in words.LOAN_NAMES]
        self.by_kind["town"] = [self._name("town", 3) for _ in range(18)]
        self.by_kind["town"] += [Stem(name, name, "town") for name in words.LOAN_PLACES]

    def _form(self, syllables: int) -> str:
        while True:
            form = "".join(self._rng.choice(_ONSETS) + self._rng.choice(_VOWELS) for _ in range(syllables))
            form += self._rng.choice(["", "", "", "n"])
            if form not in self._taken:
                self._taken.add(form)
                return form

    def _stem(self, word: str, kind: str) -> Stem:
        spanish, _, gender = word.partition("/")
        return Stem(
            self._form(self._rng.choice([2, 2, 3])), spanish, kind, gender or ("f" if spanish[-1] == "a" else "m")
        )

    def _name(self, kind: str, syllables: int) -> Stem:
        form = self._form(syllables).capitalize()
        return Stem(form, form.replace("ɨ", "i").replace("ʼ", ""), kind)

    @property
    def stems(self) -> list[Stem]:
        """Every stem, class by class."""
        return [stem for kind in self.by_kind.values() for stem in kind]


def plural(noun: str) -> str:
    """Spanish plural of a regular noun or adjective."""
    if noun.endswith("z"):
        return noun[:-1] + "ces"
    if noun[-1] in "aeiouéó":
        return noun + "s"
    for accented, plain in (("ón", "on"), ("én", "en"), ("án", "an"), ("ín", "in"), ("és", "es")):
        if noun.endswith(accented):
            return noun[:-2] + plain + "es"
    return noun + "es"


def conjugate(verb: str, tense: str, person: str) -> str:
    """A regular Spanish verb in the present, preterite or future."""
    index = ["1sg", "2sg", "3sg", "1pl", "3pl"].index(person)
    if tense == "future":
        return verb + _ENDINGS["future"]["future"].split()[index]
    stem, ending = verb[:-2], _ENDINGS[verb[-2:]][tense].split()[index]
    if ending.startswith("é"):  # busqué, llegué, cacé
        for letter, spelling in (("c", "qu"), ("g", "gu"), ("z", "c")):
            if stem.endswith(letter):
                stem = stem[:-1] + spelling
    return stem + ending


def _agree(adjective: str, gender: str, many: bool) -> str:
    form = adjective[:-1] + "a" if adjective.endswith("o") and gender == "f" else adjective
    return plural(form) if many else form


@dataclass
class _NounPhrase:
    words: list[Word]
    spanish: list[str]
    many: bool
    animate: bool


@dataclass
class Speaker:
    """Makes sentences from the stems it knows. ``allowed`` says which two stems may meet in one."""

    rng: random.Random
    stems: dict[str, list[Stem]]
    allowed: Callable[[tuple[str, str]], bool] = lambda _pair: True

    def pick(self, *kinds: str) -> Stem:
        """A stem of one of the kinds."""
        return self.rng.choice(self.stems[self.rng.choice(kinds)])

    def noun_phrase(self, stem: Stem, case: str | None, *, plain: bool = False) -> _NounPhrase:
        """A noun with optional possessor, number, adjective and plural, in a case."""
        rng, name = self.rng, stem.kind in ("name", "town")
        many = not name and not plain and rng.random() < 0.25
        before: list[Word] = []
        spanish = stem.spanish
        morphemes, glosses = [stem.form], [stem.spanish]
        gender = "m" if stem.gender == "m" else "f"
        article = {"mF": "el", "mT": "los", "fF": "la", "fT": "las"}[gender + str(many)[0]]
        if stem.gender == "a":  # a feminine noun that takes "el" in the singular: el agua
            gender, article = "f", "las" if many else "el"
        after: list[str] = []
        if many and rng.random() < 0.4:
            number = self.pick("number")
            digits = str(words.NUMBERS[number.spanish]) if rng.random() < 0.3 else None
            before.append(Word((digits or number.form,), (digits or number.spanish,)))
            article = digits or number.spanish
        elif many:
            morphemes.append(PLURAL)
            glosses.append("PL")
        if not name and not plain and rng.random() < 0.3:
            adjective = self.pick("adjective")
            before.append(Word((adjective.form,), (adjective.spanish,)))
            after.append(_agree(adjective.spanish, gender, many))
        if not name and not plain and not many and rng.random() < 0.15:
            owner = self.pick("person", "name")
            before.insert(0, Word((owner.form, CASES["GEN"]), (owner.spanish, "GEN")))
            owned = [owner.spanish] if owner.kind == "name" else ["el" if owner.gender == "m" else "la", owner.spanish]
            after += ["de", *owned]
        if case:
            morphemes.append(CASES[case])
            glosses.append(case)
        noun = [plural(spanish) if many else spanish]
        phrase = noun if name else [article, *noun, *after]
        return _NounPhrase(
            [*before, Word(tuple(morphemes), tuple(glosses))], phrase, many, stem.kind in ("person", "name", "animal")
        )

    def verb(self, stem: Stem, tense: str, person: str, negative: bool) -> tuple[Word, list[str]]:
        """A verb with negation, tense and person, and its Spanish words."""
        tense_gloss, tense_form = TENSES[tense]
        person_gloss, person_form = PERSONS[person]
        parts = [(stem.form, stem.spanish)]
        parts += [(NEGATION, "NEG")] if negative else []
        parts += [(tense_form, tense_gloss)]
        parts += [(person_form, person_gloss)] if person_form else []
        conjugated = conjugate(stem.spanish, tense, person)
        return Word(*zip(*parts, strict=True)), ["no", conjugated] if negative else [conjugated]

    def sentence(self) -> Sentence:
        """A sentence whose noun and verb (or adjective) may meet."""
        while True:
            makers = [
                self._intransitive,
                self._transitive,
                self._motion,
                self._copula,
                self._giving,
                self._first_person,
            ]
            made, pair = self.rng.choices(makers, weights=[3, 5, 3, 2, 2, 2])[0]()
            if self.allowed(pair):
                return made

    def _frame(self) -> tuple[str, bool, bool, list[Word], list[str]]:
        """Tense, negation, question, and an optional adverb that agrees with the tense."""
        tense = self.rng.choice(list(TENSES))
        adverbs = [s for s in self.stems["adverb"] if words.ADVERBS[s.spanish] == tense]
        adverb = self.rng.choice(adverbs) if adverbs and self.rng.random() < 0.3 else None
        lumeko = [Word((adverb.form,), (adverb.spanish,))] if adverb else []
        return tense, self.rng.random() < 0.12, self.rng.random() < 0.08, lumeko, [adverb.spanish] if adverb else []

    def _finish(self, lumeko: list[Word], spanish: list[str], question: bool) -> Sentence:
        if question:
            lumeko = [*lumeko, Word((QUESTION,), ("Q",))]
        return Sentence(lumeko, spanish, question)

    def _intransitive(self) -> tuple[Sentence, tuple[str, str]]:
        tense, negative, question, adverb, adverbio = self._frame()
        noun, verb_stem = self.pick("person", "animal", "name"), self.pick("intransitive")
        subject = self.noun_phrase(noun, None)
        verb, verbo = self.verb(verb_stem, tense, "3pl" if subject.many else "3sg", negative)
        extra, extra_es = [], []
        if self.rng.random() < 0.4:
            companion = self.noun_phrase(self.pick("person", "name"), "COM")
            extra, extra_es = companion.words, ["con", *companion.spanish]
        lumeko = [*adverb, *subject.words, *extra, verb]
        return self._finish(lumeko, [*adverbio, *subject.spanish, *verbo, *extra_es], question), (
            noun.form,
            verb_stem.form,
        )

    def _transitive(self) -> tuple[Sentence, tuple[str, str]]:
        tense, negative, question, adverb, adverbio = self._frame()
        subject = self.noun_phrase(self.pick("person", "name", "animal"), "ERG")
        noun, verb_stem = self.pick("thing", "food", "animal"), self.pick("transitive")
        patient = self.noun_phrase(noun, "ACC")
        verb, verbo = self.verb(verb_stem, tense, "3pl" if subject.many else "3sg", negative)
        lumeko = [*adverb, *subject.words, *patient.words, verb]
        return self._finish(lumeko, [*adverbio, *subject.spanish, *verbo, *patient.spanish], question), (
            noun.form, verb_stem.form,
        )  # fmt: skip

    def _motion(self) -> tuple[Sentence, tuple[str, str]]:
        tense, negative, question, adverb, adverbio = self._frame()
        subject = self.noun_phrase(self.pick("person", "animal", "name"), None)
        noun, verb_stem = self.pick("place", "place", "town"), self.pick("intransitive")
        case, preposition = self.rng.choice([("LOC", "en"), ("ABL", "desde")])
        place = self.noun_phrase(noun, case)
        verb, verbo = self.verb(verb_stem, tense, "3pl" if subject.many else "3sg", negative)
        lumeko = [*adverb, *subject.words, *place.words, verb]
        spanish = [*adverbio, *subject.spanish, *verbo, preposition, *place.spanish]
        return self._finish(lumeko, spanish, question), (noun.form, verb_stem.form)

    def _copula(self) -> tuple[Sentence, tuple[str, str]]:
        noun, adjective = self.pick("animal", "thing", "place", "person"), self.pick("adjective")
        subject = self.noun_phrase(noun, None, plain=True)
        negative = self.rng.random() < 0.15
        parts = [(adjective.form, adjective.spanish), (COPULA, "COP"), *([(NEGATION, "NEG")] if negative else [])]
        spanish = [*subject.spanish, *(["no"] if negative else []), "es"]
        spanish.append(_agree(adjective.spanish, "m" if noun.gender == "m" else "f", False))
        return Sentence([*subject.words, Word(*zip(*parts, strict=True))], spanish), (noun.form, adjective.form)

    def _giving(self) -> tuple[Sentence, tuple[str, str]]:
        tense, negative, question, adverb, adverbio = self._frame()
        giver = self.noun_phrase(self.pick("person", "name"), "ERG", plain=True)
        noun, verb_stem = self.pick("thing", "food"), self.pick("transitive")
        gift = self.noun_phrase(noun, "ACC")
        receiver = self.noun_phrase(self.pick("person", "name"), "DAT", plain=True)
        verb, verbo = self.verb(verb_stem, tense, "3sg", negative)
        lumeko = [*adverb, *giver.words, *receiver.words, *gift.words, verb]
        spanish = [*adverbio, *giver.spanish, *verbo, *gift.spanish, "para", *receiver.spanish]
        return self._finish(lumeko, spanish, question), (noun.form, verb_stem.form)

    def _first_person(self) -> tuple[Sentence, tuple[str, str]]:
        tense, negative, question, adverb, adverbio = self._frame()
        noun, verb_stem = self.pick("thing", "food", "animal"), self.pick("transitive")
        patient = self.noun_phrase(noun, "ACC")
        verb, verbo = self.verb(verb_stem, tense, self.rng.choice(["1sg", "2sg", "1pl", "3pl"]), negative)
        lumeko = [*adverb, *patient.words, verb]
        return self._finish(lumeko, [*adverbio, *verbo, *patient.spanish], question), (noun.form, verb_stem.form)
