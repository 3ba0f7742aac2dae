"""Opens a trained model, whatever its family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seshat.config import Direction
from seshat.config.clean import Profile
from seshat.config.translate import DecodingSection, Engine
from seshat.core.errors import PromptMismatch, UsageError
from seshat.inference.chain import Chain
from seshat.inference.parts import Parts
from seshat.inference.translator import Translator
from seshat.models import wordbyword
from seshat.project.manifest import FILE, Manifest
from seshat.prompt.prompt import Prompt
from seshat.prompt.retrieval import FOLDER, Retriever
from seshat.text.normalise import Normaliser

_DEFAULT = DecodingSection()


def normaliser(normalisation: dict[str, Any], language: str) -> Normaliser:
    """What brings texts of a language to the orthography of a training.

    Args:
        normalisation: ``profiles`` by language tag and ``placeholders``, as in the manifest and the prompt object.
        language: its tag.
    """
    return Normaliser(
        Profile.model_validate(normalisation["profiles"].get(language, {})), normalisation["placeholders"]
    )


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
) -> Chain:
    """Open a model for one direction, behind the normalisation that it was trained with.

    Args:
        model_dir: the folder with ``model.json``.
        direction: from what into what.
        adapter: for fine-tuned models; without, the untrained base translates.
        prompt: what the configuration asks fine-tuned models with now; default: what the model was trained with.
        allow_other_prompt: use ``prompt`` even when the model was trained with another one.
        engine: what computes; a ``server`` is opened by :mod:`seshat.inference.opening`.
        decoding: how to search, where not as the model's prompt object says.
        workers: processes of the statistical family; default: one per processor.

    Raises:
        DataError: there is no model, or none that this version reads, or it is damaged, or its base is another one.
        PromptMismatch: the model was trained with another prompt.
        UsageError: the model does not translate in this direction, or not at all, or the engine cannot open it.
    """
    manifest = Manifest.open(model_dir)
    other = prompt if allow_other_prompt else None
    if manifest.kind.translates and str(direction) not in manifest.directions:
        raise UsageError(
            f"{model_dir / FILE}: this model does not translate {direction}, only {', '.join(manifest.directions)}.",
            "Train the other direction too: train.directions: both",
        )
    if manifest.kind.network is not None:
        from seshat.inference.engines.pretrained import translator

        if not allow_other_prompt:
            _check(model_dir, prompt)
        opened = translator(
            model_dir, direction, manifest.kind, adapter=adapter, prompt=other, engine=engine, decoding=decoding
        )
    else:
        opened = _statistical(model_dir / str(direction), direction, engine, decoding, workers)
    parts = Parts(sentences=manifest.trained_on_sentences)
    chain = Chain(opened, parts=parts, normalise=normaliser(manifest.normalisation, direction.source))
    if manifest.kind.instructed:
        chain.retrieve = Retriever.load(model_dir / FOLDER, other or Prompt.load(model_dir))
    return chain


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


def _statistical(
    folder: Path, direction: Direction, engine: Engine, decoding: DecodingSection, workers: int | None
) -> Translator:
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
