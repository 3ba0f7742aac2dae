"""What a masked model puts in the place of a hidden word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from seshat.config.evaluate import EvaluateSection
from seshat.core.progress import track
from seshat.core.spaced import evenly
from seshat.evaluation.testbed import folded
from seshat.report.tables import FillSample, FillTable, Offer, Offers
from seshat.scores.formulas import Floats
from seshat.scores.significance import Rows, percent
from seshat.scores.table import score_table

FLOOR = "most frequent words"
CANDIDATES = 5
"""Words that a model may offer."""
GAP = "___"
"""What people write for the hidden word in a sentence of theirs."""
_AROUND = 300
"""Most characters on either side of a hidden word."""
_HAS_LETTER = regex.compile(r"\p{L}")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}'’ʼ-]+")


@dataclass(frozen=True)
class Blank:
    """A sentence with one word taken out."""

    id: str
    before: str
    word: str
    """Empty where nobody has said which word belongs there."""
    after: str


class Filling(NamedTuple):
    """A word for a blank, and how likely the model finds it, 0 to 1."""

    word: str
    probability: float


def blanks(texts: Sequence[tuple[str, str]], count: int, seed: int) -> list[Blank]:
    """Sentences with a word hidden, evenly from the whole test set.

    Which word is drawn at random, from the words with a letter; texts of one word have no context and are left out.

    Args:
        texts: pairs of id and text.
        count: how many.
        seed: start of the random numbers.
    """
    import random

    usable = []
    for name, text in texts:
        words = [match for match in _WORD.finditer(text) if _HAS_LETTER.search(match[0])]
        if len(words) > 1:
            usable.append((name, text, words))
    found = []
    for name, text, words in evenly(usable, count):
        match = random.Random(f"{seed} {name} {text}").choice(words)
        before, after = text[: match.start()], text[match.end() :]
        if len(before) > _AROUND:
            before = before[-_AROUND:].partition(" ")[2]
        if len(after) > _AROUND:
            after = after[:_AROUND].rpartition(" ")[0]
        found.append(Blank(name, before, match[0], after))
    return found


def asked(sentences: Sequence[str]) -> list[Blank]:
    """Sentences with a :data:`GAP` as blanks, for one token each."""
    return [Blank(f"evaluate.blanks[{n}]", *_around(text)) for n, text in enumerate(sentences)]


def _around(sentence: str) -> tuple[str, str, str]:
    before, _, after = sentence.partition(GAP)
    return before, "", after


def fill(model: Any, tokenizer: Any, found: Sequence[Blank], name: str = "fill") -> list[list[Filling]]:
    """What the model offers for each blank, likeliest first.

    The model is told how many pieces the word has: it fills them from left to right, keeping the likeliest few, and
    the probability is the product over the pieces.

    Args:
        model: a masked language model of Transformers.
        tokenizer: its tokenizer, a fast one.
        found: the blanks.
        name: what the progress bar says.
    """
    import torch

    model.eval()
    offers = []
    with torch.inference_mode():
        for blank in track(found, name):
            offers.append(_offers(model, tokenizer, blank))  # noqa: PERF401
    return offers


def _offers(model: Any, tokenizer: Any, blank: Blank) -> list[Filling]:
    import torch

    word = blank.word or tokenizer.mask_token
    encoded = tokenizer(blank.before + word + blank.after, return_offsets_mapping=True, truncation=True)
    ids = list(encoded["input_ids"])
    begin, end = len(blank.before), len(blank.before) + len(word)
    places = [n for n, (first, last) in enumerate(encoded["offset_mapping"]) if first < end and last > begin]
    if not places:
        return []
    for place in places:
        ids[place] = tokenizer.mask_token_id
    rows: list[tuple[float, list[int]]] = [(0.0, ids)]
    special = torch.tensor(tokenizer.all_special_ids, device=model.device)
    for place in places:
        logits = model(input_ids=torch.tensor([row for _, row in rows], device=model.device)).logits[:, place].float()
        logits[:, special] = float("-inf")
        values, tokens = logits.log_softmax(-1).topk(CANDIDATES, dim=-1)
        grown = [
            (score + value, [*row[:place], token, *row[place + 1 :]])
            for (score, row), scores, choices in zip(rows, values.tolist(), tokens.tolist(), strict=True)
            for value, token in zip(scores, choices, strict=True)
        ]
        rows = sorted(grown, key=lambda one: (-one[0], one[1]))[:CANDIDATES]
    return [
        Filling(tokenizer.decode([row[place] for place in places]).strip(), float(torch.tensor(score).exp()))
        for score, row in rows
    ]


def frequent(texts: Iterable[str]) -> list[str]:
    """The floor: the most frequent words of the training texts, whatever the sentence."""
    counted = Counter(word for text in texts for word in folded(text) if _HAS_LETTER.search(word))
    return sorted(counted, key=lambda word: (-counted[word], word))[:CANDIDATES]


def hits(found: Sequence[Blank], offers: Sequence[Sequence[str]]) -> Rows:
    """Whether the hidden word is the first offer, and whether it is one of them, letter case aside: rows of 0 and 1.

    Columns: first, among, 1.
    """
    rows = []
    for blank, given in zip(found, offers, strict=True):
        same = [offer.casefold() == blank.word.casefold() for offer in given]
        rows.append((float(bool(same) and same[0]), float(any(same)), 1.0))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _percent(sums: NDArray[Any]) -> Floats:
    return np.concatenate([percent(sums[..., [column, 2]]) for column in (0, 1)], axis=-1)


def table(
    fillings: Mapping[str, Sequence[Sequence[Filling]]],
    found: Sequence[Blank],
    floor: Sequence[str],
    settings: EvaluateSection,
    seed: int,
) -> FillTable:
    """What is offered, judged.

    Args:
        fillings: per system, its offers for each blank.
        found: the blanks.
        floor: what the floor offers for every blank (:func:`frequent`).
        settings: section ``evaluate``.
        seed: start of the random numbers.
    """
    known = [place for place, blank in enumerate(found) if blank.word]
    judged = [found[place] for place in known]
    counts = {
        name: hits(judged, [[one.word for one in given[place]] for place in known]) for name, given in fillings.items()
    }
    counts[FLOOR] = hits(judged, [floor] * len(judged))
    shown = [place for place, blank in enumerate(found) if not blank.word] + evenly(known, settings.fill)
    return FillTable(
        candidates=CANDIDATES,
        blanks=len(judged),
        reference=FLOOR,
        systems=score_table(counts, FLOOR, settings.bootstrap, seed, ("first", "among"), _percent),
        samples=[_sample(found[n], fillings, n) for n in shown],
    )


def _sample(blank: Blank, fillings: Mapping[str, Sequence[Sequence[Filling]]], place: int) -> FillSample:
    systems = [
        Offers(name=name, offers=[Offer(word=x.word, probability=round(x.probability, 4)) for x in given[place]])
        for name, given in fillings.items()
    ]
    return FillSample(id=blank.id, before=blank.before, word=blank.word, after=blank.after, systems=systems)
