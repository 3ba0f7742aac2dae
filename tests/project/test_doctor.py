"""doctor does real work, and whatever a package does it comes back with a finding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seshat.core.errors import install_command
from seshat.project import doctor, machine, probes
from seshat.project.doctor import PROBES, Probe, examine, run_probe
from seshat.project.machine import Finding

BY_NAME = {probe.name: probe for probe in PROBES}
Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a module before the installed ones, here and in the processes of the probes."""

    def put(name: str, source: str) -> None:
        folder = tmp_path / "site"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(folder))
        if str(folder) not in sys.path:
            monkeypatch.syspath_prepend(folder)

    return put


@pytest.mark.parametrize("name", ["thot", "sentencepiece", "ctranslate2"])
def test_packages_are_tried(name: str) -> None:
    pytest.importorskip(BY_NAME[name].package)
    findings = run_probe(BY_NAME[name])
    assert findings
    assert {finding.status for finding in findings} <= {"ok", "warn"}, findings


def test_a_package_that_crashes_is_a_finding(install: Install) -> None:
    install("sentencepiece", "import os\nos.abort()\n")
    assert run_probe(BY_NAME["sentencepiece"]) == [
        Finding(
            "sentencepiece",
            "fail",
            "crashed (SIGABRT)",
            "The installed package may be for another processor or system: pip install --force-reinstall sentencepiece",
        )
    ]


def test_a_package_that_raises_is_a_finding(install: Install) -> None:
    install("sentencepiece", "raise ImportError('libfoo.so.1: cannot open shared object file')\n")
    (finding,) = run_probe(BY_NAME["sentencepiece"])
    assert finding.status == "fail"
    assert finding.detail == "does not work: ImportError: libfoo.so.1: cannot open shared object file"


def test_a_package_that_hangs_is_a_finding(install: Install) -> None:
    install("sentencepiece", "import time\ntime.sleep(60)\n")
    (finding,) = run_probe(Probe("sentencepiece", "sentencepiece", "tokenizer", "x", seconds=1.0))
    assert (finding.status, finding.detail) == ("fail", "no answer within 1 seconds")


def test_noise_on_the_terminal_does_not_matter(install: Install) -> None:
    install(
        "sentencepiece",
        "print('noise')\n__version__ = '9'\n"
        "class SentencePieceTrainer:\n    train = staticmethod(lambda **k: None)\n"
        "class SentencePieceProcessor:\n    def __init__(self, **k): pass\n"
        "    def encode(self, text): return text\n    def decode(self, text): return 'other'\n",
    )
    (finding,) = run_probe(BY_NAME["sentencepiece"])
    assert (finding.status, finding.detail) == ("fail", "9; trained a tokenizer, which does not give the text back")


def test_works_without_any_optional_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "_is_installed", lambda package: False)
    found = {finding.name: finding for finding in examine(tmp_path)}
    assert found["torch"].status == "absent"
    assert found["torch"].advice == f"If you want that: {install_command('train')}"
    assert found["bitsandbytes"].status == "absent"
    assert found["thot"].status == "warn"
    assert found["dvc"].status == "fail"
    assert list(found)[:6] == ["python", "packages", "disk", "memory", "cores", "text"]
    assert {found[name].status for name in ("python", "packages", "disk")} == {"ok"}


def test_a_look_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Finding:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(machine, "memory", broken)
    monkeypatch.setattr(doctor, "PROBES", ())
    found = {finding.name: finding for finding in examine()}
    assert found["memory"].detail == "could not be found out: RuntimeError: no such thing"
    assert found["memory"].status == "fail"


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'thot', 'dvc', 'ctranslate2', 'sentencepiece', 'transformers', 'pydantic'}"
    code = f"import sys, seshat.project.doctor; assert not {heavy} & set(sys.modules), set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ.copy())


class TestMachine:
    def test_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def free(gib: float) -> None:
            usage = type("Usage", (), {"free": int(gib * machine.GIB)})
            monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)

        for gib, status in ((20, "ok"), (3, "warn"), (0.1, "fail")):
            free(gib)
            assert machine.disk(tmp_path / "not" / "there").status == status

    def test_container_limits(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "_CGROUP", tmp_path)
        (tmp_path / "memory.max").write_text(str(machine.GIB))
        (tmp_path / "memory.current").write_text(str(machine.GIB // 2))
        (tmp_path / "cpu.max").write_text("50000 100000")
        assert machine.memory().detail == "0.5 GiB available of 1.0"
        assert machine.memory().status == "warn"
        assert machine.cores().detail.endswith("the container allows the work of 0.5")
        (tmp_path / "memory.max").write_text("max")
        (tmp_path / "cpu.max").write_text("max 100000")
        assert not machine.memory().detail.endswith("of 1.0")
        assert machine.cores().status == "ok"

    def test_a_terminal_that_cannot_show_all_letters(self) -> None:
        code = "from seshat.project import machine; print(machine.text().status)"
        for encoding, status in (("latin-1", "warn"), ("utf-8", "ok")):
            environment = {**os.environ, "PYTHONIOENCODING": encoding}
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
            assert done.stdout.strip() == status

    def test_packages_that_are_missing_or_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wanted = ["pydantic>=99", "surely-not-there>=1", "regex", "other; extra == 'x'", "never; sys_platform == 'x'"]
        monkeypatch.setattr("importlib.metadata.requires", lambda name: wanted)
        found = machine.packages()
        assert found.status == "fail"
        assert "is not >=99; surely-not-there is missing" in found.detail


class TestTorch:
    """Verdicts on products; the products themselves are torch's."""

    @pytest.mark.parametrize(
        ("seconds", "wrong", "status", "words"),
        [
            ((0.4, 0.1), (), "ok", "bfloat16 is 4.0 times as fast"),
            ((0.1, 0.3), (), "warn", "bfloat16 takes 3.0 times as long"),
            ((0.4, 0.1), ("float32",), "fail", "float32 is wrong"),
            ((0.4, 0.1), ("bfloat16",), "warn", "bfloat16 is wrong"),
        ],
    )
    def test_verdicts(
        self,
        monkeypatch: pytest.MonkeyPatch,
        seconds: tuple[float, float],
        wrong: tuple[str, ...],
        status: str,
        words: str,
    ) -> None:
        torch = pytest.importorskip("torch")

        def timed(package: Any, work: Callable[[], Any], device: str) -> tuple[float, Any]:
            product = work()
            kind = str(product.dtype).removeprefix("torch.")
            return seconds[kind == "bfloat16"], product * (2 if kind in wrong else 1)

        monkeypatch.setattr(probes, "_timed", timed)
        found = probes._multiply(torch, "cpu", "processor")
        assert (found.status, words in found.detail) == (status, True), found

    def test_a_device_that_fails_leaves_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("torch")
        monkeypatch.setattr(probes, "_devices", lambda package: iter([("cuda:9", "none"), ("cpu", "processor")]))
        found = {finding.name: finding for finding in probes.torch()}
        assert found["torch on cuda:9"].status == "fail"
        assert "\n" not in found["torch on cuda:9"].detail
        assert found["torch on cpu"].status in {"ok", "warn"}


def test_probes_answer_in_a_file(tmp_path: Path) -> None:
    pytest.importorskip("thot")
    assert probes.main(["thot", str(tmp_path / "answer")]) == 0
    (finding,) = json.loads((tmp_path / "answer").read_text())
    assert finding["status"] == "ok"
