"""Translates with a fine-tuned model through Transformers: encoder-decoders and causal models."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.config import Direction
from seshat.config.families import Family
from seshat.config.translate import DecodingSection, Engine
from seshat.core.errors import UsageError
from seshat.inference.chat import spoken
from seshat.inference.translator import Candidate, Hypothesis, Translator, drawn, searched
from seshat.models.neural.device import Backend
from seshat.models.neural.generation import Search, answer_ends
from seshat.models.neural.saved import ADAPTER, WEIGHTS, Saved
from seshat.prompt.prompt import Message, Prompt
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.inference.dialogue import Dialogue

CTRANSLATE2 = "ctranslate2"
"""Folder below that of a model with its int8 form, written by ``seshat export``; also the package that opens it."""
_DEFAULT = DecodingSection()


class _Searching(Translator):
    """What both kinds have in common: rows of token ids in, answers out.

    Args:
        folder: ``models/NAME``.
        direction: what it translates.
        adapter: without, the untrained base translates.
        prompt: what to ask the model with instead of its own prompt.
        backend: what to compute on; default: the best of this machine.
        decoding: how to search, where not as the prompt says.

    Raises:
        PromptMismatch: ``prompt.json`` is not the one of the training.
        DataError: files are missing, or the base is not the one of the training.
    """

    samples = True
    _forced: int | None = None
    _thinks = False

    def __init__(
        self,
        folder: Path,
        direction: Direction,
        *,
        adapter: bool = True,
        prompt: Prompt | None = None,
        backend: Backend | None = None,
        decoding: DecodingSection = _DEFAULT,
    ) -> None:
        self.name, self.direction = folder.name, direction
        saved = Saved.read(folder, prompt)
        self._prompt, self._longest = saved.prompt, saved.longest
        self._tokenizer = saved.tokenizer(adapter=adapter)
        self._model = saved.model(self._tokenizer, adapter=adapter, backend=backend)
        ends = self._prepare(folder, adapter)
        search = saved.prompt.decoding.changed(decoding)
        self._search = Search(self._model, self._tokenizer, search, ends=ends, seed=saved.seed)

    @abstractmethod
    def _prepare(self, folder: Path, adapter: bool) -> tuple[int, ...]:
        """What the kind needs beside; gives the ids that end an answer, beside those of model and tokenizer."""

    @abstractmethod
    def rows(self, requests: Sequence[Request]) -> list[list[int]]:
        """The token ids that the model reads."""

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch; an empty text gives an empty translation."""
        return searched(requests, lambda asked, count: self._answers(self._search, asked, count))

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch."""
        by_chance = self._search.decoding.model_copy(update={"beams": 1, "temperature": temperature, "top_p": top_p})
        search = replace(self._search, decoding=by_chance, seed=seed)
        return drawn(requests, count, lambda asked, count: self._answers(search, asked, count))

    def fits(self, text: str) -> bool:
        """Whether a text is no longer than those of the training, and leaves room for its answer."""
        length = len(self.rows([Request(text)])[0])
        return length <= min(self._longest or length, self._search.longest_row or length)

    def _answers(self, search: Search, requests: Sequence[Request], count: int) -> list[list[Candidate]]:
        answers = search.answers(self.rows(requests), count, forced=self._forced)
        return [
            [Candidate(spoken(one.text) if self._thinks else one.text, one.score) for one in group] for group in answers
        ]


class Seq2SeqBaseTranslator(_Searching):
    """Translates with a fine-tuned encoder-decoder: ByT5, NLLB, mT5, Marian."""

    def _prepare(self, folder: Path, adapter: bool) -> tuple[int, ...]:  # noqa: ARG002
        from seshat.models.neural.encoding import Encoding, name_codes, start_codes

        kind = self._model.config.model_type
        if not adapter and Encoding.is_coded(kind):
            codes = self._prompt.language_codes.values()
            start_codes(self._model, self._tokenizer, name_codes(self._tokenizer, codes))
        self.encoding = Encoding(self._tokenizer, self._prompt, kind, self._longest)
        # A base was not trained with the sentences before a text: it would translate them too.
        self.context = self._prompt.context if adapter else 0
        self._forced = self.encoding.forced(self.direction)
        return ()

    def rows(self, requests: Sequence[Request]) -> list[list[int]]:
        """The token ids that the encoder reads."""
        before = [one.trimmed(self.context).before for one in requests]
        return self.encoding.sources([one.text for one in requests], self.direction, before)


class CausalTranslator(_Searching):
    """Translates by instruction with a fine-tuned causal model: Qwen3, Gemma 3.

    The question is put as in the training: system prompt, hints and similar pairs, chat template, thinking off unless
    the prompt object says otherwise.
    """

    def _prepare(self, folder: Path, adapter: bool) -> tuple[int, ...]:  # noqa: ARG002
        self._thinks = self._prompt.thinking
        self.context = self._prompt.context
        return answer_ends(self._tokenizer, self._prompt)

    def rows(self, requests: Sequence[Request]) -> list[list[int]]:
        """The token ids of the questions about texts."""
        return [self._row(self._prompt.question(one, self.direction)) for one in requests]

    def _row(self, messages: Sequence[Message]) -> list[int]:
        rendered = self._prompt.render(self._tokenizer, messages, answer=False)
        return list(self._tokenizer(rendered, add_special_tokens=False)["input_ids"])

    def dialogue(self) -> Dialogue:
        """The model to talk to."""
        from seshat.inference.dialogue import TransformersDialogue

        return TransformersDialogue(self)


def translator(
    folder: Path,
    direction: Direction,
    family: Family,
    *,
    adapter: bool = True,
    prompt: Prompt | None = None,
    engine: Engine = "auto",
    decoding: DecodingSection = _DEFAULT,
) -> Translator:
    """The engine for a fine-tuned model: CTranslate2 or llama.cpp where it was exported to them, or else Transformers.

    Raises:
        UsageError: a model of this family translates nothing, or ``engine`` cannot open it.
    """
    if not family.translates:
        raise UsageError(
            f"{folder.name} is a masked language model: it fills gaps and measures texts, and translates nothing.",
            "Measure it with `seshat evaluate`, or train a translator: train.family=seq2seq.",
        )
    fast = family.network.engine if family.network else None
    if engine not in ("auto", "transformers", fast):
        raise UsageError(
            f"{engine} does not open {folder.name}, a model of the family '{family.name}'.",
            f"It takes transformers or {fast}.",
        )
    whole = any((folder / name).is_dir() for name in (WEIGHTS, ADAPTER))
    exported = _exported(folder, family) if adapter and engine != "transformers" else None
    if exported and prompt is not None and (not whole or engine != "auto"):
        raise UsageError(
            f"{folder.name} was exported, and is asked with the prompt that it was exported with.",
            "Name the model that it was made from, or leave --allow-other-prompt out.",
        )
    if engine == fast and not exported:
        form = "gguf" if family.instructed else CTRANSLATE2
        raise UsageError(
            f"{folder.name} has no form for {engine}." if adapter else f"The base of {folder.name} was never exported.",
            f"Write one with `seshat export {form}` and name the folder that it makes with --model.",
        )
    # Beside the weights the exported form is the faster one, where the package for it is installed.
    if exported and prompt is None and (engine != "auto" or not whole or find_spec(exported)):
        return _open_exported(folder, direction, exported, decoding)
    kind = CausalTranslator if family.instructed else Seq2SeqBaseTranslator
    return kind(folder, direction, adapter=adapter, prompt=prompt, decoding=decoding)


def _exported(folder: Path, family: Family) -> str | None:
    """The package that opens what a model was exported to."""
    if family.instructed:
        return "llama_cpp" if any(folder.glob("*.gguf")) else None
    return CTRANSLATE2 if (folder / CTRANSLATE2 / "model.bin").exists() else None


def _open_exported(folder: Path, direction: Direction, package: str, decoding: DecodingSection) -> Translator:
    Prompt.check(folder)
    if package == CTRANSLATE2:
        from seshat.inference.engines.ctranslate import CTranslate2Translator

        return CTranslate2Translator(folder, direction, decoding)
    from seshat.inference.engines.llama import LlamaCppTranslator

    return LlamaCppTranslator(folder, direction, decoding)
