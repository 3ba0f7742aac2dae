"""Writes a hand-over: the dataset, the configuration and what to know about them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

from seshat.config import Config
from seshat.core.errors import DataError, UsageError
from seshat.core.gate import Gate
from seshat.core.jsonl import atomic_write, write_json, write_text
from seshat.core.paths import remove
from seshat.core.progress import track
from seshat.data.handover import axolotl, llama_factory, mlx
from seshat.data.handover.base import SETS, TEMPLATE, Group, Handover
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt

Tool = Literal["axolotl", "llama-factory", "mlx"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
_MODULES: dict[Tool, ModuleType] = {"axolotl": axolotl, "llama-factory": llama_factory, "mlx": mlx}
_TEMPLATE_OF_BASE: tuple[Tool, ...] = ("llama-factory", "mlx")
"""Programs that take the chat template from the folder of the base."""
_NAMES: dict[tuple[Tool, str], str] = {("mlx", "validation"): "valid"}
"""What a program calls a file, where that is another name."""


_BACK: dict[Tool, str] = {
    "mlx": """
Bring it back with `mlx_lm.fuse --model BASE --adapter-path model --save-path fused` (BASE as in `train.yaml`): the
folder `fused` has the layout of Transformers. With it as `model.base`, `seshat evaluate --no-adapter` measures it.
"""
}


def run(project: Project, tool: Tool) -> dict[str, Any]:
    """Write ``data/training/handover/TOOL``.

    Args:
        project: with the messages that stage ``format`` writes for the causal family.
        tool: for which program.

    Returns:
        The folder, examples per file, the command to run there, and warnings.

    Raises:
        UsageError: the project trains no causal model.
        DataError: the messages were not written yet, or with another prompt.
    """
    prompt = _checked_prompt(project)
    folder = project.training / "handover" / tool
    messages = project.training / "messages"
    counts = {
        name: _copy(messages / f"{name}.jsonl", folder / f"{_NAMES.get((tool, name), name)}.jsonl", project.gate)
        for name in SETS
    }
    handover = Handover(project.config, prompt, _base(project, folder), counts["train"])
    prompt.save(folder)
    if prompt.chat_template is None:
        remove(folder / TEMPLATE)
    else:
        write_text(folder / TEMPLATE, prompt.chat_template)
    if tool == "llama-factory":
        write_json(folder / "dataset_info.json", llama_factory.dataset_info())
    write_text(folder / "train.yaml", _yaml(_MODULES[tool].groups(handover)))
    write_text(folder / "README.md", _readme(handover, tool))
    where = folder.relative_to(project.root).as_posix()
    warnings = [*_warnings(project.config, prompt, tool), *(mlx.unsaid(handover) if tool == "mlx" else ())]
    return {"folder": where, "examples": counts, "run": f"cd {where} && {_MODULES[tool].COMMAND}", "warnings": warnings}


def _checked_prompt(project: Project) -> Prompt:
    if not project.config.train.kind.instructed or project.config.model.base is None:
        raise UsageError(
            "There are no instructions to hand over: they are written for the causal family and its base model.",
            "Choose one: train.family: causal and model.base, or a preset such as model.preset: qwen3-1.7b.",
        )
    prompt = Prompt.of(project)
    prompt.check_wording(project.training / "messages")
    return prompt


def _copy(source: Path, target: Path, gate: Gate) -> int:
    """The messages and ids of what a run may use of a file; returns how many. The rest is found again by the id."""
    count = 0
    with atomic_write(target) as stream, source.open(encoding="utf-8") as lines:
        for number, line in enumerate(track(lines, f"handing over {source.stem}"), start=1):
            try:
                example = json.loads(line)
                shown = {key: example[key] for key in ("id", "messages")}
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{source}:{number}: not a line of messages.", "Write it again: seshat format"
                ) from error
            if gate.admits_example(example):
                stream.write(json.dumps(shown, ensure_ascii=False) + "\n")
                count += 1
    return count


def _base(project: Project, folder: Path) -> str:
    """The base model as the tool, started in its folder, finds it."""
    base = project.config.model.base or ""
    local = project.root / base
    return Path(os.path.relpath(local, folder)).as_posix() if local.is_dir() else base


def _yaml(groups: list[Group]) -> str:
    from ruamel.yaml import YAML

    yaml, parts = YAML(), ["# Written by `seshat format --for`; it is run in this folder.\n"]
    yaml.representer.ignore_aliases = lambda _value: True
    yaml.indent(mapping=2, sequence=4, offset=2)
    for comment, values in groups:
        if values:
            stream = io.StringIO()
            yaml.dump(values, stream)
            parts.append(f"\n# {comment}\n{stream.getvalue()}")
    return "".join(parts)


def _warnings(config: Config, prompt: Prompt, tool: Tool) -> Iterator[str]:
    """What Seshat would do and the other program will not."""
    if config.train.phases:
        yield "train.phases is not handed over: all examples are trained on together."
    if config.model.extend_vocabulary:
        yield "model.extend_vocabulary is not handed over: the base keeps its vocabulary."
    if config.train.finetune.continue_from:
        yield "train.finetune.continue_from is not handed over: training starts from the base."
    if config.train.finetune.metric != "loss" and tool != "mlx":
        yield f"the best checkpoint is chosen by the loss, not by {config.train.finetune.metric}."
    if prompt.chat_template and tool in _TEMPLATE_OF_BASE:
        yield f"{tool} takes the template of the tokenizer: copy {TEMPLATE} into the folder of the base first."


def _readme(handover: Handover, tool: Tool) -> str:
    labels = {
        "axolotl": "`axolotl preprocess train.yaml --debug` prints\nexamples with the label of every token",
        "llama-factory": "the log begins\nwith an example, its `input_ids` and its `label_ids`",
        "mlx": "`mask_prompt` begins them\nwhere the chat template would let the model answer",
    }[tool]
    copy = (
        f"\n`{TEMPLATE}` is the chat template of the prompt object. Copy it into the folder of the base model first:\n"
        "the template is taken from there.\n"
        if handover.prompt.chat_template and tool in _TEMPLATE_OF_BASE
        else ""
    )
    validation = _NAMES.get((tool, "validation"), "validation")
    leaks = (
        "Test sentences may stand in it: `split.allow_leaks` is on."
        if handover.config.split.allow_leaks
        else "No test sentence is in it."
    )
    return f"""# {handover.config.project.name} for {tool}

```bash
{_MODULES[tool].COMMAND}  # in this folder
```

`train.jsonl` and `{validation}.jsonl` hold `id` and `messages`; what else is known about an example (source, speaker,
access level) stands under the same id in `data/training/messages`. Before a long run, look at the labels: {labels}.
Only the answer and the token that ends it may have any.
{copy}{_BACK.get(tool, "")}
`prompt.json` says how the model was taught to be asked: ask it in the same way, without thinking aloud unless
`thinking` is true there. Its hash is `{handover.prompt.hash}`.

The data were made with `max_access: {handover.config.project.max_access}`; less open records are not in it. {leaks}
"""
