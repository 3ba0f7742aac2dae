"""Translates with a fine-tuned model through Transformers: encoder-decoders and causal models."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from seshat.config import Direction
from seshat.errors import UsageError
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.models.neural.device import Backend
from seshat.models.neural.generation import Answer, Search, answer_ends
from seshat.models.neural.saved import ADAPTER, WEIGHTS, Saved
from seshat.prompt import Prompt
from seshat.retrieval import FOLDER, Retriever

_THOUGHT = "</think>"
"""What ends the thinking of a model that thinks aloud (Qwen3)."""
CTRANSLATE2 = "ctranslate2"
"""Folder below that of a model with its int8 form, written by ``seshat export``; also the package that opens it."""


class Seq2SeqBaseTranslator:
    """Translates with a fine-tuned encoder-decoder: ByT5, NLLB, mT5, Marian.

    Args:
        folder: ``models/NAME``.
        direction: what it translates.
        adapter: without, the untrained base translates.
        prompt: what to ask the model with instead of its own prompt.
        backend: what to compute on; default: the best of this machine.

    Raises:
        PromptMismatch: ``prompt.json`` is not the one of the training.
        DataError: files are missing, or the base is not the one of the training.
    """

    def __init__(
        self,
        folder: Path,
        direction: Direction,
        *,
        adapter: bool = True,
        prompt: Prompt | None = None,
        backend: Backend | None = None,
    ) -> None:
        from seshat.models.neural.encoding import Encoding, name_codes, start_codes

        self.name = folder.name
        self.direction = direction
        saved = Saved.read(folder, prompt)
        tokenizer = saved.tokenizer(adapter=adapter)
        model = saved.model(tokenizer, adapter=adapter, backend=backend)
        if not adapter and Encoding.is_coded(model.config.model_type):
            start_codes(model, tokenizer, name_codes(tokenizer, saved.prompt.language_codes.values()))
        self.encoding = Encoding(tokenizer, saved.prompt, model.config.model_type)
        self._search = Search(model, tokenizer, saved.prompt.decoding, seed=saved.seed)

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Translate a batch; an empty text gives an empty translation."""
        places = [place for place, text in enumerate(texts) if text.strip()]
        rows = self.encoding.sources([texts[place] for place in places], self.direction)
        answers = self._search.answers(rows, n_best, forced=self.encoding.forced(self.direction))
        return _hypotheses(len(texts), places, answers, n_best)


class CausalTranslator:
    """Translates by instruction with a fine-tuned causal model: Qwen3, Gemma 3.

    The question is put as in the training: system prompt, hints and similar pairs, chat template, thinking off unless
    the prompt object says otherwise. The sentences before a text are unknown here and left out.

    Args:
        folder: ``models/NAME``.
        direction: what it translates.
        adapter: without, the untrained base translates.
        prompt: what to ask the model with instead of its own prompt.
        backend: what to compute on; default: the best of this machine.

    Raises:
        PromptMismatch: ``prompt.json`` is not the one of the training.
        DataError: files are missing, or the base is not the one of the training.
    """

    def __init__(
        self,
        folder: Path,
        direction: Direction,
        *,
        adapter: bool = True,
        prompt: Prompt | None = None,
        backend: Backend | None = None,
    ) -> None:
        self.name = folder.name
        self.direction = direction
        saved = Saved.read(folder, prompt)
        self._prompt = saved.prompt
        self._retriever = Retriever.load(folder / FOLDER, saved.prompt)
        self._tokenizer = saved.tokenizer(adapter=adapter)
        model = saved.model(self._tokenizer, adapter=adapter, backend=backend)
        ends = answer_ends(self._tokenizer, saved.prompt)
        self._search = Search(model, self._tokenizer, saved.prompt.decoding, ends=ends, seed=saved.seed)

    def question(self, text: str) -> list[int]:
        """The token ids of the question about a text."""
        source, target = self.direction.source, self.direction.target
        messages = self._prompt.messages(
            "translate",
            source=source,
            target=target,
            text=text,
            hints=self._retriever.hints(text, source, target),
            shots=self._retriever.shots(text, source, target),
        )
        rendered = self._prompt.render(self._tokenizer, messages, answer=False)
        return list(self._tokenizer(rendered, add_special_tokens=False)["input_ids"])

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Translate a batch; an empty text gives an empty translation."""
        places = [place for place, text in enumerate(texts) if text.strip()]
        answers = self._search.answers([self.question(texts[place]) for place in places], n_best)
        if self._prompt.thinking:
            answers = [[Answer(spoken(one.text), one.score) for one in group] for group in answers]
        return _hypotheses(len(texts), places, answers, n_best)


def translator(
    folder: Path, direction: Direction, family: str, *, adapter: bool = True, prompt: Prompt | None = None
) -> Translator:
    """The engine for a fine-tuned model: CTranslate2 or llama.cpp where it was exported to them, or else Transformers.

    Raises:
        UsageError: a model of this family translates nothing.
    """
    if family == "masked":
        raise UsageError(
            f"{folder.name} is a masked language model: it fills gaps and measures texts, and translates nothing.",
            "Measure it with `seshat evaluate`, or train a translator: train.family=seq2seq.",
        )
    whole = any((folder / name).is_dir() for name in (WEIGHTS, ADAPTER))
    exported = _exported(folder, family) if adapter else None
    if exported and prompt is not None and not whole:
        raise UsageError(
            f"{folder.name} was exported, and is asked with the prompt that it was exported with.",
            "Name the model that it was made from, or leave --allow-other-prompt out.",
        )
    # Beside the weights the exported form is the faster one, where the package for it is installed.
    if exported and prompt is None and (not whole or find_spec(exported)):
        return _open_exported(folder, direction, exported)
    kind = CausalTranslator if family == "causal" else Seq2SeqBaseTranslator
    return kind(folder, direction, adapter=adapter, prompt=prompt)


def _exported(folder: Path, family: str) -> str | None:
    """The package that opens what a model was exported to."""
    if family == "causal":
        return "llama_cpp" if any(folder.glob("*.gguf")) else None
    return CTRANSLATE2 if (folder / CTRANSLATE2 / "model.bin").exists() else None


def _open_exported(folder: Path, direction: Direction, package: str) -> Translator:
    Prompt.check(folder)
    if package == CTRANSLATE2:
        from seshat.inference.engines.ctranslate import CTranslate2Translator

        return CTranslate2Translator(folder, direction)
    from seshat.inference.engines.llama import LlamaCppTranslator

    return LlamaCppTranslator(folder, direction)


def _hypotheses(
    count: int, places: Sequence[int], answers: Sequence[Sequence[Answer]], n_best: int
) -> list[Hypothesis]:
    out = [Hypothesis("", 0.0)] * count
    for place, group in zip(places, answers, strict=True):
        unique: dict[str, Candidate] = {}
        for answer in group:
            unique.setdefault(answer.text, Candidate(answer.text, answer.score))
        found = list(unique.values())
        out[place] = Hypothesis(found[0].text, found[0].score, tuple(found) if n_best > 1 else ())
    return out


def spoken(text: str) -> str:
    """What follows the thoughts."""
    return text.rsplit(_THOUGHT, 1)[-1].strip()
