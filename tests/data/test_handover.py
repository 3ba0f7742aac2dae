from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config import Config
from seshat.core.errors import DataError, PromptMismatch, UsageError
from seshat.core.jsonl import write_jsonl, write_text
from seshat.core.records import Access, Meta, Segment
from seshat.data.format import FILES, run
from seshat.data.handover import TOOLS, Tool
from seshat.data.handover import run as hand_over
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt


def names(text: str) -> set[str]:
    return set(text.split())


# Names of settings, read from the sources: axolotl src/axolotl/utils/schemas/{config,datasets,model,peft,training}.py.
AXOLOTL = names(
    """base_model revision_of_model chat_template chat_template_jinja datasets test_datasets val_set_size
    train_on_inputs dataset_prepared_path sequence_len sample_packing pad_to_sequence_len group_by_length adapter
    load_in_4bit load_in_8bit lora_r lora_alpha lora_dropout lora_target_linear lora_target_modules peft_use_dora
    peft_use_rslora micro_batch_size gradient_accumulation_steps num_epochs max_steps learning_rate lr_scheduler
    warmup_ratio warmup_steps optimizer weight_decay max_grad_norm bf16 fp16 sdp_attention flash_attention
    eager_attention gradient_checkpointing gradient_checkpointing_kwargs seed eval_steps save_steps save_total_limit
    load_best_model_at_end metric_for_best_model greater_is_better early_stopping_patience logging_steps
    output_dir"""
)
AXOLOTL_DATASET = names(
    """path ds_type split type field_messages message_property_mappings roles_to_train train_on_eos"""
)
# LLaMA-Factory src/llamafactory/hparams/{data,model,finetuning,training}_args.py, and TrainingArguments.
LLAMA_FACTORY = names(
    """model_name_or_path model_revision flash_attn disable_gradient_checkpointing dataset_dir dataset eval_dataset
    train_on_prompt mask_history enable_thinking cutoff_len packing neat_packing stage do_train finetuning_type
    quantization_bit quantization_method quantization_type double_quantization lora_rank lora_alpha lora_dropout
    lora_target use_dora use_rslora per_device_train_batch_size per_device_eval_batch_size
    gradient_accumulation_steps num_train_epochs max_steps learning_rate lr_scheduler_type warmup_steps optim
    weight_decay max_grad_norm bf16 fp16 seed eval_strategy eval_steps save_strategy save_steps save_total_limit
    load_best_model_at_end metric_for_best_model greater_is_better early_stopping_steps logging_steps report_to
    output_dir"""
)
# MLX-LM mlx_lm/lora.py, CONFIG_DEFAULTS.
MLX = names(
    """model train fine_tune_type optimizer optimizer_config data seed num_layers batch_size iters val_batches
    learning_rate steps_per_report steps_per_eval adapter_path save_every max_seq_length grad_checkpoint
    grad_accumulation_steps lr_schedule lora_parameters mask_prompt"""
)
KNOWN: dict[Tool, set[str]] = {"axolotl": AXOLOTL, "llama-factory": LLAMA_FACTORY, "mlx": MLX}


def segment(number: int, text: str, **meta: Any) -> Segment:
    said = {"xx": f"{text} {number} ani bele", "es": f"dice {number} que sí"}
    return Segment(id=f"s{number}", texts=said, meta=Meta(source="tales", access=Access.PUBLIC, **meta))


def make(root: Path, changes: dict[str, Any] | None = None) -> Project:
    values = {
        "project": {"pivot": "es"},
        "train": {"family": "causal"},
        "model": {"base": "some/base"},
        **(changes or {}),
    }
    project = Project(root, Config.model_validate(values))
    files = {
        "train": [segment(n, "mina") for n in range(20)],
        "validation": [segment(40, "tolo")],
        "test": [segment(50, "ruka")],
    }
    for name in FILES:
        write_jsonl(project.processed / f"{name}.jsonl", files.get(name, []))
    return project


def handed(root: Path, tool: Tool, changes: dict[str, Any] | None = None) -> tuple[Path, dict[str, Any]]:
    project = make(root, changes)
    run(project)
    summary = hand_over(project, tool)
    return root / summary["folder"], summary


def settings(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((folder / "train.yaml").read_text(encoding="utf-8"))
    return loaded


EVERY_SETTING: tuple[dict[str, Any], ...] = (
    {},
    {
        "model": {"base": "b", "revision": "v1", "quantization": "nf4", "attention": "flash_attention_2"},
        "train": {
            "family": "causal",
            "lora": {"targets": ["q_proj", "v_proj"], "dora": True},
            "finetune": {
                "packing": True,
                "activation_checkpointing": True,
                "max_steps": 10,
                "warmup": 7,
                "precision": "bfloat16",
                "patience": None,
                "validate_every": 50,
            },
        },
    },
    {
        "model": {"base": "b", "quantization": "int8", "attention": "eager"},
        "train": {"family": "causal", "finetune": {"precision": "float16"}},
    },
    {"train": {"family": "causal", "lora": {"enabled": False}}},
)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("number", range(len(EVERY_SETTING)))
def test_only_names_that_the_program_knows(tmp_path: Path, tool: Tool, number: int) -> None:
    folder, _ = handed(tmp_path, tool, EVERY_SETTING[number])
    assert set(settings(folder)) <= KNOWN[tool]


def test_axolotl(tmp_path: Path) -> None:
    folder, summary = handed(tmp_path, "axolotl")
    found = settings(folder)
    assert summary["examples"] == {"train": 40, "validation": 2}
    assert summary["run"] == "cd data/training/handover/axolotl && axolotl train train.yaml"
    for name, file in (("datasets", "train.jsonl"), ("test_datasets", "validation.jsonl")):
        (dataset,) = found[name]
        assert set(dataset) <= AXOLOTL_DATASET
        assert (folder / dataset["path"]).name == file
        assert dataset["type"] == "chat_template"
        assert dataset["roles_to_train"] == ["assistant"]
        assert dataset["train_on_eos"] == "turn"
    assert found["train_on_inputs"] is False
    assert found["chat_template"] == "tokenizer_default"
    assert (found["adapter"], found["lora_target_linear"], found["bf16"]) == ("lora", True, "auto")
    assert found["save_steps"] == found["eval_steps"] == 0.25


def test_axolotl_with_other_settings(tmp_path: Path) -> None:
    folder, summary = handed(tmp_path, "axolotl", EVERY_SETTING[1])
    found = settings(folder)
    assert (found["adapter"], found["load_in_4bit"], found["revision_of_model"]) == ("qlora", True, "v1")
    assert found["lora_target_modules"] == ["q_proj", "v_proj"]
    assert (found["sample_packing"], found["flash_attention"], found["warmup_steps"]) == (True, True, 7)
    assert (found["eval_steps"], found["bf16"]) == (50, True)
    assert "early_stopping_patience" not in found
    assert summary["warnings"] == ["the best checkpoint is chosen by the loss, not by geometric_mean."]


def test_llama_factory(tmp_path: Path) -> None:
    folder, _ = handed(tmp_path, "llama-factory", EVERY_SETTING[1])
    found = settings(folder)
    registry = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    for name in (found["dataset"], found["eval_dataset"]):
        described = registry[name]
        assert described["formatting"] == "sharegpt"  # 'format' would be ignored, and alpaca taken
        tags = described["tags"]
        line = json.loads((folder / found["dataset_dir"] / described["file_name"]).read_text("utf-8").splitlines()[0])
        roles = [turn[tags["role_tag"]] for turn in line[described["columns"]["messages"]]]
        assert roles == [tags["system_tag"], tags["user_tag"], tags["assistant_tag"]]
    assert "template" not in found
    assert (found["train_on_prompt"], found["mask_history"], found["enable_thinking"]) == (False, True, False)
    assert (found["quantization_bit"], found["quantization_type"]) == (4, "nf4")
    assert (found["lora_target"], found["flash_attn"]) == ("q_proj,v_proj", "fa2")


def test_the_warm_up_is_counted_in_steps(tmp_path: Path) -> None:
    tune = {"batch": 4, "accumulate": 2, "epochs": 4, "warmup": 0.1}
    folder, _ = handed(tmp_path, "llama-factory", {"train": {"family": "causal", "finetune": tune}})
    assert settings(folder)["warmup_steps"] == 2  # a tenth of 4 times 5 steps of 8 examples


def test_mlx(tmp_path: Path) -> None:
    tune = {"batch": 4, "accumulate": 2, "epochs": 4, "warmup": 0.1, "validate_every": 0.25, "scheduler": "linear"}
    lora = {"rank": 4, "alpha": 8, "targets": ["q_proj", "up_proj", "odd"], "rslora": True}
    folder, summary = handed(tmp_path, "mlx", {"train": {"family": "causal", "finetune": tune, "lora": lora}})
    found = settings(folder)
    assert summary["run"] == "cd data/training/handover/mlx && mlx_lm.lora --config train.yaml"
    assert sorted(path.name for path in folder.glob("*.jsonl")) == ["train.jsonl", "valid.jsonl"]
    assert (found["iters"], found["grad_accumulation_steps"]) == (40, 2)  # 4 times 5 steps of 2 batches
    assert (found["steps_per_eval"], found["save_every"]) == (10, 10)
    assert found["lr_schedule"] == {"name": "linear_schedule", "warmup": 2, "arguments": [2e-4, 0.0, 18]}
    assert found["lora_parameters"]["scale"] == 4.0
    assert found["lora_parameters"]["keys"] == ["self_attn.q_proj", "mlp.up_proj", "odd"]
    assert "mlx_lm.fuse" in (folder / "README.md").read_text()
    (said,) = summary["warnings"]
    assert said.startswith("the last adapter is kept, not the best")


def test_mlx_says_what_it_has_no_words_for(tmp_path: Path) -> None:
    tune = {"packing": True, "optimizer": "adafactor", "scheduler": "inverse_sqrt"}
    changes = {"train": {"family": "causal", "finetune": tune}, "model": {"base": "b", "quantization": "nf4"}}
    folder, summary = handed(tmp_path, "mlx", changes)
    assert "lr_schedule" not in settings(folder)
    assert [warning.split(" is ")[0] for warning in summary["warnings"][1:]] == [
        "model.quantization",
        "train.finetune.packing",
        "train.finetune.scheduler: inverse_sqrt",
        "train.finetune.optimizer: adafactor",
    ]


def test_the_messages_are_those_of_format_and_the_rest_stays(tmp_path: Path) -> None:
    folder, _ = handed(tmp_path, "axolotl")
    written = [json.loads(line) for line in (folder / "train.jsonl").read_text("utf-8").splitlines()]
    original = [
        json.loads(line) for line in (tmp_path / "data/training/messages/train.jsonl").read_text("utf-8").splitlines()
    ]
    assert written == [{"id": line["id"], "messages": line["messages"]} for line in original]
    assert Prompt.load(folder) == Prompt.of(make(tmp_path))
    assert "ruka" not in "".join(path.read_text("utf-8") for path in folder.iterdir())


@pytest.mark.parametrize("tool", TOOLS)
def test_a_chat_template_of_one_s_own_goes_along(tmp_path: Path, tool: Tool) -> None:
    write_text(tmp_path / "chat.jinja", "{{ messages }}")
    folder, summary = handed(tmp_path, tool, {"prompt": {"chat_template": "chat.jinja"}})
    assert (folder / "chat_template.jinja").read_text() == "{{ messages }}"
    if tool == "axolotl":
        assert settings(folder)["chat_template"] == "jinja"
        assert settings(folder)["chat_template_jinja"] == "chat_template.jinja"
    else:
        assert any("copy chat_template.jinja" in warning for warning in summary["warnings"])
    project = make(tmp_path)
    run(project)
    hand_over(project, tool)
    assert not (folder / "chat_template.jinja").exists()


def test_a_local_base_is_found_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "bases" / "small").mkdir(parents=True)
    folder, _ = handed(tmp_path, "axolotl", {"model": {"base": "bases/small"}})
    assert (folder / settings(folder)["base_model"]).resolve() == (tmp_path / "bases" / "small").resolve()


def test_what_the_other_program_will_not_do_is_said(tmp_path: Path) -> None:
    train = {
        "family": "causal",
        "phases": [{"name": "all"}],
        "finetune": {"metric": "loss", "continue_from": "older"},
    }
    _, summary = handed(tmp_path, "axolotl", {"train": train, "model": {"base": "b", "extend_vocabulary": 50}})
    assert [warning.split(" is not")[0] for warning in summary["warnings"]] == [
        "train.phases",
        "model.extend_vocabulary",
        "train.finetune.continue_from",
    ]


def test_nothing_to_hand_over(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="causal family"):
        hand_over(make(tmp_path, {"train": {}, "model": {}}), "axolotl")
    project = make(tmp_path)
    with pytest.raises(DataError, match="no instruction data yet"):
        hand_over(project, "axolotl")
    run(project)
    with pytest.raises(PromptMismatch, match="another prompt"):
        hand_over(make(tmp_path, {"prompt": {"system": "Answer."}}), "axolotl")
    (project.training / "messages" / "train.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"train\.jsonl:1: not a line of messages"):
        hand_over(project, "axolotl")


def test_from_the_command_line(tmp_path: Path) -> None:
    make(tmp_path)
    write_text(tmp_path / "seshat.yaml", "project: {pivot: es}\ntrain: {family: causal}\nmodel: {base: some/base}\n")
    result = CliRunner().invoke(app, ["format", "--for", "llama-factory", "-p", str(tmp_path), "--json", "-q"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["handover"]["examples"] == {"train": 40, "validation": 2}
    wrong = CliRunner().invoke(app, ["format", "--for", "unsloth", "-p", str(tmp_path)])
    assert wrong.exit_code == 2
