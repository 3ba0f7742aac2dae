"""The proof of an export: the same tokens, and translations that are as good as before.

A token proof goes over the whole validation set in both languages: the ids that the exported form reads, against those
of the model. A score proof translates the first segments of it with both and measures. An export that fails either is
not published. A proof holds figures, no text: it may travel where the data may not.

Few segments tell little: rounding flips some near-ties, and a handful of other words moves chrF2 by a point up or down
(ByT5 in int8 gained 1.11 on 200 segments of which 90 % were the same). So not the difference is held against the
margin but its 95 % interval, from the paired bootstrap over the segments: what a proof cannot tell apart it does not
refuse, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seshat.config import Direction
from seshat.core.errors import CheckFailed
from seshat.core.progress import task
from seshat.inference.translator import Translator
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.evaluation.perplexity import Surprise

METRICS = ("chrf2", "bleu", "chrf++")
"""Scores of a proof, 0 to 100; the first is the one that decides."""
BITS = "bits per byte"
"""What masked models, which translate nothing, are judged by: :mod:`seshat.evaluation.perplexity`."""
_BITS_SHARE = 0.01
_RESAMPLES = 1_000
_SHOWN = 12
_BATCH = 64


def prove_tokens(before: Iterable[Sequence[int]], after: Iterable[Sequence[int]], what: str) -> dict[str, int]:
    """Compare the token ids of every text.

    Args:
        before: what the model reads, one row a text.
        after: what its exported form reads.
        what: name of the export, for the error.

    Returns:
        How many ``texts`` and ``tokens`` were compared; all were equal.

    Raises:
        CheckFailed: a text becomes other tokens.
    """
    count = total = 0
    for expected, found in zip(before, after, strict=True):
        if list(expected) != list(found):
            pairs = zip(expected, found, strict=False)
            place = next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(found)))
            raise CheckFailed(
                f"{what}: not published: text number {count + 1} of the validation set becomes other tokens than in "
                f"the model, from token {place + 1} on: {list(expected[place : place + _SHOWN])} in the model, "
                f"{list(found[place : place + _SHOWN])} in the export.",
                "The exported model would read another text than it was given. Export another form, and report this.",
            )
        count += 1
        total += len(expected)
    return {"texts": count, "tokens": total}


def translations(translator: Translator, requests: Sequence[Request], description: str) -> list[str]:
    """Translate, with progress."""
    made: list[str] = []
    with task(description, len(requests)) as advance:
        for start in range(0, len(requests), _BATCH):
            batch = requests[start : start + _BATCH]
            made += [hypothesis.text for hypothesis in translator.translate(batch)]
            advance(len(batch))
    return made


def prove_scores(
    direction: Direction, references: Sequence[str], before: Sequence[str], after: Sequence[str], tokenizer: str
) -> dict[str, Any]:
    """Scores before and after, side by side.

    Args:
        direction: what was translated.
        references: human translations.
        before: translations of the model.
        after: translations of its exported form.
        tokenizer: how BLEU cuts words, a name of sacreBLEU.

    Returns:
        ``before`` and ``after`` (metric -> score), ``difference``, ``interval`` (of the difference in the metric that
        decides), ``same`` (share of translations that are equal letter for letter), ``agreement`` (chrF2 of the new
        translations against the old ones) and ``signatures``.
    """
    from seshat.scores.metrics import CHRF2, Scorer, corpus_scores
    from seshat.scores.significance import bootstrap, interval

    scorer = Scorer(references, tokenizer)
    counts = {"before": scorer.count(before), "after": scorer.count(after)}
    old, new = (_named(corpus_scores(rows)) for rows in counts.values())
    resampled = bootstrap(counts, _RESAMPLES, seed=0)
    spread = interval(resampled["after"][:, CHRF2] - resampled["before"][:, CHRF2])
    # An empty translation before is no reference to agree with.
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one]
    between = Scorer([one for one, _ in pairs], tokenizer).count([other for _, other in pairs]) if pairs else None
    agreement = 100.0 if between is None else corpus_scores(between).chrf2
    return {
        "direction": str(direction),
        "segments": len(references),
        "before": old,
        "after": new,
        "difference": {metric: round(new[metric] - old[metric], 2) for metric in METRICS},
        "interval": [round(spread.low, 2), round(spread.high, 2)],
        "same": round(sum(one == other for one, other in zip(before, after, strict=True)) / len(references), 4),
        "agreement": round(agreement, 2),
        "signatures": {metric: scorer.signatures[metric] for metric in METRICS},
    }


def prove_bits(language: str, before: Sequence[Surprise], after: Sequence[Surprise]) -> dict[str, Any]:
    """Bits per byte of a masked model before and after, in the form of :func:`prove_scores`."""
    old, new = (round(sum(one.bits for one in side) / sum(one.bytes for one in side), 4) for side in (before, after))
    same = sum(one.bits == other.bits for one, other in zip(before, after, strict=True)) / len(before)
    return {
        "direction": language,
        "segments": len(before),
        "before": {BITS: old},
        "after": {BITS: new},
        "difference": {BITS: round(new - old, 4)},
        "same": round(same, 4),
    }


def verdict(what: str, rows: Sequence[Mapping[str, Any]], margin: float, report: str) -> None:
    """Refuse an export whose scores part too far from those before, for better or worse.

    Args:
        what: name of the export.
        rows: what :func:`prove_scores` or :func:`prove_bits` gave.
        margin: points of chrF2; of bits per byte, one percent.
        report: where the figures stand.

    Raises:
        CheckFailed: the deciding score differs by more in some direction, and not by chance.
    """
    bad = [row for row in rows if _parted(row, margin)]
    if bad:
        decided = [(row, next(iter(row["difference"]))) for row in bad]
        lines = (
            f"  {row['direction']}: {metric} {row['before'][metric]:.2f} before, {row['after'][metric]:.2f} after"
            f"{_spread(row)}"
            for row, metric in decided
        )
        raise CheckFailed(
            "\n".join((f"{what}: not published: it is not as the model is ({report}):", *lines)),
            f"They may part by export.margin = {margin:g} points of chrF2, beyond what chance explains. Take a type "
            "with more bits (q8_0, f16), or raise the margin if you accept the loss.",
        )


def _parted(row: Mapping[str, Any], margin: float) -> bool:
    if BITS in row["difference"]:
        return bool(abs(row["difference"][BITS]) > _BITS_SHARE * row["before"][BITS])
    low, high = row["interval"]
    return bool(low > margin or high < -margin)


def doubts(name: str, rows: Sequence[Mapping[str, Any]], margin: float) -> list[str]:
    """What a proof that passed could not tell, in plain words."""
    unsure = [row for row in rows if "interval" in row and max(map(abs, row["interval"])) > margin]
    return [
        f"{name}, {row['direction']}: on {row['segments']} segments chrF2 moved by {row['difference'][METRICS[0]]:+.2f}"
        f"{_spread(row)}; to know whether it stays within export.margin = {margin:g}, raise export.segments."
        for row in unsure
        if not _parted(row, margin)
    ]


def _spread(row: Mapping[str, Any]) -> str:
    return f" (95 % interval {row['interval'][0]:+.2f} to {row['interval'][1]:+.2f})" if "interval" in row else ""


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows for people: scores as ``before > after``."""
    return [
        {
            "export": name,
            "direction": row["direction"],
            **{
                metric: f"{row['before'][metric]:.2f} > {row['after'][metric]:.2f} ({difference:+.2f})"
                for metric, difference in row["difference"].items()
            },
            "same": f"{row['same']:.0%}",
        }
        for row in rows
    ]


def _named(found: Any) -> dict[str, float]:
    return {"chrf2": round(found.chrf2, 2), "bleu": round(found.bleu, 2), "chrf++": round(found.chrfpp, 2)}
