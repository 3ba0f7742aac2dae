"""A translator as somebody has published it, such as OPUS-MT: a folder of Transformers, no training of ours.

Such a model translates one way between two languages that need not be those of the project: `augment` uses it to bring
translations of publications into the pivot.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.config import Direction
from seshat.core.errors import DataError, require
from seshat.inference.translator import Candidate, Hypothesis, Translator, searched
from seshat.prompt.request import Request

_LONGEST = 512
"""Tokens of a text; what is longer, or than the model has places for, is cut, as these models were trained."""
_BEAMS = 4


class PublishedTranslator(Translator):
    """Translates with a published encoder-decoder.

    Args:
        folder: configuration, weights and tokenizer as Transformers saves them.
        direction: what it translates; the folder does not say.

    Raises:
        DataError: there is no such model in the folder.
        MissingPackage: Transformers is not installed.
    """

    def __init__(self, folder: Path, direction: Direction) -> None:
        transformers: Any = require("transformers", extra="train", purpose="A published translator")
        if not (folder / "config.json").exists():
            raise DataError(
                f"{folder}: there is no model here: no model.json of Seshat, no config.json of Transformers.",
                "Download one there, such as Helsinki-NLP/opus-mt-de-en, with its tokenizer and weights.",
            )
        self.name, self.direction = folder.name, direction
        try:
            with warnings.catch_warnings():  # Marian would rather split punctuation with a package that is not needed
                warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
                self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model: Any = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, ImportError) as error:
            first = str(error).strip().splitlines()[0]
            raise DataError(f"{folder}: not an encoder-decoder that Transformers opens: {first}") from error
        self._model.eval()
        places = getattr(self._model.config, "max_position_embeddings", None) or _LONGEST
        self._longest = min(_LONGEST, int(places)) - 1

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch; an empty text gives an empty translation."""
        return searched(requests, self._found)

    def fits(self, text: str) -> bool:
        """Whether nothing of a text would be cut off."""
        return len(self._tokenizer(text)["input_ids"]) <= self._longest

    def _found(self, requests: Sequence[Request], count: int) -> list[list[Candidate]]:
        import torch

        rows = self._tokenizer(
            [one.text for one in requests],
            return_tensors="pt", padding=True, truncation=True, max_length=self._longest,
        )  # fmt: skip
        with torch.inference_mode():
            made = self._model.generate(
                **rows, num_beams=max(_BEAMS, count), num_return_sequences=count, max_new_tokens=self._longest,
                return_dict_in_generate=True, output_scores=True,
            )  # fmt: skip
        written = self._tokenizer.batch_decode(made.sequences, skip_special_tokens=True)
        candidates = [
            Candidate(*one) for one in zip(map(str.strip, written), made.sequences_scores.tolist(), strict=True)
        ]
        return [candidates[start : start + count] for start in range(0, len(candidates), count)]
