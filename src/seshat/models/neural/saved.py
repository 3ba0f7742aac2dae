"""Models that a training wrote, opened again: full weights, or an adapter on the base that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from seshat.config.families import Family, Network
from seshat.config.load import FILE_NAME
from seshat.core.errors import DataError
from seshat.models.neural import base as bases
from seshat.models.neural import lora
from seshat.models.neural.device import Backend, Machine, choose
from seshat.models.neural.vocabulary import fit_embeddings
from seshat.project.manifest import Base, Manifest
from seshat.prompt.prompt import Prompt

WEIGHTS, ADAPTER = "weights", "adapter"
"""Folders below that of a model: all weights, or an adapter; with the tokenizer."""
_OPEN: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()
"""Models that somebody works with: both directions, and what measures it beside, share one in the memory."""


@dataclass(frozen=True)
class Saved:
    """A model folder: what it says of itself and how it is asked."""

    folder: Path
    manifest: Manifest
    prompt: Prompt

    @classmethod
    def read(cls, folder: Path, prompt: Prompt | None = None) -> Saved:
        """Read a model folder.

        Args:
            folder: with ``model.json`` and ``prompt.json``.
            prompt: what to ask the model with, whatever it was trained with. Default: its own, which is checked.

        Raises:
            PromptMismatch: ``prompt.json`` is not the one of the training.
            DataError: a file is missing, damaged, or cannot be read.
        """
        return cls(folder, Manifest.open(folder), prompt or Prompt.check(folder))

    @property
    def family(self) -> Family:
        """What is particular to its family."""
        return self.manifest.kind

    @property
    def network(self) -> Network:
        """How the packages around it know such models."""
        network = self.family.network
        assert network is not None, self.family.name
        return network

    @property
    def seed(self) -> int:
        """Of the training; for sampling."""
        return self.manifest.seed

    @property
    def longest(self) -> int | None:
        """Tokens that an example of the training could have."""
        return longest(self.manifest)

    @property
    def has_adapter(self) -> bool:
        """Whether there is an adapter, which needs its base."""
        return (self.folder / ADAPTER).is_dir()

    @property
    def own(self) -> Path:
        """The folder with the tokenizer, and with the weights or the adapter.

        Raises:
            DataError: there is neither.
        """
        for name in (WEIGHTS, ADAPTER):
            if (self.folder / name).is_dir():
                return self.folder / name
        raise DataError(
            f"{self.folder}: neither {WEIGHTS}/ nor {ADAPTER}/ is here: the model is not complete.",
            "Train it again with: seshat train",
        )

    def base(self) -> Path:
        """The folder of the base model, when it is the one of the training.

        Raises:
            DataError: the base is not on this machine, or is another one.
        """
        known = self.manifest.base or Base()
        found = bases.located(known.id, known.revision, _project_root(self.folder))
        bases.check_fingerprint(found, known)
        return found

    def tokenizer(self, *, adapter: bool = True) -> Any:
        """The tokenizer; padding on the side that generation needs.

        Args:
            adapter: that of the training; otherwise that of the base.
        """
        folder = self.own if adapter else self.base()
        return bases.open_tokenizer(folder, padding_side="left" if self.family.instructed else "right")

    def model(self, tokenizer: Any, *, adapter: bool = True, backend: Backend | None = None) -> Any:
        """The model, ready to be asked; one that somebody works with already is not opened a second time.

        Args:
            tokenizer: what :meth:`tokenizer` gave.
            adapter: whether to put the adapter on its base; without, and for a model that was trained as a whole, the
                untrained base is opened.
            backend: default: the best of this machine, with the quantisation of the training; on the CPU, models that
                were trained as a whole compute in float32, as their weights are stored.
        """
        backend = backend or self._backend()
        folder = self.own if adapter else self.base()
        key = adapter, backend, len(tokenizer), *_written(folder)
        model = _OPEN.get(key)
        if model is None:
            model = _OPEN[key] = self._opened(tokenizer, folder, adapter, backend)
        return model

    def _opened(self, tokenizer: Any, folder: Path, adapter: bool, backend: Backend) -> Any:
        if not (adapter and self.has_adapter):
            return _placed(bases.open_model(self.family, folder, backend, frozen=True), backend)
        model = bases.open_model(self.family, self.base(), backend, frozen=True)
        package = lora.peft("Opening an adapter")
        with bases.quiet():
            fit_embeddings(model, tokenizer)
            return _placed(package.PeftModel.from_pretrained(model, str(self.own), is_trainable=False), backend)

    def _backend(self) -> Backend:
        machine = Machine.here()
        if self.has_adapter:
            return choose(quantization=self.manifest.quantization, machine=machine).logged()
        return choose(precision="float32" if machine.devices[0] == "cpu" else "auto", machine=machine).logged()


def longest(manifest: Manifest) -> int | None:
    """Tokens that an example could have in the training of a fine-tuned model, as its manifest says."""
    found: int | None = manifest.settings.get("finetune", {}).get("max_length")
    return found


def _written(folder: Path) -> Iterator[tuple[str, int]]:
    """Where weights are and when they were written: others in their place are another model."""
    for path in sorted(folder.resolve().glob("*.safetensors")):
        yield str(path), path.stat().st_mtime_ns


def _placed(model: Any, backend: Backend) -> Any:
    model = model.eval()
    return model if getattr(model, "is_quantized", False) else model.to(backend.place)


def _project_root(folder: Path) -> Path:
    """The project that a model folder is in; without one, two folders up, as ``models/NAME`` stands in a project."""
    folder = folder.resolve()
    found = (above for above in folder.parents if (above / FILE_NAME).exists())
    return next(found, folder.parent.parent)
