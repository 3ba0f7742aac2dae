"""Opens a trained model, whatever its family."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.config import Direction
from seshat.config.clean import Profile
from seshat.errors import DataError, PromptMismatch, UsageError
from seshat.inference.translator import Hypothesis, Translator
from seshat.models import wordbyword
from seshat.prompt import Prompt
from seshat.text.normalise import Normaliser

_FINE_TUNED = ("seq2seq", "causal", "masked")
"""Families that start from a base; a ``seq2seq`` without one was trained from scratch."""


class NormalisingTranslator:
    """Brings texts to the orthography that a model was trained on before it sees them."""

    def __init__(self, inner: Translator, normaliser: Normaliser) -> None:
        self.name = inner.name
        self.direction = inner.direction
        self.inner = inner
        self._normaliser = normaliser

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Normalise and translate a batch."""
        return self.inner.translate([self._normaliser.apply(text) for text in texts], n_best)


def load_translator(
    model_dir: Path,
    direction: Direction,
    *,
    adapter: bool = True,
    prompt: Prompt | None = None,
    allow_other_prompt: bool = False,
) -> Translator:
    """Open a model for one direction.

    Args:
        model_dir: the folder with ``model.json``.
        direction: from what into what.
        adapter: for fine-tuned models; without, the untrained base translates.
        prompt: what the configuration asks fine-tuned models with now; default: what the model was trained with.
        allow_other_prompt: use ``prompt`` even when the model was trained with another one.

    Raises:
        DataError: there is no model, or none that this version reads, or its base is another one.
        PromptMismatch: the model was trained with another prompt.
        UsageError: the model does not translate in this direction, or not at all.
    """
    path = model_dir / "model.json"
    if not path.exists():
        raise DataError(f"{path}: there is no trained model here.", "Train one with: seshat train")
    try:
        described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: not a model description: {error}.", "Train the model again: seshat train") from error
    family = described["family"]
    fine_tuned = family in _FINE_TUNED and "base" in described
    if family != "masked" and str(direction) not in described["directions"]:
        raise UsageError(
            f"{path}: this model does not translate {direction}, only {', '.join(described['directions'])}.",
            "Train the other direction too: train.directions: both",
        )
    if fine_tuned:
        from seshat.inference.engines.pretrained import translator

        if not allow_other_prompt:
            _check(model_dir, prompt)
        other = prompt if allow_other_prompt else None
        engine = translator(model_dir, direction, family, adapter=adapter, prompt=other)
    else:
        engine = _engine(described, model_dir / str(direction), direction)
    normalisation = described["normalisation"]
    profile = Profile.model_validate(normalisation["profiles"].get(direction.source, {}))
    return NormalisingTranslator(engine, Normaliser(profile, normalisation["placeholders"]))


def _check(model_dir: Path, prompt: Prompt | None) -> None:
    Prompt.check(model_dir)
    try:
        Prompt.check(model_dir, prompt)
    except PromptMismatch as error:
        raise PromptMismatch(
            error.message,
            "Set these back to what the model knows, or train again (seshat train), or ask it so all the same: "
            "seshat translate --allow-other-prompt",
        ) from error


def _engine(described: dict[str, Any], folder: Path, direction: Direction) -> Translator:
    family = described["family"]
    if family == "statistical" and (folder / wordbyword.TABLE).exists():
        from seshat.inference.engines.wordbyword import WordByWordTranslator

        return WordByWordTranslator(direction, wordbyword.WordByWord.load(folder), folder.parent.name)
    if family == "statistical":
        from seshat.inference.engines.thot import ThotTranslator

        return ThotTranslator(folder, direction)
    if family == "seq2seq":
        from seshat.inference.engines.seq2seq import Seq2SeqTranslator

        return Seq2SeqTranslator(folder, direction, beam=described["settings"]["beam"])
    raise DataError(f"{folder.parent / 'model.json'}: unknown family '{family}'.", "Update Seshat, or train again.")
