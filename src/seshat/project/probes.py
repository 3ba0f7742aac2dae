"""Small real pieces of work with packages that may crash; ``python -m seshat.project.probes NAME FILE`` runs one.

Each probe answers with findings about itself. :mod:`seshat.project.doctor` runs them in processes of their own.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from seshat.project.machine import Finding

_ROUNDS = 5
_BF16_ERROR = 0.02
"""Relative error of a product in bfloat16, which keeps 8 bits of the mantissa: about 2^-8 is usual."""
_NF4_ERROR = 0.2
"""Relative error of a product with weights in 4 bits: quantising a layer like the one below by hand gives 0.09."""


def thot() -> Iterator[Finding]:
    """Learn a word alignment from a few sentences and look whether it is right."""
    from thot.alignment import HmmAlignmentModel

    model = HmmAlignmentModel()
    for source, target in (("ka", "uno"), ("ka mi", "uno dos"), ("mi", "dos"), ("mi tu", "dos tres"), ("tu", "tres")):
        model.add_sentence_pair(source.split(), target.split(), 1)
    model.start_training()
    for _ in range(5):
        model.train()
    model.end_training()
    _, matrix = model.get_best_alignment(["tu", "ka"], ["tres", "uno"])
    links = {(int(i), int(j)) for i, j in zip(*matrix.to_numpy().nonzero(), strict=True)}
    version = importlib.metadata.version("sil-thot")
    if links == {(0, 0), (1, 1)}:
        yield Finding("thot", "ok", f"{version}; aligned words of five sentences")
    else:
        yield Finding("thot", "fail", f"{version}; aligned five easy sentences wrongly: {sorted(links)}")


def dvc() -> Iterator[Finding]:
    """Make a repository and add a file to it."""
    from dvc import __version__
    from dvc.repo import Repo

    with tempfile.TemporaryDirectory() as folder:
        repo = Repo.init(folder, no_scm=True)
        path = Path(folder) / "file"
        path.write_text("x")
        repo.add(str(path))
        done = path.with_suffix(".dvc").exists()
        repo.close()
    yield Finding("dvc", "ok" if done else "fail", f"{__version__}; {'tracked' if done else 'did not track'} a file")


def sentencepiece() -> Iterator[Finding]:
    """Train a tiny tokenizer, cut a text with it and put it together again."""
    import sentencepiece as package

    model = io.BytesIO()
    lines = ["kana machi", "kuchi na", "chi ka ma"] * 20
    package.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=20, hard_vocab_limit=False, minloglevel=2
    )
    trained = package.SentencePieceProcessor(model_proto=model.getvalue())
    text = "machi na ka"
    good = trained.decode(trained.encode(text)) == text
    detail = f"{package.__version__}; trained a tokenizer{'' if good else ', which does not give the text back'}"
    yield Finding("sentencepiece", "ok" if good else "fail", detail)


def ctranslate2() -> Iterator[Finding]:
    """Ask for the kinds of arithmetic on each device, and move numbers there and back."""
    import ctranslate2 as package
    import numpy as np

    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    devices = ["cpu", *(["cuda"] if package.get_cuda_device_count() else [])]
    for device in devices:
        kinds = package.get_supported_compute_types(device)
        there = package.StorageView.from_array(numbers).to_device(getattr(package.Device, device))
        back = np.array(there.to_device(package.Device.cpu))
        name = f"ctranslate2 on {device}"
        detail = f"{package.__version__}; {', '.join(sorted(kinds))}"
        if not np.array_equal(back, numbers):
            yield Finding(name, "fail", f"{detail}; numbers come back changed")
        elif "int8" not in kinds:
            yield Finding(name, "warn", f"{detail}; no int8", "Translation will need more memory and time.")
        else:
            yield Finding(name, "ok", detail)


def torch() -> Iterator[Finding]:
    """Multiply matrices in float32 and bfloat16 on every device: right, and how fast?"""
    import torch as package

    yield Finding("torch", "ok", f"{package.__version__}; {package.get_num_threads()} threads")
    for device, label in _devices(package):
        try:
            yield _multiply(package, device, label)
        except Exception as error:
            yield Finding(f"torch on {device}", "fail", f"{label}: {_first_line(error)}", _DRIVER)


_DRIVER = "The driver and the build of torch may not fit each other; README, 'Installing torch'."


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _devices(package: Any) -> Iterator[tuple[str, str]]:
    """Devices of torch and what they are called."""
    yield "cpu", "processor"
    if package.cuda.is_available():
        for index in range(package.cuda.device_count()):
            about = package.cuda.get_device_properties(index)
            yield f"cuda:{index}", f"{about.name}, {about.total_memory / 2**30:.0f} GiB"
    if package.backends.mps.is_available():
        yield "mps", "Apple graphics"


def _multiply(package: Any, device: str, label: str) -> Finding:
    """Time a product in both precisions and compare it with the same in float64."""
    size = 512 if device == "cpu" else 4096
    generator = package.Generator().manual_seed(13)
    left, right = (package.randn(size, size, generator=generator) for _ in range(2))
    truth = left[:8].double() @ right.double()
    seconds, errors = {}, {}
    for kind in (package.float32, package.bfloat16):
        a, b = left.to(device, kind), right.to(device, kind)
        seconds[kind], product = _timed(package, partial(package.matmul, a, b), device)
        errors[kind] = float((product[:8].double().cpu() - truth).norm() / truth.norm())
    name, full, half = f"torch on {device}", package.float32, package.bfloat16
    detail = f"{label}; {size} x {size} product: float32 {_ms(seconds[full])}, bfloat16 {_ms(seconds[half])}"
    if not errors[full] < 0.01:
        return Finding(name, "fail", f"{detail}; float32 is wrong (relative error {errors[full]:.3g})", _DRIVER)
    if not errors[half] < _BF16_ERROR:
        return Finding(name, "warn", f"{detail}; bfloat16 is wrong (relative error {errors[half]:.3g})", _FLOAT32)
    ratio = seconds[full] / seconds[half]
    if ratio < 1:
        return Finding(name, "warn", f"{detail}: bfloat16 takes {1 / ratio:.1f} times as long", _FLOAT32)
    return Finding(name, "ok", f"{detail}: bfloat16 is {ratio:.1f} times as fast")


_FLOAT32 = "Train with train.finetune.precision=float32 here."


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def _timed(package: Any, work: Callable[[], Any], device: str) -> tuple[float, Any]:
    """The shortest of a few rounds, in seconds, and the last result."""

    def once() -> tuple[float, Any]:
        start = time.perf_counter()
        result = work()
        if device.startswith("cuda"):
            package.cuda.synchronize(device)
        elif device == "mps":
            package.mps.synchronize()
        return time.perf_counter() - start, result

    once()  # the first call loads kernels
    rounds = [once() for _ in range(_ROUNDS)]
    return min(seconds for seconds, _ in rounds), rounds[-1][1]


def bitsandbytes() -> Iterator[Finding]:
    """Put a layer into 4 bits (NF4) on every device and compare what it computes."""
    package = importlib.import_module("bitsandbytes")
    import torch

    worked = False
    for device, label in _devices(torch):
        name = f"bitsandbytes on {device}"
        try:
            error = _four_bits(package, torch, device)
        except Exception as failure:
            status: Any = "absent" if device == "cpu" else "fail"
            yield Finding(name, status, f"{package.__version__}; nf4 does not work on {label}: {_first_line(failure)}")
            continue
        worked |= error < _NF4_ERROR
        status = "ok" if error < _NF4_ERROR else "fail"
        yield Finding(name, status, f"{package.__version__}; an nf4 layer on {label}, relative error {error:.2f}")
    if not worked:
        yield Finding("bitsandbytes", "warn", "nf4 works on no device", "Train without 4-bit weights (LoRA in bf16).")


def _four_bits(package: Any, torch: Any, device: str) -> float:
    torch.manual_seed(13)
    plain = torch.nn.Linear(256, 128, bias=False)
    layer = package.nn.Linear4bit(256, 128, bias=False, quant_type="nf4", compute_dtype=torch.bfloat16)
    layer.load_state_dict(plain.state_dict())
    layer = layer.to(device)
    given = torch.randn(16, 256)
    with torch.no_grad():
        expected = plain(given)
        found = layer(given.to(device, torch.bfloat16)).float().cpu()
    return float((found - expected).norm() / expected.norm())


_PROBES: dict[str, Callable[[], Iterator[Finding]]] = {
    probe.__name__: probe for probe in (thot, dvc, sentencepiece, ctranslate2, torch, bitsandbytes)
}


def main(arguments: list[str]) -> int:
    """Run the probe ``arguments[0]`` and write its findings to the file ``arguments[1]``."""
    name, answer = arguments
    findings = [asdict(finding) for finding in _PROBES[name]()]
    Path(answer).write_text(json.dumps(findings, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
