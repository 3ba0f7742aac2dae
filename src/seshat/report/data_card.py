"""The data card: a Hugging Face dataset card that says what a dataset is made of. It holds no sentence of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seshat.config import Config
from seshat.report.markdown import counts_text, front_matter, size_category, table

if TYPE_CHECKING:
    from seshat.data.format import Tally

_PAIRS = ("train", "validation", "test")


def _header(config: Config, tally: Tally) -> dict[str, Any]:
    total = sum(counts.total() for counts in tally.kept.values())
    splits = [{"split": name, "path": f"{name}.jsonl"} for name in _PAIRS if tally.kept[name]]
    configs: list[dict[str, Any]] = (
        [{"config_name": "default", "default": True, "data_files": splits}] if splits else []
    )
    configs += [
        {"config_name": name, "data_files": f"{name}.jsonl"} for name in ("monolingual", "lexicon") if tally.kept[name]
    ]
    return {
        "pretty_name": config.project.name,
        "language": list(config.project.tags),
        "multilinguality": ["translation" if config.project.pivot else "monolingual"],
        "task_categories": ["translation"] if config.project.pivot else ["fill-mask", "text-generation"],
        "size_categories": [size_category(total)],
        "license": "other",
        "license_name": "see-the-sources-below",
        "configs": configs,
    }


def data_card(config: Config, tally: Tally) -> str:
    """The text of ``README.md`` beside the data files, deterministic.

    Args:
        config: the configuration of the project.
        tally: what the dataset holds.
    """
    project, split = config.project, config.split
    columns = "`texts` (one text per language tag)" if project.pivot else "`text`, `language`, `source`"
    near = f" and near-duplicates (Jaccard similarity of character 5-grams from {split.similarity})"
    pair = " and ".join(f"{project.language_name(lang)} ({lang})" for lang in project.tags)
    return f"""{front_matter(_header(config, tally))}
# {project.name}

{pair}. Made by Seshat for this purpose: {project.purpose}.

## What is in it

{_files(tally)}

A line of `train`, `validation`, `test` and `monolingual` is a segment: `id`, {columns} and
`meta`; a line of `lexicon` is a lexicon entry. `meta` says for each record its document, its place in the source
file, its source, licence, access level and how it was made. A field that is missing holds its default.

## Where it comes from

{_sources(tally)}

How the records were made: {counts_text(tally.methods)}.

## Who may use it

Access levels: {counts_text(tally.access)}. This dataset was made with `max_access: {project.max_access}`; less open
records are not in it. Respect the licence of every source and the wishes of the people whose language this is.

## How it was split

By document and by cluster of exact duplicates{near}, with seed {project.seed}: no
document and no cluster stands in two of train, validation and test, except for what the report of the split stage
says. Segments of train that stand in validation or test were left out\
{", except those that their source fixes as train" if split.allow_leaks else ""}.

## How to load it

```python
from datasets import load_dataset

data = load_dataset("json", data_files={{name: f"{{name}}.jsonl" for name in ("train", "validation", "test")}})
```
"""


def _files(tally: Tally) -> str:
    kept = tally.kept.items()
    rows = ((f"{name}.jsonl", f"{count.total():,}", counts_text(tally.dropped[name])) for name, count in kept)
    return table(("file", "records", "left out"), rows)


def _sources(tally: Tally) -> str:
    rows = (
        (name, *(tally.kept[file][name] for file in tally.kept), ", ".join(sorted(tally.licences[name])))
        for name in sorted(tally.licences)
    )
    return table(("source", *tally.kept, "licence"), rows)
