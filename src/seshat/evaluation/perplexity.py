"""How well a language model expects a text: bits per byte, and perplexity per token.

The perplexity per token depends on how a tokenizer cuts, so two models with different tokenizers cannot be compared by
it. Bits per byte can: the same number of bits, spread over the bytes of the text (UTF-8), which no tokenizer changes
(Gao et al. 2020, "The Pile", section 3.1, https://arxiv.org/abs/2101.00027).

A *causal* model gives the likelihood of a text: every token is expected from those before it. The first is expected
from the prompt, or from the token that begins texts. Prompt, padding and the end of the text do not count.

A *masked* model has no likelihood. Its pseudo-likelihood hides one token at a time and expects it from all others
(Salazar et al. 2020, https://aclanthology.org/2020.acl-main.240). Pieces of a rare word then give one another away, so
that a tokenizer that cuts much looks good; hiding the pieces of the same word to the right as well mends that (Kauf and
Ivanova 2023, https://aclanthology.org/2023.acl-short.80), and is what tokenizers are compared by. Neither may be held
against the likelihood of a causal model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seshat.core.progress import task
from seshat.core.spaced import evenly
from seshat.models.neural.base import begins
from seshat.scores.formulas import Floats

if TYPE_CHECKING:
    import torch

WINDOW = 1_024
"""Longest row in tokens, where the model can hold it; a longer text is read in windows that overlap by half."""
_HIDDEN = 20_000
"""Most tokens of all texts that are hidden one by one; of more, as many evenly from all of them stand for the rest."""
_LOGITS = 2**27
"""Most numbers in the logits of a batch: half a gigabyte in single precision."""
_BATCH_TOKENS = 8_192


class Surprise(NamedTuple):
    """What one text cost a model."""

    bits: float
    bytes: int
    """Of the text in UTF-8."""
    tokens: int
    """Of the text, as the model's tokenizer cuts it."""
    unknown: int
    """Of these, how many stand for something that the tokenizer does not know: they hide what it is."""


@dataclass(frozen=True)
class _Row:
    """A row of tokens for the model, and at which places the model is judged on which tokens."""

    text: int
    ids: tuple[int, ...]
    places: tuple[int, ...]
    targets: tuple[int, ...]


def causal(
    model: Any, tokenizer: Any, texts: Sequence[str], prompts: Sequence[str] | None = None, name: str = "perplexity"
) -> list[Surprise]:
    """The likelihood of texts under a causal model.

    Args:
        model: a causal model of Transformers.
        tokenizer: its tokenizer.
        texts: the texts.
        prompts: what stands before each text, rendered (:meth:`seshat.prompt.prompt.Prompt.render`); read, not judged.
            Without them a text stands behind the token that begins texts, or that ends them where there is none.
        name: what the progress bar says.
    """
    start = begins(tokenizer)
    pieces = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    if prompts is None:
        before: list[list[int]] = [[] if start is None else [start] for _ in texts]
    else:
        before = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    longest = _longest(model)
    rows = [
        row
        for number, (prefix, ids) in enumerate(zip(before, pieces, strict=True))
        for row in _windows(number, prefix, ids, longest)
    ]
    # Without a cache: with one, Transformers does not tell apart what shares a row.
    return _measured(texts, pieces, tokenizer, rows, _bits(model, tokenizer, rows, name, use_cache=False))


def masked(
    model: Any, tokenizer: Any, texts: Sequence[str], *, whole_words: bool, name: str = "perplexity"
) -> list[Surprise]:
    """The pseudo-likelihood of texts under a masked model.

    Args:
        model: a masked language model of Transformers.
        tokenizer: its tokenizer, with a mask token.
        texts: the texts.
        whole_words: hide what follows in the same word as well (Kauf and Ivanova 2023); without, one token at a time
            (Salazar et al. 2020).
        name: what the progress bar says.
    """
    longest = _longest(model)
    pieces: list[list[int]] = []
    rows: list[_Row] = []
    for number, text in enumerate(texts):
        bare = tokenizer(text, add_special_tokens=False)
        ids = list(bare["input_ids"])
        words = bare.word_ids() if whole_words else list(range(len(ids)))
        full = tokenizer(text)["input_ids"]
        begins = next((n for n in range(len(full)) if full[n : n + len(ids)] == ids), 0)
        around = full[:begins], full[begins + len(ids) :]
        pieces.append(ids)
        room = longest - len(full) + len(ids)
        for start in range(0, len(ids), room):
            part, part_words = ids[start : start + room], words[start : start + room]
            rows += _hidden(number, part, part_words, around, tokenizer.mask_token_id)
    rows = evenly(rows, _HIDDEN)
    found = _measured(texts, pieces, tokenizer, rows, _bits(model, tokenizer, rows, name))
    # Of a text that was measured in part, as many bytes count as belong to the part.
    return [
        one._replace(bytes=round(one.bytes * one.tokens / max(1, len(ids))))
        for one, ids in zip(found, pieces, strict=True)
    ]


def _longest(model: Any) -> int:
    # Models of the RoBERTa kind count places from the number of the padding token on, and one more.
    offset = model.config.pad_token_id + 1 if "roberta" in model.config.model_type else 0
    known = getattr(model.config, "max_position_embeddings", None)
    return min(WINDOW, known - offset if known else WINDOW)


def _windows(text: int, prefix: Sequence[int], ids: Sequence[int], longest: int) -> Iterator[_Row]:
    """Rows in which every token of a text is judged once, after at least half a window, except at the start."""
    prefix = list(prefix)[-(longest // 2) :]
    room = longest - len(prefix)
    done = 0 if prefix else 1  # nothing to expect the first token from
    while done < len(ids):
        begin = 0 if done <= 1 else max(0, done - room // 2)
        end = min(len(ids), begin + room)
        # What stands at one place expects the next.
        places = range(len(prefix) + done - begin - 1, len(prefix) + end - begin - 1)
        yield _Row(text, (*prefix, *ids[begin:end]), tuple(places), tuple(ids[done:end]))
        done = end


def _hidden(
    text: int, ids: Sequence[int], words: Sequence[Any], around: tuple[Sequence[int], Sequence[int]], mask: int
) -> Iterator[_Row]:
    """A row per token, in which it and what follows of its word are hidden."""
    before, after = around
    for place, token in enumerate(ids):
        row = list(ids)
        last = place
        while last + 1 < len(ids) and words[place] is not None and words[last + 1] == words[place]:
            last += 1
        row[place : last + 1] = [mask] * (last + 1 - place)
        yield _Row(text, (*before, *row, *after), (len(before) + place,), (token,))


def _bits(model: Any, tokenizer: Any, rows: Sequence[_Row], name: str, **options: Any) -> list[float]:
    """The bits of the judged tokens of each row."""
    import torch

    found = [0.0] * len(rows)
    filler = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    model.eval()
    with torch.inference_mode(), task(name, len(rows)) as advance:
        for batch in _batches(rows, model.config.get_text_config().vocab_size):
            chosen = [rows[number] for number in batch]
            for number, bits in zip(batch, _batch_bits(model, chosen, filler, options), strict=True):
                found[number] = bits
            advance(len(batch))
    return found


def _batches(rows: Sequence[_Row], vocabulary: int) -> Iterator[list[int]]:
    """Numbers of rows of like length, so many as fit."""
    budget = min(_BATCH_TOKENS, max(1, _LOGITS // vocabulary))
    batch: list[int] = []
    for number in sorted(range(len(rows)), key=lambda n: -len(rows[n].ids)):
        if batch and (len(batch) + 1) * len(rows[batch[0]].ids) > budget:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _batch_bits(model: Any, rows: Sequence[_Row], filler: int, options: dict[str, Any]) -> list[float]:
    """Bits per row of a batch, padded on the right where the mask keeps it out of sight."""
    import torch
    from torch.nn.functional import cross_entropy

    width = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[filler] * (width - len(row.ids))] for row in rows])
    seen = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows])
    device = model.device
    logits: torch.Tensor = model(input_ids=ids.to(device), attention_mask=seen.to(device), **options).logits
    line = torch.tensor([n for n, row in enumerate(rows) for _ in row.places], device=device)
    place = torch.tensor([place for row in rows for place in row.places], device=device)
    target = torch.tensor([target for row in rows for target in row.targets], device=device)
    nats = cross_entropy(logits[line, place].float(), target, reduction="none").double()
    sums = torch.zeros(len(rows), dtype=torch.float64).index_add_(0, line.cpu(), nats.cpu())
    return [float(value) for value in sums / np.log(2)]


def _measured(
    texts: Sequence[str], pieces: Sequence[Sequence[int]], tokenizer: Any, rows: Sequence[_Row], bits: Sequence[float]
) -> list[Surprise]:
    sums, counted = [0.0] * len(texts), [0] * len(texts)
    for row, cost in zip(rows, bits, strict=True):
        sums[row.text] += cost
        counted[row.text] += len(row.targets)
    unknown = tokenizer.unk_token_id
    return [
        Surprise(sums[n], len(text.encode()), counted[n], 0 if unknown is None else list(pieces[n]).count(unknown))
        for n, text in enumerate(texts)
    ]


def table(found: Sequence[Surprise]) -> Floats:
    """Rows of (bits, bytes), for :func:`seshat.scores.significance.rate`."""
    return np.array([[one.bits, one.bytes] for one in found], dtype=np.float64).reshape(-1, 2)


def summary(found: Sequence[Surprise]) -> dict[str, float]:
    """The figures over all texts: bits per byte, perplexity per token, bytes per token, tokens, unknown ones."""
    bits, size = sum(one.bits for one in found), sum(one.bytes for one in found)
    tokens = sum(one.tokens for one in found)
    return {
        "bits_per_byte": round(bits / size, 4) if size else 0.0,
        "perplexity": round(float(2 ** min(bits / tokens, 1000.0)), 4) if tokens else 0.0,
        "bytes_per_token": round(size / tokens, 3) if tokens else 0.0,
        "tokens": tokens,
        "unknown": sum(one.unknown for one in found),
    }
