"""The forms that a model can be exported in: which there are for a family, and how each is built."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from seshat.config.export import ExportSection
from seshat.core.errors import UsageError, install_command, require
from seshat.core.jsonl import write_text
from seshat.models.neural.base import open_tokenizer
from seshat.models.neural.saved import ADAPTER, WEIGHTS, Saved
from seshat.models.neural.vocabulary import BREAKS
from seshat.project.manifest import Base
from seshat.prompt.retrieval import FOLDER as MEMORY

Kind = Literal["merged", "adapter", "gguf", "ctranslate2"]
_CONTEXT = 4_096
"""Tokens that Ollama keeps room for, where the model can see more."""


@dataclass(frozen=True)
class Form:
    """One export."""

    kind: Kind
    type: str | None = None
    """Of the weights in a GGUF file."""
    modelfile: bool = False
    """Whether a GGUF file gets a ``Modelfile`` for Ollama."""

    @property
    def name(self) -> str:
        """Such as ``gguf-q8_0``: what the folder is called after the model."""
        return f"{self.kind}-{self.type}" if self.type else self.kind

    @property
    def published(self) -> str:
        """The folder, below that of the export, with what other programs take."""
        return {"merged": WEIGHTS, "adapter": ADAPTER, "ctranslate2": "ctranslate2", "gguf": "."}[self.kind]


def plan(saved: Saved, section: ExportSection) -> list[Form]:
    """The forms to export.

    Raises:
        UsageError: a form makes no sense for the family, or would break the model.
        MissingPackage: a form needs a package that is not installed.
    """
    wanted = section.formats or saved.network.forms[:1]
    for name in wanted:
        _check(saved, name)
    forms: list[Form] = []
    for name in dict.fromkeys("gguf" if name == "ollama" else name for name in wanted):
        if name == "gguf":
            forms += [Form("gguf", kind, "ollama" in wanted) for kind in dict.fromkeys(section.quantization)]
        else:
            forms.append(Form(name))
    for form in forms:
        _require(form)
    return forms


def _check(saved: Saved, name: str) -> None:
    possible = saved.network.forms
    if name not in possible:
        raise UsageError(
            f"{saved.folder.name} is of the family '{saved.family.name}', which is not exported as '{name}'.",
            f"It can be: {', '.join(possible)}.",
        )
    if name == "adapter" and not saved.has_adapter:
        raise UsageError(
            f"{saved.folder.name} was trained as a whole: there is no adapter to export.", "Export it as `merged`."
        )
    if name in BREAKS and _extended(saved):
        raise UsageError(
            f"{saved.folder.name} has new pieces in its vocabulary; as '{name}' it would be broken: {BREAKS[name]}.",
            "Export it as `merged`.",
        )


def _extended(saved: Saved) -> bool:
    """Whether the model knows pieces that its base has no rows for, or that the base was not trained with."""
    recorded = saved.manifest.vocabulary or {}
    return bool(recorded.get("new_pieces"))


def _require(form: Form) -> None:
    """Say now what is missing, not after an hour of merging."""
    from seshat.export.gguf import DIRECT
    from seshat.inference.engines.llama import package

    if form.kind == "ctranslate2":
        require("ctranslate2", extra="ctranslate2", purpose="Exporting to CTranslate2")
    if form.kind == "gguf":
        require("gguf", extra="gguf", purpose="Writing a GGUF file")
        if form.type not in DIRECT:
            package(f"Quantising to {form.type}")


def build(form: Form, saved: Saved, full: Callable[[], Path], folder: Path) -> None:
    """Write an export, without proof and card: what other programs take, the manifest, ``prompt.json``.

    Args:
        form: which.
        saved: the model.
        full: gives the folder with all weights, merged when asked for first.
        folder: the folder to write, laid out as that of a model, so that whatever opens models opens it.
    """
    from seshat.export.merge import copy_adapter, copy_model

    name = folder.name
    more: dict[str, Any] = {"name": name, "form": form.kind, "exported_from": saved.folder.name, "files": None}
    if form.kind != "adapter":
        more |= {"adapter": False, "quantization": "none"}
    target = folder / form.published
    if form.kind == "merged":
        copy_model(full(), target)
    elif form.kind == "adapter":
        copy_adapter(saved.own, saved.manifest.base or Base(), target)
    elif form.kind == "ctranslate2":
        from seshat.export.ctranslate2 import write_ctranslate2

        more["ctranslate2"] = write_ctranslate2(full(), target)
    else:
        more["gguf"] = _gguf(form, saved, full(), folder)
    saved.prompt.save(folder)
    if (saved.folder / MEMORY).is_dir():
        shutil.copytree(saved.folder / MEMORY, folder / MEMORY)
    saved.manifest.model_copy(update=more).write(folder)


def _gguf(form: Form, saved: Saved, weights: Path, folder: Path) -> dict[str, Any]:
    from seshat.export.gguf import begins_with_bos, write_gguf

    assert form.type is not None
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{folder.name}.gguf"
    template = saved.prompt.chat_template
    vocabulary = write_gguf(weights, file, form.type, name=folder.name, template=template)
    if form.modelfile:
        from seshat.export.ollama import modelfile

        tokenizer = open_tokenizer(weights)
        bos = str(tokenizer.bos_token) if begins_with_bos(tokenizer, template) else None
        text = modelfile(file.name, saved.prompt, tokenizer, context=_context(weights), bos=bos)
        write_text(folder / "Modelfile", text)
    return {"file": file.name, "type": form.type, "unicode": vocabulary.form}


def _context(weights: Path) -> int:
    config = json.loads((weights / "config.json").read_text(encoding="utf-8"))
    most: int = {**config, **config.get("text_config", {})}["max_position_embeddings"]
    return min(most, _CONTEXT)


def warnings(saved: Saved, forms: Iterable[Form]) -> list[str]:
    """What a form cannot do that the prompt object asks for, in plain words."""
    forms = list(forms)
    kinds = {form.kind for form in forms}
    found = []
    if "gguf" in kinds and find_spec("llama_cpp") is None:
        found.append(
            "llama-cpp-python is not installed: the weights in the GGUF files were proved by reading them back, but "
            f"token ids were not compared with llama.cpp's. Install it with: {install_command('llama')}"
        )
    prompt = saved.prompt
    if "gguf" in kinds and prompt.decoding.beams > 1:
        found.append(
            f"llama.cpp has no beam search: GGUF files answer greedily, not with {prompt.decoding.beams} beams."
        )
    if any(form.modelfile for form in forms) and (prompt.hints or prompt.shots):
        found.append(
            "The prompts have hints or similar pairs in them, which Ollama alone cannot look up: there, the model is "
            "asked without, and will be worse. Seshat looks them up in memory/."
        )
    return found
