"""Several processes: one training, one that writes; and what several processes are not for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import tiny_models
from tests.small_project import small_project
from tests.tiny_project import texts, tiny_project

from seshat.cli import main
from seshat.config.load import load_config
from seshat.core.errors import UsageError
from seshat.core.processes import alone, is_main_process, process_count
from seshat.models import train
from seshat.project.folder import Project

SETTINGS = """\
project: {{language: qsm, pivot: es, max_access: public}}
model: {{base: {base}}}
prompt: {{system: "", max_new_tokens: 24}}
train:
  family: causal
  finetune: {{max_steps: 3, batch: {batch}, learning_rate: 5.0e-3, max_length: 96, validate_every: 2, metric: loss,
              device: cpu, precision: float32}}
  lora: {{rank: 4, alpha: 8, dropout: 0.0}}
"""


def project(root: Path, base: Path, batch: int) -> Path:
    tiny_project(root, base, size=16)
    for name in ("monolingual", "lexicon"):
        (root / "data" / "training" / f"{name}.jsonl").touch()
    (root / "seshat.yaml").write_text(SETTINGS.format(base=base, batch=batch), encoding="utf-8")
    return root


@pytest.mark.slow
def test_two_processes_train_what_one_would(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    base = tiny_models.qwen3(tmp_path / "base", texts())
    one, two = project(tmp_path / "one", base, 8), project(tmp_path / "two", base, 4)
    train.run(Project(one, load_config(one)))
    launched = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=0",
         "--rdzv_backend=c10d", "--rdzv_endpoint=localhost:0", "-m", "seshat", "train", "--json", "-p", str(two)],
        capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert launched.returncode == 0, launched.stderr
    assert json.loads(launched.stdout)["steps"] == 3, "one of the two prints, and eight examples make a step"
    assert launched.stderr.count("trained text") == 1, "one of the two logs"
    described = [json.loads((root / "models" / "causal" / "run.json").read_text()) for root in (one, two)]
    assert described[0]["phases"][0]["best_step"] == described[1]["phases"][0]["best_step"]
    weights = [load_file(root / "models" / "causal" / "adapter" / "adapter_model.safetensors") for root in (one, two)]
    assert any(value.abs().max() > 1e-3 for name, value in weights[0].items() if "lora_B" in name)
    assert all(torch.allclose(weights[0][name], weights[1][name], atol=2e-5) for name in weights[0])
    assert not list((two / "models").glob(".*")) and not list((two / ".seshat" / "work").iterdir())


def test_what_one_process_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert process_count() == 2 and not is_main_process()
    root = small_project(tmp_path)
    with pytest.raises(UsageError, match="statistical translator works in one process"):
        train.run(Project(root, load_config(root)))
    with pytest.raises(UsageError, match="accelerate launch -m seshat train"):
        alone("This")


@pytest.mark.parametrize("command", ["run", "clean", "sweep"])
def test_commands_for_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(sys, "argv", ["seshat", command, "-p", str(small_project(tmp_path))])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"seshat {command} works in one process" in capsys.readouterr().err
    assert not (tmp_path / "data" / "interim").exists()
