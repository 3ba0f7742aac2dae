"""Every preset is valid, weaker than the project, and says where its values come from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config import presets
from seshat.config.agreement import cautions
from seshat.config.load import load_config, load_with_places
from seshat.config.presets import NEEDS_CODES, architecture
from seshat.config.render import commented_yaml, show_yaml
from seshat.core.errors import ConfigError

CODES = "model.language_codes={qu: quy_Latn, es: spa_Latn}"
PROMISED = {
    *("statistical", "scratch-small", "byt5-small", "byt5-base", "byt5-large", "nllb-600m", "nllb-1.3b"),
    *(f"qwen3-{size}-qlora" for size in ("0.6b", "1.7b", "4b", "8b", "14b", "32b")),
    *("qlora_qwen3_14b", "gemma3-1b-qlora", "xlmr-base-mlm", "qwen3-4b-local", "qwen3-4b-cloud"),
}


def project(folder: Path, text: str = "") -> Path:
    (folder / "seshat.yaml").write_text("project: {language: qu, pivot: es}\n" + text, encoding="utf-8")
    return folder


def problems(root: Path, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(root, overrides=overrides)
    return [str(problem) for problem in caught.value.problems]


def test_the_promised_ones_are_there() -> None:
    assert set(presets.names()) >= PROMISED


@pytest.mark.parametrize("name", presets.names())
def test_each_is_valid_explained_and_of_a_known_base(tmp_path: Path, name: str) -> None:
    root = project(tmp_path, f"model: {{preset: {name}}}\n")
    plain = load_with_places(root, overrides=[CODES]) if name.startswith("nllb") else load_with_places(root)
    config = plain.config
    assert config.train.name == name
    assert config.model.preset == name
    if config.model.base is not None:
        assert config.model.base in presets.bases()
        assert plain.places["model.base"].startswith(f"preset {name}:")
    assert list(cautions(config)) == []
    lines = presets.text(name).splitlines()
    assert 40 < len(presets.summary(name)) <= 118
    assert any(line.startswith("# Why") for line in lines), "the reason of its values is missing"
    assert max(map(len, lines)) <= 120
    assert set(presets.read(name).plain()) <= {"model", "prompt", "train", "tokenizer"}


@pytest.mark.parametrize("name", ["byt5-base", "qwen3-4b-qlora", "xlmr-base-mlm", "scratch-small"])
def test_what_is_shown_loads_to_the_same(tmp_path: Path, name: str) -> None:
    config = load_config(project(tmp_path, f"model: {{preset: {name}}}\n"))
    for text in (show_yaml(config), commented_yaml(config)):
        (tmp_path / "seshat.yaml").write_text(text, encoding="utf-8")
        assert load_config(tmp_path) == config


def test_everything_the_project_writes_is_stronger(tmp_path: Path) -> None:
    root = project(tmp_path, "extends: shared.yaml\nmodel: {preset: byt5-base}\ntrain: {finetune: {batch: 3}}\n")
    (root / "shared.yaml").write_text("train: {finetune: {max_length: 300, batch: 9}}\n")
    (root / "profiles").mkdir()
    (root / "profiles" / "quick.yaml").write_text("train: {finetune: {epochs: 1}}\n")
    loaded = load_with_places(root, ["quick"], ["train.finetune.accumulate=7"])
    tuning = loaded.config.train.finetune
    assert (tuning.batch, tuning.max_length, tuning.epochs, tuning.accumulate) == (3, 300, 1, 7)
    assert (tuning.optimizer, tuning.metric) == ("adafactor", "loss"), "the rest is the preset's"
    assert loaded.places["train.finetune.batch"] == "seshat.yaml:4"
    line = presets.text("byt5-base").splitlines().index("    optimizer: adafactor") + 1
    assert loaded.places["train.finetune.optimizer"] == f"preset byt5-base:{line}"


def test_it_can_be_named_by_a_profile_or_on_the_command_line(tmp_path: Path) -> None:
    root = project(tmp_path, "model: {preset: byt5-base}\n")
    (root / "profiles").mkdir()
    (root / "profiles" / "llm.yaml").write_text("model: {preset: qwen3-0.6b-qlora}\n")
    assert load_config(root, ["llm"]).model.base == "Qwen/Qwen3-0.6B"
    assert load_config(root, ["llm"], ["model.preset=xlmr-base-mlm"]).train.family == "masked"
    assert load_config(root, overrides=["model={preset: statistical}"]).train.name == "statistical"
    assert load_config(root, overrides=["model.preset="]).train.family == "statistical"
    assert load_config(root, overrides=["train.name=mine"]).train.name == "mine"


def test_one_that_does_not_exist(tmp_path: Path) -> None:
    root = project(tmp_path, "model:\n  preset: byt5-bas\ntrain: {finetune: {bach: 2}}\n")
    assert problems(root) == [
        "seshat.yaml:3: model.preset: there is no preset 'byt5-bas'; did you mean 'byt5-base'?",
        "seshat.yaml:4: unknown key 'bach' in train.finetune; did you mean 'batch'?",
    ]
    assert problems(project(tmp_path), "model.preset=zzz")[0].startswith(
        "command line: model.preset=zzz: model.preset: there is no preset 'zzz'; there are 'byt5-base', "
    )
    assert "there is no preset '3'" in problems(project(tmp_path), "model.preset=3")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train: {family: causal}", "seshat.yaml:2: train.family: the family 'causal' fine-tunes a base model"),
        ("model: {base: x}", "seshat.yaml:2: model.base: the statistical family learns from the data alone"),
        ("model: {extend_vocabulary: 9}", "seshat.yaml:2: model.extend_vocabulary: there is no model.base"),
        ("train: {phases: [{name: a}]}", "seshat.yaml:2: train.phases: phases are for neural models"),
        (
            "model: {preset: byt5-base, quantization: nf4}",
            "seshat.yaml:2: model.quantization: a base in nf4 is frozen",
        ),
        (
            "model: {preset: byt5-base}\ntrain: {lora: {enabled: no, dora: yes}}",
            "seshat.yaml:3: train.lora.enabled: DoRA and rsLoRA are kinds of adapters",
        ),
        (
            "model: {preset: byt5-base, attention: flash_attention_2}\ntrain: {finetune: {device: cpu}}",
            "seshat.yaml:2: model.attention: flash_attention_2 needs a CUDA device",
        ),
        (
            "model: {preset: byt5-base}\ntrain: {finetune: {packing: yes}}",
            "seshat.yaml:3: train.finetune.packing: packing is for the causal family, not for 'seq2seq'",
        ),
        (
            "model: {preset: xlmr-base-mlm}\ntrain: {finetune: {metric: chrf2}}",
            "seshat.yaml:3: train.finetune.metric: the masked family translates nothing",
        ),
        (
            "model: {preset: qwen3-4b-qlora}\ntrain: {finetune: {label_smoothing: 0.1}}",
            "seshat.yaml:3: train.finetune.label_smoothing: label smoothing is for encoder-decoders",
        ),
        (
            "model: {preset: byt5-base}\ntrain: {finetune: {accelerator: unsloth}}",
            "seshat.yaml:3: train.finetune.accelerator: unsloth trains the causal family, not 'seq2seq'",
        ),
        (
            "model: {preset: qwen3-4b-qlora}\ntrain: {finetune: {accelerator: unsloth, device: cpu}}",
            "seshat.yaml:3: train.finetune.accelerator: unsloth does not work on the device 'cpu'",
        ),
        (
            "model: {preset: byt5-base}\ntrain: {finetune: {replay: 0.1}}",
            "seshat.yaml:3: train.finetune.replay: replay mixes in the data of an earlier model",
        ),
        (
            "model: {preset: qwen3-4b-qlora}\ntrain: {finetune: {packing: yes, group_by_length: yes}}",
            "seshat.yaml:3: train.finetune.group_by_length: packed rows are all as long as max_length",
        ),
        (
            "model: {preset: byt5-base}\ntrain: {phases: [{name: a}, {name: a, where: {sources: [b]}}]}",
            "seshat.yaml:3: train.phases[1].name: 'a' is also the name of an earlier phase",
        ),
        (
            "model: {preset: byt5-base}\ntrain: {phases: [{name: a, where: {tasks: [gloss]}}]}",
            "seshat.yaml:3: train.phases[0].where.tasks: tasks are those of instruction data",
        ),
        (
            "model: {preset: nllb-600m}",
            "preset nllb-600m:13: model.language_codes: facebook/nllb-200-distilled-600M must be told",
        ),
        (
            "model: {preset: nllb-600m, language_codes: {qu: quy_Latn, es: spa_Latn, xy: a}}",
            "seshat.yaml:2: model.language_codes.xy: 'xy' is no language of this project",
        ),
        (
            "model: {base: some/model}\ntrain: {family: seq2seq}",
            "prompt.prefix: one model learns both directions, and nothing tells it which is wanted",
        ),
    ],
)
def test_contradictions(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problems(project(tmp_path, text + "\n"))[0]


def test_contradictions_come_all_at_once(tmp_path: Path) -> None:
    text = (
        "model:\n  preset: xlmr-base-mlm\n  quantization: nf4\n"
        "train:\n  finetune:\n    metric: bleu\n    packing: yes\n    label_smoothing: 0.1\n"
    )
    assert [problem.split(" ")[0] for problem in problems(project(tmp_path, text))] == [
        f"seshat.yaml:{line}:" for line in (4, 7, 8, 9)
    ]


def test_a_direction_that_is_not_both_needs_no_prefix(tmp_path: Path) -> None:
    text = "model: {base: some/model}\ntrain: {family: seq2seq, directions: to-pivot}\n"
    assert not load_config(project(tmp_path, text)).train.adapters


def test_the_masked_family_knows_its_metric(tmp_path: Path) -> None:
    config = load_config(project(tmp_path, "model: {base: x}\ntrain: {family: masked, finetune: {batch: 2}}\n"))
    assert config.train.finetune.metric == "loss"


def test_cautions(tmp_path: Path) -> None:
    root = project(tmp_path, "model: {preset: byt5-base}\ntrain: {lora: {enabled: yes}}\n")
    assert [".".join(map(str, one.path)) for one in cautions(load_config(root))] == ["train.lora.enabled"]
    root = project(tmp_path, "model: {preset: qwen3-4b-local}\ntrain: {lora: {enabled: no}}\n")
    assert "a learning rate for adapters" in next(iter(cautions(load_config(root)))).message
    root = project(tmp_path, "model: {preset: byt5-base}\ntrain: {finetune: {precision: float16}}\n")
    assert "overflows in float16" in next(iter(cautions(load_config(root)))).message


def test_nllb_is_known_by_its_architecture_not_by_its_name(tmp_path: Path) -> None:
    config = load_config(project(tmp_path), overrides=["model.preset=nllb-1.3b", CODES])
    assert architecture(config.model.base) in NEEDS_CODES


def test_the_command() -> None:
    listed = CliRunner().invoke(app, ["presets", "--json"])
    assert [row["preset"] for row in json.loads(listed.output)] == presets.names()
    shown = CliRunner().invoke(app, ["presets", "byt5-base"])
    assert shown.output.strip() == presets.text("byt5-base").strip()
    assert CliRunner().invoke(app, ["presets", "byt5"]).exit_code == 2


def test_they_are_in_the_wheel(root: Path) -> None:
    """The wheel takes src/seshat as a whole, but leaves out what .gitignore names."""
    folder = root / "src" / "seshat" / "models" / "presets"
    assert folder == presets.FOLDER
    hidden = subprocess.run(["git", "check-ignore", *folder.iterdir()], cwd=root, capture_output=True, text=True)
    assert hidden.stdout == ""
