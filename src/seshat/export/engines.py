"""What a proof needs of a model before and after: how it reads texts, and what it makes of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from seshat.config import Direction
from seshat.core.errors import require
from seshat.export import proof
from seshat.export.forms import Form
from seshat.export.gguf import read_config
from seshat.export.gguf_tensors import norm_change, reordered, tensors_of
from seshat.inference.chain import Chain
from seshat.inference.translator import Translator
from seshat.models.neural.device import Backend, choose
from seshat.models.neural.saved import WEIGHTS, Saved
from seshat.project.manifest import Manifest
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import Request
from seshat.prompt.retrieval import FOLDER, Retriever

_Rows = Callable[[Sequence[Request]], list[list[int]]]
"""The token ids that an engine reads for requests."""
_EXACT = 4_000_000_000
"""Bytes of weights up to which proofs are computed in float32."""


class Engine(Protocol):
    """A model in one form, opened."""

    name: str
    """Program that computes: ``transformers``, ``llama.cpp``, ``ctranslate2``, ``read back``."""
    reads: bool
    """Whether it says which token ids it reads."""

    def read(self, request: Request) -> Sequence[int]:
        """The token ids that it reads for a text."""
        ...

    def results(self, requests: Sequence[Request]) -> list[Any]:
        """What it makes of texts: translations, or how much they surprise it."""
        ...

    def prove(
        self, part: Direction, requests: Sequence[Request], references: Sequence[str], before: Sequence[Any], bleu: str
    ) -> dict[str, Any]:
        """Its results beside those before: a row of the proof."""
        ...

    def close(self) -> None:
        """Let go of the model."""
        ...


class _Translating:
    """An engine of the translator seam."""

    reads = True

    def __init__(self, name: str, engine: Translator, rows: _Rows, retrieve: Retriever | None = None) -> None:
        self.name, self._chain, self._rows = name, Chain(engine, retrieve=retrieve), rows

    def read(self, request: Request) -> Sequence[int]:
        return self._rows(self._chain.prepared([request]))[0]

    def results(self, requests: Sequence[Request]) -> list[Any]:
        chain = self._chain
        return proof.translations(chain, requests, f"translating {chain.direction} ({self.name})")

    def prove(
        self, part: Direction, requests: Sequence[Request], references: Sequence[str], before: Sequence[Any], bleu: str
    ) -> dict[str, Any]:
        return proof.prove_scores(part, references, before, self.results(requests), bleu)

    def close(self) -> None:
        self._chain.close()
        del self._chain, self._rows


class _Masked:
    """A masked model, judged by how much texts surprise it."""

    name, reads = "transformers", True

    def __init__(self, saved: Saved, backend: Backend) -> None:
        self._tokenizer = saved.tokenizer()
        self._model = saved.model(self._tokenizer, backend=backend)

    def read(self, request: Request) -> Sequence[int]:
        ids: list[int] = self._tokenizer(request.text)["input_ids"]
        return ids

    def results(self, requests: Sequence[Request]) -> list[Any]:
        from seshat.evaluation.perplexity import masked

        return list(masked(self._model, self._tokenizer, [one.text for one in requests], whole_words=False))

    def prove(
        self,
        part: Direction,
        requests: Sequence[Request],
        references: Sequence[str],  # noqa: ARG002
        before: Sequence[Any],
        bleu: str,  # noqa: ARG002
    ) -> dict[str, Any]:
        return proof.prove_bits(part.source, before, self.results(requests))

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
        lookups = Retriever.load(saved.folder / FOLDER, saved.prompt)
        return _Translating("transformers", causal, causal.rows, lookups)
    seq2seq = Seq2SeqBaseTranslator(saved.folder, part, backend=backend)
    return _Translating("transformers", seq2seq, seq2seq.rows)


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

        def rows(requests: Sequence[Request]) -> list[list[int]]:
            return [[known[one] for one in fast.tokens(row)] for row in fast.rows(requests)]

        return _Translating("ctranslate2", fast, rows)
    if form.kind != "gguf":
        return open_model(Saved.read(folder), part)
    if find_spec("llama_cpp") is None:
        return _read_back(folder, part, full, work)
    from seshat.inference.engines.llama import LlamaCppTranslator

    quantised = LlamaCppTranslator(folder, part)
    lookups = Retriever.load(folder / FOLDER, Prompt.load(folder))
    return _Translating("llama.cpp", quantised, quantised.rows, lookups)


def _read_back(folder: Path, part: Direction, full: Callable[[], Path], work: Path) -> Engine:
    """The weights of a GGUF file through Transformers: proves the weights, not what llama.cpp would read."""
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


def read_back(file: Path, weights: Path, target: Path) -> None:
    """Write the model that a GGUF file holds, its values as they come out of the file's types.

    Args:
        file: written by :func:`seshat.export.gguf.write_gguf`.
        weights: what it was written from, for configuration, tokenizer and names.
        target: folder to write.
    """
    gguf = require("gguf", extra="gguf", purpose="Reading a GGUF file")
    import torch
    from safetensors.torch import save_file

    target.mkdir(parents=True, exist_ok=True)
    for path in weights.iterdir():
        if path.is_file() and path.suffix != ".safetensors" and not path.name.endswith(".index.json"):
            shutil.copyfile(path, target / path.name)
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    config = read_config(weights)
    tensors = {}
    for tensor in tensors_of(gguf, weights, config, "f32"):
        found = stored[tensor.name]
        shift, scale = norm_change(tensor.key, config)
        value = gguf.quants.dequantize(found.data, found.tensor_type).reshape(tensor.shape) / scale - shift
        value = reordered(value.astype("float32"), tensor.key, config, back=True)
        tensors[tensor.key] = torch.from_numpy(value.copy())
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
