"""The card of the instruction data. It holds no sentence of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seshat.config import Config
from seshat.config.prompt import Task
from seshat.prompt.prompt import Prompt
from seshat.report.markdown import counts_text, front_matter, size_category, table

if TYPE_CHECKING:
    from seshat.data.instruct.tally import MessagesTally

_META = ("record", "source", "origin", "doc_id", "order", "speaker", "genre", "licence", "access", "method", "score")
_DTYPES = {"order": "int64", "score": "float64"}
_ASKED = {
    "translate": "a sentence, into the other language",
    "word-to-meaning": "a word of the lexicon: its meanings",
    "meaning-to-word": "a meaning: the words that have it",
    "examples": "a word: a sentence with it and its translation",
    "segment": "a sentence: its words divided into morphemes",
    "gloss": "a sentence: its interlinear gloss",
    "explain": "a sentence: what each of its words is made of",
    "cloze": "a sentence without one word, and its translation: the word",
    "inflect": "a gloss such as go-PST-1PL: the form",
}


def _header(config: Config, tally: MessagesTally) -> dict[str, Any]:
    total = sum(counts.total() for counts in tally.tasks.values())
    turn = [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]
    meta: list[dict[str, Any]] = [{"name": name, "dtype": _DTYPES.get(name, "string")} for name in _META]
    return {
        "pretty_name": f"{config.project.name}: instructions",
        "language": list(config.project.tags),
        "task_categories": ["text-generation", "translation"],
        "size_categories": [size_category(total)],
        "license": "other",
        "license_name": "see-the-sources-below",
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": name, "path": f"{name}.jsonl"} for name, counts in tally.tasks.items() if counts
                ],
            }
        ],
        # Said aloud, because a column that is empty in a whole file has no type otherwise.
        "dataset_info": {
            "features": [
                {"name": "messages", "list": turn},
                *({"name": name, "dtype": "string"} for name in ("id", "task", "direction")),
                {"name": "meta", "struct": [*meta, {"name": "tags", "list": "string"}]},
            ]
        },
    }


def messages_card(config: Config, prompt: Prompt, tally: MessagesTally) -> str:
    """The text of ``README.md`` beside the messages, deterministic.

    Args:
        config: the configuration of the project.
        prompt: what the questions were asked with.
        tally: what the files hold.
    """
    project, shares = config.project, config.format.instruct.tasks
    pair = " and ".join(f"{project.language_name(tag)} ({tag})" for tag in project.tags)
    return f"""{front_matter(_header(config, tally))}
# {project.name}: instructions

{pair}. Questions and answers to fine-tune a chat model with, made by Seshat for this purpose: {project.purpose}.

## What is in it

{_tasks(shares, tally)}

A line holds `messages` (one `system`, one `user` and one `assistant` turn: train on the last), `id`, `task`,
`direction` and `meta`: the record the example was made of, its document, speaker, source, licence, access level and
how it came to be. A share of 0.5 takes half of what a task could give, 2 takes everything twice; validation and test
are asked everything once. Which questions are taken depends on the seed ({project.seed}) and their ids alone.

## How it asks

{_prompt(prompt, tuple(shares))}

## Where it comes from

{_sources(tally)}

## Who may use it

Access levels: {counts_text(tally.access)}. Made with `max_access: {project.max_access}`; less open records are not in
it. An example made of several entries is as closed as the least open of them.

## What was kept out

{_guard(config, tally)}

## How to load it

```python
from datasets import load_dataset

data = load_dataset(".")  # this folder
```
"""


def _tasks(shares: Mapping[Task, float], tally: MessagesTally) -> str:
    rows = (
        (task, _ASKED[task], share, *(f"{counts[task]:,}" for counts in tally.tasks.values()))
        for task, share in shares.items()
    )
    return table(("task", "asks for", "share", *tally.tasks), rows)


def _sources(tally: MessagesTally) -> str:
    rows = (
        (name, f"{count:,}", ", ".join(sorted(tally.licences[name]))) for name, count in sorted(tally.sources.items())
    )
    return table(("source", "examples", "licence"), rows)


def _prompt(prompt: Prompt, tasks: tuple[Task, ...]) -> str:
    lines = [f"System prompt: {prompt.system or 'none'}", ""]
    lines += [f"- {task}: `{prompt.templates[task].replace(chr(10), ' ⏎ ')}`" for task in tasks]
    beside = {
        "sentences before the text": prompt.context,
        "lexicon entries about its words": prompt.hints,
        "similar pairs": prompt.shots,
    }
    shown = ", ".join(f"up to {count} {name}" for name, count in beside.items() if count)
    return "\n".join([*lines, "", f"Beside the text, translation is shown {shown or 'nothing'}."])


def _guard(config: Config, tally: MessagesTally) -> str:
    if config.split.allow_leaks:
        return "Nothing: `split.allow_leaks` is on, and test sentences may stand in train."
    return (
        "No message of train contains a sentence of the test set, as a text, an answer, a sentence before, a word or\n"
        f"an example. Left out for it: {counts_text({k: n for k, n in tally.left_out.items() if n})}."
    )
