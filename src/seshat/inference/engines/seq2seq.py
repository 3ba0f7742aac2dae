"""Engines for encoder-decoders from scratch: CTranslate2 (int8) when it is installed, Transformers otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from seshat.config import Direction
from seshat.config.translate import DecodingSection, Engine
from seshat.core.errors import DataError, UsageError, require
from seshat.inference.engines.ctranslate import TEXTS
from seshat.inference.translator import Candidate, Hypothesis, Translator, drawn, searched
from seshat.models.seq2seq.data import MAX_PIECES, Vocabulary
from seshat.prompt.prompt import Decoding, after
from seshat.prompt.request import Request

_ENGINES = ("auto", "transformers", "ctranslate2")


class _Search(Protocol):
    def __call__(self, texts: Sequence[str], count: int, decoding: Decoding, seed: int) -> list[list[Candidate]]: ...


class Seq2SeqTranslator(Translator):
    """Translates with a model that :mod:`seshat.models.seq2seq.train` wrote.

    Args:
        folder: of one direction.
        direction: what it translates.
        beam: of the search, as the model was configured.
        context: how many sentences before a text it was trained with.
        engine: ``transformers`` or ``ctranslate2``; ``auto`` takes the second where it can.
        decoding: how to search otherwise.

    Raises:
        DataError: there is no such model.
        UsageError: ``engine`` cannot open it.
    """

    samples = True

    def __init__(
        self,
        folder: Path,
        direction: Direction,
        beam: int,
        *,
        context: int = 0,
        engine: Engine = "auto",
        decoding: DecodingSection | None = None,
    ) -> None:
        if not (folder / "config.json").exists():
            raise DataError(f"{folder}: no model here for {direction}.", "Run `seshat train` first.")
        if engine not in _ENGINES:
            raise UsageError(
                f"{engine} does not open a model from scratch.", f"It takes one of: {', '.join(_ENGINES)}."
            )
        self.name = folder.parent.name
        self.direction = direction
        self.context = context
        self._vocabulary = vocabulary = Vocabulary(folder / "source.spm")
        exported = (folder / "ctranslate2" / "model.bin").exists()
        if engine == "ctranslate2" and not exported:
            raise DataError(f"{folder}: no CTranslate2 model here.", "Install ctranslate2 and train again.")
        ready = exported and _installed()
        self.engine = ("ctranslate2" if ready else "transformers") if engine == "auto" else engine
        self._decoding = Decoding(beams=beam, max_new_tokens=MAX_PIECES).changed(decoding or DecodingSection())
        make = _ctranslate2 if self.engine == "ctranslate2" else _transformers
        self._search = make(folder, vocabulary)
        self.batch_size = TEXTS if self.engine == "ctranslate2" else None

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch."""
        return searched(requests, lambda asked, count: self._found(asked, count, self._decoding, 0))

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch."""
        by_chance = self._decoding.model_copy(update={"beams": 1, "temperature": temperature, "top_p": top_p})
        return drawn(requests, count, lambda asked, count: self._found(asked, count, by_chance, seed))

    def fits(self, text: str) -> bool:
        """Whether nothing of a text would be cut off."""
        return self._vocabulary.fits(text)

    def _found(self, requests: Sequence[Request], count: int, decoding: Decoding, seed: int) -> list[list[Candidate]]:
        texts = [after(one.trimmed(self.context).before, one.text) for one in requests]
        return self._search(texts, count, decoding, seed)


def _installed() -> bool:
    from importlib.util import find_spec

    return find_spec("ctranslate2") is not None


def _ctranslate2(folder: Path, vocabulary: Vocabulary) -> _Search:
    from seshat.inference.engines.ctranslate import BATCH_TOKENS, sampled

    package = require("ctranslate2", extra="ctranslate2", purpose="Translating with a CTranslate2 model")
    # Two translators of one thread each beat one of two threads by far on small models (docs/decisions.md).
    workers = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    opened = partial(package.Translator, str(folder / "ctranslate2"), intra_threads=1)
    model = opened(inter_threads=workers)

    def search(texts: Sequence[str], count: int, decoding: Decoding, seed: int) -> list[list[Candidate]]:
        rows = [vocabulary.cut(text) for text in texts]
        common: dict[str, Any] = {"num_hypotheses": count, "max_decoding_length": decoding.max_new_tokens}
        if decoding.temperature > 0:
            drawing = {"sampling_temperature": decoding.temperature, "sampling_topp": decoding.top_p}
            results = sampled(opened, seed, rows, **common, **drawing)
        else:
            results = model.translate_batch(
                rows,
                beam_size=max(decoding.beams, count),
                return_scores=True,
                max_batch_size=BATCH_TOKENS,
                batch_type="tokens",
                **common,
            )
        return [
            [Candidate(vocabulary.join(h), float(s)) for h, s in zip(r.hypotheses, r.scores, strict=True)]
            for r in results
        ]

    return search


@dataclass(frozen=True)
class _Tokenizer:
    """What :class:`seshat.models.neural.generation.Search` asks of a tokenizer."""

    vocabulary: Vocabulary

    @property
    def pad_token_id(self) -> int:
        return self.vocabulary.pad

    @property
    def eos_token_id(self) -> int:
        return self.vocabulary.end

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        assert skip_special_tokens
        return self.vocabulary.decode(ids)


def _transformers(folder: Path, vocabulary: Vocabulary) -> _Search:
    from seshat.models.neural.generation import Search
    from seshat.models.seq2seq import network

    model: Any = network.load(folder).eval()
    model.generation_config.bad_words_ids = [[vocabulary.pad]]

    def search(texts: Sequence[str], count: int, decoding: Decoding, seed: int) -> list[list[Candidate]]:
        # A model that has learned little does not stop by itself.
        search = Search(model, _Tokenizer(vocabulary), decoding, seed=seed, longest=lambda length: 3 * length + 20)
        answers = search.answers([vocabulary.encode(text) for text in texts], count)
        return [[Candidate(answer.text, answer.score) for answer in group] for group in answers]

    return search
