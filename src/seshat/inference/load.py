"""Opens a trained model, whatever its family."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.config import Direction
from seshat.config.clean import Profile
from seshat.config.translate import DecodingSection, Engine
from seshat.core.errors import PromptMismatch, UsageError
from seshat.inference.translator import Candidate, Hypothesis, Sampler, Translator, close
from seshat.models import wordbyword
from seshat.project.manifest import FILE, Manifest
from seshat.prompt.prompt import Prompt
from seshat.text.normalise import Normaliser

_DEFAULT = DecodingSection()


class NormalisingTranslator:
    """Brings texts to the orthography that a model was trained on before it sees them."""

    def __init__(self, inner: Translator, normaliser: Normaliser) -> None:
        self.name = inner.name
        self.direction = inner.direction
        self.inner = inner
        self._normaliser = normaliser

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Normalise and translate a batch."""
        return self.inner.translate(self.normalised(texts), n_best)

    def normalised(self, texts: Sequence[str]) -> list[str]:
        """The texts as the model sees them."""
        return [self._normaliser.apply(text) for text in texts]

    def close(self) -> None:
        """Let go of what the engine holds."""
        close(self.inner)


class NormalisingSampler(NormalisingTranslator):
    """The same around an engine that can sample."""

    def sample(
        self, texts: Sequence[str], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Normalise a batch and draw translations of it."""
        assert isinstance(self.inner, Sampler)
        return self.inner.sample(self.normalised(texts), count, temperature=temperature, top_p=top_p, seed=seed)


def normalising(inner: Translator, normalisation: dict[str, Any]) -> NormalisingTranslator:
    """An engine behind the orthography profile of its source language; it can sample where the engine can.

    Args:
        inner: the engine.
        normalisation: ``profiles`` by language tag and ``placeholders``, as in the manifest and the prompt object.
    """
    profile = Profile.model_validate(normalisation["profiles"].get(inner.direction.source, {}))
    kind = NormalisingSampler if isinstance(inner, Sampler) else NormalisingTranslator
    return kind(inner, Normaliser(profile, normalisation["placeholders"]))


def load_translator(
    model_dir: Path,
    direction: Direction,
    *,
    adapter: bool = True,
    prompt: Prompt | None = None,
    allow_other_prompt: bool = False,
    engine: Engine = "auto",
    decoding: DecodingSection = _DEFAULT,
    workers: int | None = None,
) -> Translator:
    """Open a model for one direction.

    Args:
        model_dir: the folder with ``model.json``.
        direction: from what into what.
        adapter: for fine-tuned models; without, the untrained base translates.
        prompt: what the configuration asks fine-tuned models with now; default: what the model was trained with.
        allow_other_prompt: use ``prompt`` even when the model was trained with another one.
        engine: what computes; a ``server`` is opened by :mod:`seshat.inference.chain`.
        decoding: how to search, where not as the model's prompt object says.
        workers: processes of the statistical family; default: one per processor.

    Raises:
        DataError: there is no model, or none that this version reads, or it is damaged, or its base is another one.
        PromptMismatch: the model was trained with another prompt.
        UsageError: the model does not translate in this direction, or not at all, or the engine cannot open it.
    """
    manifest = Manifest.open(model_dir)
    if manifest.kind.translates and str(direction) not in manifest.directions:
        raise UsageError(
            f"{model_dir / FILE}: this model does not translate {direction}, only {', '.join(manifest.directions)}.",
            "Train the other direction too: train.directions: both",
        )
    if manifest.base is not None:
        from seshat.inference.engines.pretrained import translator

        if not allow_other_prompt:
            _check(model_dir, prompt)
        other = prompt if allow_other_prompt else None
        opened = translator(
            model_dir, direction, manifest.kind, adapter=adapter, prompt=other, engine=engine, decoding=decoding
        )
    else:
        opened = _engine(manifest, model_dir / str(direction), direction, engine, decoding, workers)
    return normalising(opened, manifest.normalisation)


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


def _engine(
    manifest: Manifest,
    folder: Path,
    direction: Direction,
    engine: Engine,
    decoding: DecodingSection,
    workers: int | None,
) -> Translator:
    if manifest.kind.searches:
        from seshat.inference.engines.seq2seq import Seq2SeqTranslator

        beam, context = manifest.settings["beam"], manifest.context
        return Seq2SeqTranslator(folder, direction, beam, context=context, engine=engine, decoding=decoding)
    _refuse(folder.parent.name, engine, decoding)
    if (folder / wordbyword.TABLE).exists():
        from seshat.inference.engines.wordbyword import WordByWordTranslator

        return WordByWordTranslator(direction, wordbyword.WordByWord.load(folder), folder.parent.name)
    from seshat.inference.engines.thot import ThotTranslator

    return ThotTranslator(folder, direction, workers)


def _refuse(name: str, engine: Engine, decoding: DecodingSection) -> None:
    if engine != "auto":
        raise UsageError(
            f"The model '{name}' is of the statistical family, which {engine} cannot compute.", "Leave the engine out."
        )
    if decoding != _DEFAULT:
        raise UsageError(
            f"The model '{name}' is of the statistical family: it has no beams and does not sample.",
            "Leave the settings of the search out; --n-best works.",
        )
