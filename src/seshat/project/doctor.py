"""What this machine can do, found out by doing it.

A version number does not say whether a library works here: a wheel for another processor, a driver that is too old
or half an installation show only when something is computed. So each finding rests on a small real piece of work.
What might crash or hang runs in a process of its own (:mod:`seshat.project.probes`), with a time limit.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seshat.core.errors import install_command
from seshat.core.progress import track
from seshat.project import machine
from seshat.project.machine import Finding


@dataclass(frozen=True)
class Probe:
    """Work that is done in a process of its own: ``name`` is its function in :mod:`seshat.project.probes`."""

    name: str
    package: str
    extra: str | None
    purpose: str
    seconds: float = 60.0


PROBES = (
    Probe("thot", "thot", None, "the statistical family"),
    Probe("dvc", "dvc", None, "running only what changed"),
    Probe("sentencepiece", "sentencepiece", "tokenizer", "subwords and tokenizers of models from scratch"),
    Probe("torch", "torch", "train", "the neural families", 180.0),
    Probe("bitsandbytes", "bitsandbytes", None, "4-bit training of large models", 120.0),
    Probe("ctranslate2", "ctranslate2", "ctranslate2", "fast translation with neural models"),
)


def examine(folder: Path | None = None) -> list[Finding]:
    """Find out what this machine can do.

    Args:
        folder: where the projects are, to judge the disk; default: the current folder.

    Returns:
        Findings, the essential ones first. Never raises because of what it finds.
    """
    here = (folder or Path()).resolve()
    cheap: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("python", machine.python),
        ("packages", machine.packages),
        ("disk", lambda: machine.disk(here)),
        ("memory", machine.memory),
        ("cores", machine.cores),
        ("text", machine.text),
    )
    findings = [_guarded(name, look) for name, look in cheap]
    for probe in track(PROBES, "try out packages"):
        findings += run_probe(probe)
    return findings


def run_probe(probe: Probe) -> list[Finding]:
    """Run one probe in a process of its own."""
    if not _is_installed(probe.package):
        return [_absent(probe)]
    with tempfile.TemporaryDirectory(prefix="seshat-doctor-") as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "seshat.project.probes", probe.name, str(answer)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=probe.seconds,
                env=_environment(),
                cwd=folder,
                check=False,
            )
        except subprocess.TimeoutExpired:
            detail = f"no answer within {probe.seconds:.0f} seconds"
            return [Finding(probe.name, "fail", detail, "Try again on an idle machine; if it stays, reinstall it.")]
        except OSError as error:
            return [Finding(probe.name, "fail", f"could not be tried: {error}")]
        try:
            return [Finding(**item) for item in json.loads(answer.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return [Finding(probe.name, "fail", _how_it_ended(done), _reinstall(probe))]


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as error:
        return Finding(name, "fail", f"could not be found out: {type(error).__name__}: {error}")


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _absent(probe: Probe) -> Finding:
    detail = f"not installed; needed for {probe.purpose}"
    if probe.package == "thot":
        advice = (
            "pip install sil-thot (Linux x86-64, macOS arm64, Windows). There is none for Linux on Arm: there, "
            "the word-by-word model stands in, or train.family: seq2seq."
        )
        return Finding(probe.name, "warn", detail, advice)
    if probe.package == "dvc":
        return Finding(probe.name, "fail", detail, "pip install dvc")
    wanted = install_command(probe.extra) if probe.extra else f"pip install {probe.package}"
    return Finding(probe.name, "absent", detail, f"If you want that: {wanted}")


def _environment() -> dict[str, str]:
    """Ours, so that the probe meets what a run would meet; nothing is sent anywhere."""
    source = str(Path(__file__).resolve().parents[2])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"DVC_NO_ANALYTICS": "1", "HF_HUB_OFFLINE": "1", "PYTHONSAFEPATH": "1", "PYTHONFAULTHANDLER": ""}
    return {**os.environ, **quiet, "PYTHONPATH": os.pathsep.join(paths)}


def _how_it_ended(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        try:
            name = signal.Signals(-done.returncode).name
        except ValueError:
            name = f"signal {-done.returncode}"
        return f"crashed ({name})"
    last = [line for line in done.stderr.splitlines() if line.strip()]
    return f"does not work: {last[-1].strip()[:300]}" if last else f"ended with status {done.returncode}"


def _reinstall(probe: Probe) -> str:
    package = "sil-thot" if probe.package == "thot" else probe.package
    return f"The installed package may be for another processor or system: pip install --force-reinstall {package}"
