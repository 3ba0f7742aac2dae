"""Words of the test set that training never shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from seshat.data.check.base import Check, Finding, percent
from seshat.text.lookup import is_spaceless
from seshat.text.words import words

_MANY = 0.5


class Unseen(Check):
    """Share of the words of test that stand nowhere in train, per language, with and without the lexicon."""

    name = "unseen words"

    def start(self) -> None:
        self.figures: dict[str, dict[str, Any]] = {}

    def findings(self) -> Iterator[Finding]:
        if self.view.sets is None:
            return
        for lang in self.view.languages:
            seen = {word for s in self.view.set("train") for word in words(s.texts.get(lang, "").casefold())}
            test = Counter(word for s in self.view.set("test") for word in words(s.texts.get(lang, "").casefold()))
            if not test or not seen:
                continue
            if 2 * sum(map(is_spaceless, test)) > len(test):
                name = self.view.config.project.language_name(lang)
                yield self.found(
                    "info",
                    f"{name} is written without spaces between words: what is new in test cannot be counted in words. "
                    "The statistical family learns from its characters, and BLEU counts them.",
                )
                continue
            unseen = Counter({word: count for word, count in test.items() if word not in seen})
            known = self._lexicon(lang)
            share = unseen.total() / test.total()
            left = sum(count for word, count in unseen.items() if word not in known)
            self.figures[lang] = {
                "test_words": test.total(),
                "unseen": unseen.total(),
                "share": round(share, 4),
                "unseen_and_not_in_lexicon": left,
            }
            yield self.found(
                "warning" if share > _MANY and self.view.config.project.pivot else "info",
                f"{percent(unseen.total(), test.total())} of the words of test in "
                f"{self.view.config.project.language_name(lang)} are not in train "
                f"({percent(left, test.total())} not in the lexicon either).",
                advice=(
                    "Morphemes or subwords (train.statistical.segmentation), a larger lexicon and more text help; "
                    "scores will be low for every model."
                    if share > _MANY and self.view.config.project.pivot
                    else ""
                ),
            )

    def _lexicon(self, lang: str) -> set[str]:
        known: set[str] = set()
        if self.view.sets is None:
            return known
        for entry in self.view.lexicon():
            texts = (entry.headword, *entry.forms) if entry.lang == lang else ()
            glosses = (gloss for sense in entry.senses for gloss in sense.glosses.get(lang, ()))
            known.update(word for text in (*texts, *glosses) for word in words(text.casefold()))
        return known

    def stats(self) -> dict[str, Any]:
        return self.figures
