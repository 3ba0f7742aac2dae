"""Translates with an encoder-decoder that was exported to CTranslate2 (int8): several times as fast on a CPU."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.config import Direction
from seshat.errors import DataError, require
from seshat.inference.translator import Candidate, Hypothesis
from seshat.prompt import Prompt

FOLDER = "ctranslate2"
"""Folder below that of a model with the files of CTranslate2 and the tokenizer."""
_BATCH_TOKENS = 2_048


class CTranslate2Translator:
    """Translates with NLLB, M2M-100, Marian, mT5 or ByT5.

    Args:
        folder: as `seshat export ctranslate2` writes it: ``model.json``, ``prompt.json`` and, in :data:`FOLDER`, the
            model with its tokenizer; or that folder inside it.
        direction: what it translates.

    Raises:
        DataError: there is no such model.
        PromptMismatch: the prompt was changed after the training.
        MissingPackage: ``ctranslate2`` or ``transformers`` is not installed.
    """

    def __init__(self, folder: Path, direction: Direction) -> None:
        from seshat.models.neural.base import open_tokenizer
        from seshat.models.neural.encoding import Encoding

        home = folder if (folder / "model.json").exists() else folder.parent
        folder = home / FOLDER
        if not (folder / "model.bin").exists():
            raise DataError(f"{folder}: no CTranslate2 model here.", "Write one with: seshat export ctranslate2")
        package = require("ctranslate2", extra="ctranslate2", purpose="Translating with a CTranslate2 model")
        self.name = home.name
        self.direction = direction
        self._prompt = Prompt.check(home)
        self._tokenizer = open_tokenizer(folder)
        described = json.loads((home / "model.json").read_text(encoding="utf-8"))
        self._encoding = Encoding(self._tokenizer, self._prompt, described["ctranslate2"]["model_type"])
        forced = self._encoding.forced(direction)
        self._first = None if forced is None else [self._tokenizer.convert_ids_to_tokens(forced)]
        # Translators of one thread each beat one of several threads by far on small models (docs/decisions.md).
        workers = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
        device = "cuda" if package.get_cuda_device_count() else "cpu"
        self._model = package.Translator(str(folder), device=device, inter_threads=workers, intra_threads=1)

    def question(self, text: str) -> list[int]:
        """The token ids that the encoder reads."""
        return self._encoding.sources([text], self.direction)[0]

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """What CTranslate2 is given for ids: it knows tokens by their names."""
        return list(self._tokenizer.convert_ids_to_tokens(list(ids)))

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Translate a batch."""
        out = [Hypothesis("", 0.0)] * len(texts)
        places = [place for place, text in enumerate(texts) if text.strip()]
        ids = self._encoding.sources([texts[place] for place in places], self.direction)
        rows = [self.tokens(row) for row in ids]
        results = self._search(rows, n_best) if rows else []
        for place, result in zip(places, results, strict=True):
            found = [
                Candidate(self._text(tokens), float(score))
                for tokens, score in zip(result.hypotheses, result.scores, strict=True)
            ]
            out[place] = Hypothesis(found[0].text, found[0].score, tuple(found) if n_best > 1 else ())
        return out

    def _search(self, rows: Sequence[Sequence[str]], n_best: int) -> list[Any]:
        decoding = self._prompt.decoding
        options: dict[str, Any] = {"beam_size": max(decoding.beams, n_best)}
        if decoding.temperature > 0:
            options = {
                "beam_size": 1,
                "sampling_topk": 0,
                "sampling_topp": decoding.top_p,
                "sampling_temperature": decoding.temperature,
            }
        return list(
            self._model.translate_batch(
                rows,
                target_prefix=[self._first] * len(rows) if self._first else None,
                num_hypotheses=n_best,
                return_scores=True,
                max_decoding_length=decoding.max_new_tokens,
                max_input_length=0,  # the default cuts at 1,024, in silence
                max_batch_size=_BATCH_TOKENS,
                batch_type="tokens",
                **options,
            )
        )

    def _text(self, tokens: Sequence[str]) -> str:
        ids = self._tokenizer.convert_tokens_to_ids(list(tokens))
        return str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip()
