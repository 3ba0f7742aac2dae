"""Base models: found on disk, recognised by a fingerprint, opened for their family.

Safetensors only and no code from the model's folder: nothing that is opened here can run a program. Nothing is fetched
unless ``model.download`` says so.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from seshat.config.families import FAMILIES, Family
from seshat.core.errors import DataError, UsageError, require
from seshat.core.transfer import digest
from seshat.models.neural.device import Backend
from seshat.project.folder import Project
from seshat.project.manifest import Base

_FILES = ["*.json", "*.safetensors", "*.model", "*.spm", "*.txt", "*.jinja"]
_NOT = ["original/*", "onnx/*", "openvino/*"]
_TOKENIZER = ("tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt")
_SAMPLE = 256
_NOISY = ("trl", "accelerate", "peft", "datasets", "bitsandbytes", "bitsandbytes.backends.cpu.ops")
_PURPOSE = "Fine-tuning a pretrained model"


def resolve(project: Project) -> Path:
    """The local folder of the base model that ``model.base`` names.

    Raises:
        UsageError: no base is configured.
        DataError: there is no such folder, and no model of that id on this machine, or it is not in safetensors.
    """
    section = project.config.model
    if section.base is None:
        raise UsageError(
            f"train.family is '{project.config.train.family}', which starts from a pretrained model, and there is no "
            "model.base.",
            "Name a local folder or a Hugging Face id, such as model.base=Qwen/Qwen3-0.6B, or a preset: see "
            "`seshat presets`.",
        )
    return located(section.base, section.revision, project.root, download=section.download)


def located(base: str, revision: str | None, root: Path, *, download: bool = False) -> Path:
    """The local folder of a base model.

    Args:
        base: a folder, absolute or from ``root``, or a Hugging Face id.
        revision: branch, tag or commit of the id.
        root: the project folder.
        download: whether an id may be fetched over the network.

    Raises:
        DataError: there is no such folder, and no model of that id on this machine, or it is not in safetensors.
    """
    local = root / base
    if local.is_dir():
        folder = local
    else:
        folder = fetch(base, revision) if download and not _offline() else _cached(base, revision)
    if not (folder / "config.json").exists():
        raise DataError(f"{folder}: this is no model: it has no config.json.", "Name the folder with config.json.")
    if not list(folder.glob("*.safetensors")):
        raise DataError(
            f"{folder}: no weights in the safetensors format.",
            "Other formats can run programs when they are read, and are not opened. Convert the model first: load it "
            "with Transformers and save_pretrained() it.",
        )
    return folder


def _offline() -> bool:
    from huggingface_hub.constants import HF_HUB_OFFLINE

    return bool(HF_HUB_OFFLINE)


def _cached(base: str, revision: str | None) -> Path:
    hub = require("huggingface_hub", extra="train", purpose=_PURPOSE)
    try:
        found = hub.snapshot_download(
            base, revision=revision, local_files_only=True, allow_patterns=_FILES, ignore_patterns=_NOT
        )
    except Exception as error:  # of many kinds: no such id, not in the cache, no permission
        raise DataError(
            f"model.base is '{base}': there is no such folder in the project, and no model of that id on this machine.",
            f"Fetch it once: seshat download --model {base}. Or copy the model here and name its folder.",
        ) from error
    return Path(found)


def fetch(base: str, revision: str | None = None) -> Path:
    """Bring a model of the Hugging Face Hub to this machine, where it can be used without a network from then on.

    What an interrupted download has brought is kept. Weights are compared with the checksums that the Hub states.

    Args:
        base: its id, such as ``Qwen/Qwen3-0.6B``.
        revision: branch, tag or commit.

    Returns:
        Its folder in the Hub's cache (``HF_HOME``).

    Raises:
        DataError: there is no such model, it may not be had, there is no room for it, or it arrived damaged.
    """
    hub = require("huggingface_hub", extra="train", purpose="Fetching a model")
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.utils._paths import filter_repo_objects

    try:
        known = hub.HfApi().model_info(base, revision=revision, files_metadata=True)
    except Exception as error:  # of many kinds: no such id, no network, a licence that nobody accepted
        with suppress(DataError):
            return _cached(base, revision)  # was fetched before
        raise _not_fetched(base, error) from error
    wanted = list(
        filter_repo_objects(
            known.siblings, allow_patterns=_FILES, ignore_patterns=_NOT, key=lambda file: file.rfilename
        )
    )
    size = sum(file.size or 0 for file in wanted)
    cache = Path(HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if size > free:
        raise DataError(
            f"{base} has {size / 1e9:.1f} GB, and {cache} has room for {free / 1e9:.1f} GB.",
            "Make room, or name another folder: HF_HOME=/path/to/folder",
        )
    try:
        folder = Path(hub.snapshot_download(base, revision=revision, allow_patterns=_FILES, ignore_patterns=_NOT))
    except Exception as error:
        raise _not_fetched(base, error) from error
    for file in wanted:
        path = folder / file.rfilename
        if file.lfs is not None and digest(path) != file.lfs.sha256:
            path.resolve().unlink()
            raise DataError(
                f"{base}: {file.rfilename} is not what the Hub holds (sha256 {file.lfs.sha256}); it was removed.",
                "Run the same command again: only this file is fetched once more.",
            )
    return folder


def _not_fetched(base: str, error: Exception) -> DataError:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return DataError(
        f"{base} could not be fetched: {first}",
        "Is the id right, and the network there? Some models want their licence accepted on their page, and a token in "
        "the environment variable HF_TOKEN. What has come is kept.",
    )


def fingerprint(folder: Path) -> str:
    """SHA-256 that tells a base model from any other.

    Over ``config.json``, the tokenizer, and name, type, shape and a sample of the bytes of every tensor: a few
    megabytes are read, however large the model.
    """
    digest = hashlib.sha256()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("transformers_version", None)  # changes when the same model is saved again
    digest.update(json.dumps(config, sort_keys=True).encode())
    tokenizer = next((folder / name for name in _TOKENIZER if (folder / name).exists()), None)
    digest.update(tokenizer.read_bytes() if tokenizer else b"")
    for line in sorted(line for path in folder.glob("*.safetensors") for line in _tensors(path)):
        digest.update(line)
    return digest.hexdigest()


def _tensors(path: Path) -> Iterator[bytes]:
    """A line per tensor of a safetensors file: the header says where its bytes are."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            sample = b""
            for start in (begin, (begin + end) // 2, max(begin, end - _SAMPLE)):
                stream.seek(8 + length + start)
                sample += stream.read(min(_SAMPLE, end - start))
            yield f"{name} {entry['dtype']} {entry['shape']} ".encode() + hashlib.sha256(sample).digest()


def check_fingerprint(folder: Path, trained_on: Base) -> None:
    """Refuse a base that is not the one an adapter was trained on.

    Args:
        folder: the base model.
        trained_on: what the manifest says of it.

    Raises:
        DataError: it is another model.
    """
    found = fingerprint(folder)
    if found != trained_on.fingerprint:
        raise DataError(
            f"{folder}: this is not the base model that the adapter was trained on ({trained_on.id}): its "
            f"fingerprint is {found[:16]}…, expected {trained_on.fingerprint[:16]}….",
            "An adapter on another base gives nonsense. Bring back the base of the training, with its revision, or "
            "train again: seshat train",
        )


def open_tokenizer(folder: Path, *, padding_side: Literal["left", "right"] = "right") -> Any:
    """Open the tokenizer of a model; one without a padding token pads with its end token.

    Args:
        folder: the model.
        padding_side: right for training, left for generation with causal models.

    Raises:
        DataError: it cannot be read.
    """
    transformers = require("transformers", extra="train", purpose=_PURPOSE)
    try:
        with quiet():
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, padding_side=padding_side
            )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{folder}: the tokenizer cannot be read: {str(error).splitlines()[0]}",
            "The folder of a base model needs its tokenizer files (tokenizer.json or a SentencePiece model).",
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def stops(folder: Path, tokenizer: Any) -> frozenset[int]:
    """The ids at which a base ends an answer: those of its ``generation_config.json`` and of its tokenizer."""
    path = folder / "generation_config.json"
    content = json.loads((path if path.exists() else folder / "config.json").read_text(encoding="utf-8"))
    own = content.get("eos_token_id")
    many = [*(own if isinstance(own, list) else [own]), tokenizer.eos_token_id]
    return frozenset(int(one) for one in many if one is not None)


def begins(tokenizer: Any) -> int | None:
    """The token that a text stands behind: what begins texts, or what ends them where nothing begins them."""
    both = (tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next((token for token in both if token is not None), None)


def auto_class(family: Family) -> Any:
    """The class of Transformers that opens the models of a family.

    Raises:
        MissingPackage: Transformers is not installed.
    """
    transformers = require("transformers", extra="train", purpose=_PURPOSE)
    assert family.network is not None, family.name
    return getattr(transformers, family.network.auto)


def open_model(family: Family, folder: Path, backend: Backend, *, frozen: bool = False) -> Any:
    """Open a model.

    Args:
        family: decides the class.
        folder: the model.
        backend: what :func:`seshat.models.neural.device.choose` gave.
        frozen: whether its weights stay as they are (adapters, translation): they are then kept in the arithmetic of
            the backend, or quantised. Weights that are trained are kept in float32, so that small steps count.

    Raises:
        DataError: it is of another family, or cannot be read.
    """
    import torch

    _check_family(family, folder)
    options: dict[str, Any] = {"dtype": backend.torch_dtype if frozen else torch.float32}
    if frozen and backend.quantization != "none":
        options |= {"quantization_config": _bits(backend), "device_map": {"": backend.place}}
    kind = auto_class(family)
    with quiet():
        for attention in dict.fromkeys((backend.attention, "eager")):
            try:
                model = kind.from_pretrained(
                    folder,
                    local_files_only=True,
                    trust_remote_code=False,
                    use_safetensors=True,
                    attn_implementation=attention,
                    **options,
                )
                return _unpacked(model)
            except ValueError as error:  # some architectures know eager attention only
                if "attention" not in str(error) or attention == "eager":
                    raise DataError(f"{folder}: the model cannot be opened: {str(error).splitlines()[0]}") from error
            except OSError as error:
                raise DataError(f"{folder}: the model cannot be opened: {str(error).splitlines()[0]}") from error
    raise AssertionError("unreachable")


def _unpacked(model: Any) -> Any:
    """Keep bitsandbytes from rearranging 4-bit weights on CPUs with AVX512 when a model is evaluated.

    The rearranged weights stay, and no gradient passes through them when the training goes on after a validation.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model


def architecture(folder: Path) -> str | None:
    """``model_type`` of a model's ``config.json``."""
    kind: str | None = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    return kind


def _check_family(family: Family, folder: Path) -> None:
    from transformers.models.auto import modeling_auto as known

    tables = {
        one.name: getattr(known, one.network.architectures) for one in FAMILIES.values() if one.network is not None
    }
    kind = architecture(folder)
    if kind not in tables[family.name]:
        fitting = [name for name, table in tables.items() if kind in table]
        raise DataError(
            f"{folder}: a model of the type '{kind}' cannot be trained as '{family.name}'.",
            f"Set train.family to {' or '.join(fitting)}." if fitting else "Choose another base.",
        )


def _bits(backend: Backend) -> Any:
    from transformers import BitsAndBytesConfig

    if backend.quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    # QLoRA: https://arxiv.org/abs/2305.14314
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=backend.torch_dtype,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Transformers, TRL, PEFT and datasets from printing, drawing bars and asking the network."""
    import huggingface_hub.constants as hub
    import transformers

    offline, hub.HF_HUB_OFFLINE = hub.HF_HUB_OFFLINE, True

    level, bars = transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()
    noisy = {name: logging.getLogger(name) for name in _NOISY}
    levels = {name: logger.level for name, logger in noisy.items()}
    datasets = sys.modules.get("datasets")
    drawn = datasets is not None and not datasets.utils.are_progress_bars_disabled()
    if datasets is not None and drawn:
        datasets.disable_progress_bars()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for logger in noisy.values():
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Notes for the authors of these packages; what matters to a user is checked here.
            for module in ("transformers", "trl", "peft", "accelerate", "bitsandbytes", "torch"):
                warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")
            yield
    finally:
        hub.HF_HUB_OFFLINE = offline
        transformers.logging.set_verbosity(level)
        if datasets is not None and drawn:
            datasets.enable_progress_bars()
        if bars:
            transformers.logging.enable_progress_bar()
        for name, logger in noisy.items():
            logger.setLevel(levels[name])
