"""What a proof needs of a model before and after: how it reads texts, and what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from seshat.config import Direction
from seshat.core.records import Segment
from seshat.export import proof
from seshat.export.forms import Form
from seshat.inference.surroundings import give_sentences_before
from seshat.models.neural.device import Backend, choose
from seshat.models.neural.saved import WEIGHTS, Saved
from seshat.project.manifest import Manifest

_EXACT = 4_000_000_000
"""Bytes of weights up to which proofs are computed in float32."""


class Engine(Protocol):
    """A model in one form, opened."""

    name: str
    """Program that computes: ``transformers``, ``llama.cpp``, ``ctranslate2``, ``read back``."""
    reads: bool
    """Whether it says which token ids it reads."""

    def tell(self, segments: Sequence[Segment]) -> None:
        """Let it know the sentences before those that it will be asked about, if it was trained with them."""
        ...

    def read(self, text: str) -> Sequence[int]:
        """The token ids that it reads for a text."""
        ...

    def results(self, texts: Sequence[str]) -> list[Any]:
        """What it makes of texts: translations, or how much they surprise it."""
        ...

    def prove(self, part: Direction, segments: Sequence[Segment], before: Sequence[Any], bleu: str) -> dict[str, Any]:
        """Its results beside those before: a row of the proof."""
        ...

    def close(self) -> None:
        """Let go of the model."""
        ...


class _Translating:
    """An engine of the translator seam."""

    def __init__(self, name: str, translator: Any, read: Callable[[str], Sequence[int]] | None) -> None:
        self.name, self._translator, self._read = name, translator, read
        self.reads = read is not None

    def tell(self, segments: Sequence[Segment]) -> None:
        give_sentences_before(self._translator, segments)

    def read(self, text: str) -> Sequence[int]:
        assert self._read is not None
        return self._read(text)

    def results(self, texts: Sequence[str]) -> list[Any]:
        return proof.translations(self._translator, texts, f"translating {self._translator.direction} ({self.name})")

    def prove(self, part: Direction, segments: Sequence[Segment], before: Sequence[Any], bleu: str) -> dict[str, Any]:
        after = self.results([segment.texts[part.source] for segment in segments])
        references = [segment.texts[part.target] for segment in segments]
        return proof.prove_scores(part, references, before, after, bleu)

    def close(self) -> None:
        if hasattr(self._translator, "close"):
            self._translator.close()
        self._translator = self._read = None


class _Masked:
    """A masked model, judged by how much texts surprise it."""

    name, reads = "transformers", True

    def __init__(self, saved: Saved, backend: Backend) -> None:
        self._tokenizer = saved.tokenizer()
        self._model = saved.model(self._tokenizer, backend=backend)

    def tell(self, segments: Sequence[Segment]) -> None:
        """It reads every text by itself."""

    def read(self, text: str) -> Sequence[int]:
        ids: list[int] = self._tokenizer(text)["input_ids"]
        return ids

    def results(self, texts: Sequence[str]) -> list[Any]:
        from seshat.evaluation.perplexity import masked

        return list(masked(self._model, self._tokenizer, texts, whole_words=False))

    def prove(self, part: Direction, segments: Sequence[Segment], before: Sequence[Any], bleu: str) -> dict[str, Any]:  # noqa: ARG002
        after = self.results([segment.texts[part.source] for segment in segments])
        return proof.prove_bits(part.source, before, after)

    def close(self) -> None:
        self._model = None


def open_model(saved: Saved, part: Direction) -> Engine:
    """A model as it was trained, or an export in the same layout, through Transformers."""
    from seshat.inference.engines.pretrained import CausalTranslator, Seq2SeqBaseTranslator

    backend = _backend(saved)
    if saved.family.fills:
        return _Masked(saved, backend)
    if saved.family.instructed:
        causal = CausalTranslator(saved.folder, part, backend=backend)
        return _Translating("transformers", causal, causal.question)
    seq2seq = Seq2SeqBaseTranslator(saved.folder, part, backend=backend)
    return _Translating("transformers", seq2seq, lambda text: seq2seq.rows([text])[0])


def _backend(saved: Saved) -> Backend:
    """What proofs compute on: a small model in float32, so that only the export is judged, not rounding in bfloat16."""
    folder = saved.base() if saved.has_adapter else saved.own
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    bits = saved.manifest.quantization if saved.has_adapter else "none"
    return choose(precision="float32" if size <= _EXACT else "auto", quantization=bits).logged()


def open_export(form: Form, folder: Path, part: Direction, full: Callable[[], Path], work: Path) -> Engine:
    """An export, through the program that it is for.

    Args:
        form: which.
        folder: where it is.
        part: direction, or language of a masked model.
        full: gives the folder with all weights.
        work: for a GGUF file that is read back, because llama.cpp is not installed.
    """
    if form.kind == "ctranslate2":
        from seshat.export.ctranslate2 import vocabulary
        from seshat.inference.engines.ctranslate import CTranslate2Translator

        fast = CTranslate2Translator(folder, part)
        known = vocabulary(folder / form.published)
        return _Translating("ctranslate2", fast, lambda text: [known[one] for one in fast.tokens(fast.question(text))])
    if form.kind != "gguf":
        return open_model(Saved.read(folder), part)
    if find_spec("llama_cpp") is None:
        return _read_back(folder, part, full, work)
    from seshat.inference.engines.llama import LlamaCppTranslator

    quantised = LlamaCppTranslator(folder, part)
    return _Translating("llama.cpp", quantised, quantised.question)


def _read_back(folder: Path, part: Direction, full: Callable[[], Path], work: Path) -> Engine:
    """The weights of a GGUF file through Transformers: proves the weights, not what llama.cpp would read."""
    from seshat.export.gguf_read import read_back

    place = work / "read-back" / folder.name
    if not place.exists():
        manifest = Manifest.read(folder)
        read_back(folder / (manifest.gguf or {})["file"], full(), place / WEIGHTS)
        manifest.write(place)
        saved = Saved.read(folder)
        saved.prompt.save(place)
    engine = open_model(Saved.read(place), part)
    engine.name, engine.reads = "read back", False
    return engine
