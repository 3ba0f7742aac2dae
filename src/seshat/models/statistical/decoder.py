"""Decoding with Thot: the options of a batch become a small phrase table, so that one weight vector of ours does all.

Thot scores a phrase pair by the logarithm of a ratio of counts. Each pair is written with a "count" that is the
exponential of its own weighted features, so the decoder's search runs on our score; only the language model and the
jumps are weighted inside Thot.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from seshat.models.statistical.features import JUMP, LANGUAGE_MODEL, phrase_score
from seshat.models.statistical.options import Options, Source, Values
from seshat.models.statistical.phrases import Phrase
from seshat.models.statistical.segmentation import MAX_PIECES
from seshat.models.statistical.thot import thot_module

STACK = 10
"""Hypotheses kept per stack."""
TRANSLATIONS, LONG_TRANSLATIONS = 10, 5
"""Translations of a source word and of a longer source phrase that the decoder tries."""
_PER_WORD = 4.0
"""Added per source word, so that scores stay in the range that Thot does not cut off; the same for all translations."""
_LOWEST, _HIGHEST = -22.0, 40.0
_LM, _SJUMP, _PST = 1, 3, 6


@dataclass(frozen=True)
class Translation:
    """One candidate: target tokens and features (all of :data:`features.FEATURES`)."""

    tokens: tuple[str, ...]
    features: tuple[float, ...]


class Decoder:
    """A Thot decoder with a language model; the phrase table comes with every batch."""

    def __init__(self, language_model: Path, options: Options, *, reordering: int, stack: int = STACK) -> None:
        self._options = options
        folder = Path(tempfile.mkdtemp(prefix="seshat-thot-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._prefix = folder / "tm"
        self._write_fixed()
        alignment, translation = thot_module("alignment"), thot_module("translation")
        self._model = translation.SmtModel(alignment.AlignmentModelType.IBM1)
        self._write_table({}, ())
        self._model.load_translation_model(str(self._prefix))
        self._model.load_language_model(str(language_model))
        self._model.non_monotonicity = reordering
        self._model.a = MAX_PIECES
        self._model.w = float(TRANSLATIONS)
        self._model.heuristic = 6  # local translation and distortion, Thot's best estimate of what is left
        self._decoder: Any = translation.SmtDecoder(self._model)
        self._decoder.s = stack
        self._decoder.is_breadth_first = True

    def translate(self, sources: Sequence[Source], weights: Sequence[float], n: int) -> list[list[Translation]]:
        """Up to ``n`` candidates of each sentence, best first; none for a sentence without tokens."""
        options = self._options.collect(sources)
        self._write_table(options, weights)
        self._model.load_translation_model(str(self._prefix))
        inner = [0.0] * 8
        inner[_LM], inner[_SJUMP], inner[_PST] = weights[LANGUAGE_MODEL], weights[JUMP], 1.0
        self._model.weights = inner
        filled = [source for source in sources if source.keys]
        found = iter(self._decoder.translate_n_batch([" ".join(source.keys) for source in filled], n))
        return [self._read(source, next(found), options) if source.keys else [] for source in sources]

    def _read(
        self, source: Source, found: Sequence[Any], options: dict[Phrase, dict[Phrase, Values]]
    ) -> list[Translation]:
        result: dict[tuple[str, ...], Translation] = {}
        for one in found:
            tokens = tuple(one.target)
            if tokens in result:
                continue
            total = [0.0] * len(next(iter(next(iter(options.values())).values())))
            start = 0
            for (first, last), cut in zip(one.source_segmentation, one.target_segment_cuts, strict=True):
                row = options.get(source.keys[first - 1 : last], {}).get(tokens[start:cut])
                start = cut
                if row is not None:
                    total = [a + b for a, b in zip(total, row, strict=True)]
            components = one.score_components
            result[tokens] = Translation(tokens, (components[_LM], components[_SJUMP], *total))
        return list(result.values())

    def _write_table(self, options: dict[Phrase, dict[Phrase, Values]], weights: Sequence[float]) -> None:
        lines = []
        for source, targets in options.items():
            joined, base = " ".join(source), _PER_WORD * len(source)
            scored = [(phrase_score(row, weights), target) for target, row in targets.items()]
            scored.sort(reverse=True)
            for value, target in scored[: TRANSLATIONS if len(source) == 1 else LONG_TRANSLATIONS]:
                score = min(max(base + value, _LOWEST), _HIGHEST)
                lines.append(f"{' '.join(target)} ||| {joined} ||| 1 {exp(score):.6g}\n")
        lines.append("<unk/> ||| <unk/> ||| 1 1\n")
        Path(f"{self._prefix}.ttable").write_text("".join(lines), encoding="utf-8")

    def _write_fixed(self) -> None:
        """The files that Thot insists on although nothing here uses them."""
        alignment = thot_module("alignment")
        for name in ("swm", "invswm"):
            model = alignment.Ibm1AlignmentModel()
            model.add_sentence_pair(["a"], ["a"])
            model.start_training()
            model.train()
            model.end_training()
            model.print(f"{self._prefix}_{name}")
        for suffix, text in (
            ("lambda", "1.0 1.0"),
            ("srcsegmlentable", "Uniform"),
            ("trgcutstable", "0.999"),
            ("trgsegmlentable", "Geometric"),
        ):
            Path(f"{self._prefix}.{suffix}").write_text(text, encoding="utf-8")
