"""Translates with an encoder-decoder that was exported to CTranslate2 (int8): several times as fast on a CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from seshat.config import Direction
from seshat.config.translate import DecodingSection
from seshat.core.errors import DataError, require
from seshat.inference.translator import Candidate, Hypothesis, Translator, drawn, searched
from seshat.project.manifest import Manifest, is_model
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import Request

FOLDER = "ctranslate2"
"""Folder below that of a model with the files of CTranslate2 and the tokenizer."""
BATCH_TOKENS = 2_048
"""Tokens that one thread works on at a time."""
TEXTS = 1_024
"""Texts given to CTranslate2 at once: it cuts them into batches itself, and needs several for several threads."""


def sampled(open_model: Callable[[], Any], seed: int, rows: Sequence[Sequence[str]], **options: Any) -> list[Any]:
    """What a CTranslate2 model draws.

    Its random numbers belong to a thread and begin with the seed that is set when the thread first draws. So the model
    is opened anew, with one thread: else the same seed would give something else the next time.
    """
    import ctranslate2

    ctranslate2.set_random_seed(seed % 2**32)
    model = open_model()
    found = list(
        model.translate_batch(
            rows,
            beam_size=1,
            sampling_topk=0,
            return_scores=True,
            max_batch_size=BATCH_TOKENS,
            batch_type="tokens",
            **options,
        )
    )
    model.unload_model()
    return found


class CTranslate2Translator(Translator):
    """Translates with NLLB, M2M-100, Marian, mT5 or ByT5.

    Args:
        folder: as `seshat export ctranslate2` writes it: the manifest, ``prompt.json`` and, in :data:`FOLDER`, the
            model with its tokenizer; or that folder inside it.
        direction: what it translates.
        decoding: how to search, where not as the prompt says.

    Raises:
        DataError: there is no such model.
        PromptMismatch: the prompt was changed after the training.
        MissingPackage: ``ctranslate2`` or ``transformers`` is not installed.
    """

    batch_size = TEXTS
    samples = True

    def __init__(self, folder: Path, direction: Direction, decoding: DecodingSection | None = None) -> None:
        from seshat.models.neural.base import open_tokenizer
        from seshat.models.neural.encoding import Encoding
        from seshat.models.neural.saved import longest

        home = folder if is_model(folder) else folder.parent
        folder = home / FOLDER
        if not (folder / "model.bin").exists():
            raise DataError(f"{folder}: no CTranslate2 model here.", "Write one with: seshat export ctranslate2")
        package = require("ctranslate2", extra="ctranslate2", purpose="Translating with a CTranslate2 model")
        self.name = home.name
        self.direction = direction
        self._prompt = Prompt.check(home)
        self._tokenizer = open_tokenizer(folder)
        manifest = Manifest.open(home)
        self._seed = manifest.seed
        kind = (manifest.ctranslate2 or {})["model_type"]
        self._longest = longest(manifest)
        self._encoding = Encoding(self._tokenizer, self._prompt, kind, self._longest)
        self.context = self._prompt.context
        forced = self._encoding.forced(direction)
        self._first = None if forced is None else [self._tokenizer.convert_ids_to_tokens(forced)]
        # Translators of one thread each beat one of several threads by far on small models (docs/decisions.md).
        workers = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
        device = "cuda" if package.get_cuda_device_count() else "cpu"
        self._decoding = self._prompt.decoding.changed(decoding or DecodingSection())
        self._open = partial(package.Translator, str(folder), device=device, intra_threads=1)
        self._model = self._open(inter_threads=workers)

    def rows(self, requests: Sequence[Request]) -> list[list[int]]:
        """The token ids that the encoder reads."""
        before = [one.trimmed(self.context).before for one in requests]
        return self._encoding.sources([one.text for one in requests], self.direction, before)

    def fits(self, text: str) -> bool:
        """Whether a text is no longer than those of the training."""
        return self._longest is None or len(self.rows([Request(text)])[0]) <= self._longest

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """What CTranslate2 is given for ids: it knows tokens by their names."""
        return list(self._tokenizer.convert_ids_to_tokens(list(ids)))

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch."""
        decoding = self._decoding
        by_chance = decoding.temperature > 0
        drawing = self._drawing(decoding.temperature, decoding.top_p, self._seed)

        def search(requests: Sequence[Request], count: int) -> list[list[Candidate]]:
            return self._found(requests, count, drawing if by_chance else partial(self._beams, count))

        return searched(requests, search)

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch."""
        drawing = self._drawing(temperature, top_p, seed)
        return drawn(requests, count, lambda asked, count: self._found(asked, count, drawing))

    def _drawing(self, temperature: float, top_p: float, seed: int) -> Callable[..., list[Any]]:
        return partial(sampled, self._open, seed, sampling_temperature=temperature, sampling_topp=top_p)

    def _beams(self, count: int, rows: Sequence[Sequence[str]], **options: Any) -> list[Any]:
        options |= {
            "beam_size": max(self._decoding.beams, count),
            "max_batch_size": BATCH_TOKENS,
            "batch_type": "tokens",
        }
        return list(self._model.translate_batch(rows, return_scores=True, **options))

    def _found(
        self, requests: Sequence[Request], count: int, search: Callable[..., list[Any]]
    ) -> list[list[Candidate]]:
        ids = self.rows(requests)
        results = search(
            [self.tokens(row) for row in ids],
            target_prefix=[self._first] * len(ids) if self._first else None,
            num_hypotheses=count,
            max_decoding_length=self._decoding.max_new_tokens,
            max_input_length=0,  # the default cuts at 1,024, in silence
        )
        out = []
        for result in results:
            pairs = zip(result.hypotheses, result.scores, strict=True)
            group = [Candidate(self._text(tokens), float(score)) for tokens, score in pairs]
            out.append(sorted(group, key=lambda one: -one.score))
        return out

    def _text(self, tokens: Sequence[str]) -> str:
        ids = self._tokenizer.convert_tokens_to_ids(list(tokens))
        return str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip()
