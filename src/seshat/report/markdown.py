"""The shared pieces of cards: front matter for programs, tables and counts for people."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

# Identifiers of the Hugging Face Hub for the number of rows of a dataset.
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def size_category(rows: int) -> str:
    """What the Hugging Face Hub calls a dataset of so many rows."""
    return next((label for limit, label in _SIZES if rows < limit), "n>1M")


def front_matter(values: Mapping[str, Any]) -> str:
    """What programs read of a card: YAML between two lines."""
    from ruamel.yaml import YAML

    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.dump(values, stream)
    return f"---\n{stream.getvalue()}---\n"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts by name, in words."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"
