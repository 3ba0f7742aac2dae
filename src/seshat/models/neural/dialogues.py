"""Instruction data as tokens: the question is given, the answer is trained, and its end with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from seshat.core.errors import DataError
from seshat.core.gate import Gate
from seshat.models.neural.phases import Traits, digest
from seshat.models.neural.preflight import MASKED, Row
from seshat.prompt.prompt import Message, Prompt

T = TypeVar("T")
_CHUNK = 256


@dataclass(frozen=True)
class Dialogue:
    """A line of ``data/training/messages``."""

    messages: list[Message]
    task: str
    direction: str | None
    traits: Traits
    digest: str
    where: str
    """``file:line (id)``."""

    @property
    def answer(self) -> str:
        """The last turn."""
        return self.messages[-1]["content"]


def read(path: Path, gate: Gate) -> Iterator[Dialogue]:
    """Read the dialogues of a file that a run may use, streaming.

    Raises:
        DataError: there is no such file, or a line is no dialogue that ends with an answer.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no instruction data.", "Run `seshat format` first, or `seshat run` for all.")
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                found = _dialogue(line, f"{path.name}:{number}", path, gate)
                if found is not None:
                    yield found


def _dialogue(line: bytes, where: str, path: Path, gate: Gate) -> Dialogue | None:
    try:
        raw = json.loads(line)
        messages = [{"role": str(one["role"]), "content": str(one["content"])} for one in raw["messages"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path.parent / where}: not a dialogue: {error}.", "Run `seshat format` again, or mend the line."
        ) from error
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise DataError(
            f"{path.parent / where}: the dialogue does not end with an answer (a turn of the role assistant).",
            "Run `seshat format` again, or mend the line.",
        )
    if not gate.admits_example(raw):
        return None
    place = f"{where} ({raw.get('id')})"
    return Dialogue(messages, str(raw.get("task")), raw.get("direction"), Traits.of_example(raw), digest(raw), place)


def tokenised(
    dialogues: Iterable[Dialogue], prompt: Prompt, tokenizer: Any, stops: Collection[int]
) -> Iterator[tuple[Dialogue, Row]]:
    """Dialogues with their tokens, masked up to the answer, and ended where the model is to end.

    A question has the same tokens as when the model is asked; only where tokens would merge across its end are question
    and answer tokenised apart. What a template writes after the end of the answer is left out.
    """
    for chunk in _chunks(dialogues, _CHUNK):
        parts = [prompt.parts(tokenizer, dialogue.messages) for dialogue in chunk]
        given = _ids(tokenizer, [question for question, _ in parts])
        whole = _ids(tokenizer, [question + answer for question, answer in parts])
        for i, dialogue in enumerate(chunk):
            answer = whole[i][len(given[i]) :]
            if whole[i][: len(given[i])] != given[i]:
                answer = _ids(tokenizer, [parts[i][1]])[0]
            end = next((at + 1 for at, token in enumerate(answer) if token in stops), len(answer))
            answer = answer[:end]
            yield dialogue, Row([*given[i], *answer], [*[MASKED] * len(given[i]), *answer], dialogue.where)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _ids(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    found: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return found


def dataset(rows: Iterable[Row]) -> Any:
    """Rows as a ``datasets.Dataset`` in memory: four bytes a number, nowhere written down."""
    import pyarrow as pa
    from datasets import Dataset

    numbers = pa.list_(pa.int32())
    schema = pa.schema([("input_ids", numbers), ("labels", numbers), ("length", pa.int32())])
    parts = [
        pa.RecordBatch.from_pylist(
            [{"input_ids": row.ids, "labels": row.labels, "length": row.length} for row in chunk], schema=schema
        )
        for chunk in _chunks(rows, 4 * _CHUNK)
    ]
    return Dataset(pa.Table.from_batches(parts, schema=schema))


def packed(data: Any, max_length: int, *, whole: bool = True) -> Any:
    """Examples together in rows of at most ``max_length`` tokens.

    Args:
        data: tokenised examples.
        max_length: of a row.
        whole: keep each example in one row; ``seq_lengths`` says where they part. Otherwise one follows the other
            and rows are cut where they are full, as in pretraining.
    """
    from trl import pack_dataset

    rows = pack_dataset(data.select_columns(["input_ids", "labels"]), max_length, "bfd" if whole else "wrapped")
    return rows.add_column("length", [len(ids) for ids in rows["input_ids"]])


def packed_batch(pad: int) -> Callable[[Sequence[dict[str, Any]]], dict[str, Any]]:
    """Makes batches of packed rows for attention that sees where examples part by their positions.

    Positions begin anew with each example, and there is no mask: Transformers then keeps the examples of a row apart
    (with ``use_cache=False``, which TRL sets). TRL would put the whole batch into one row, which costs attention the
    square of the batch; only Flash Attention knows better.
    """

    def collate(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        import torch

        width = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), width), pad)
        labels = torch.full((len(rows), width), MASKED)
        positions = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            size = len(row["input_ids"])
            ids[i, :size] = torch.tensor(row["input_ids"])
            labels[i, :size] = torch.tensor(row["labels"])
            lengths = [*row.get("seq_lengths", [size]), width - size]
            positions[i] = torch.cat([torch.arange(length) for length in lengths])
            starts = torch.tensor([0, *row.get("seq_lengths", [])[:-1]]).cumsum(0)
            labels[i, starts] = MASKED  # nothing predicts the first token of an example
        return {"input_ids": ids, "labels": labels, "position_ids": positions}

    return collate
