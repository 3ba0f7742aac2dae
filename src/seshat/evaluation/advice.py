"""What the figures of an evaluation mean, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seshat.evaluation.testbed import TestSet
from seshat.report.results import DirectionResult, Floor
from seshat.report.tables import LikelihoodTable, TaskTable
from seshat.scores import LABELS, Metric
from seshat.scores.significance import SIGNIFICANT

FEW = 200
"""A smaller test set has intervals several points wide."""

_MUCH_UNKNOWN = 0.005
_MUCH_COPIED = 0.2
_MUCH_LOOPING = 0.02
_LENGTHS = (0.75, 1.33)
_INVENTED_FACTOR = 1.5
_INVENTED_MORE = 2.0


def warnings(
    test: TestSet, directions: Sequence[DirectionResult], leaks: Mapping[str, int], headline: Metric
) -> list[str]:
    """Everything a reader should know before quoting a figure.

    Args:
        test: the test set.
        directions: the results, one per direction.
        leaks: how many test sentences stand in train (:meth:`seshat.evaluation.testbed.Material.leaks`).
        headline: the score that models and floors are compared by.
    """
    return [
        *_about_test(test, leaks["pair"]),
        *(line for result in directions for line in _about_direction(result, len(test.segments), headline)),
    ]


def _about_test(test: TestSet, leaked: int) -> Iterator[str]:
    size = len(test.segments)
    if leaked:
        yield (
            f"{leaked} of {size} test sentences stand in the training data, whole: the scores are too high. "
            "`seshat check` lists them."
        )
    if size < FEW:
        yield (
            f"The test set has only {size} sentences: the intervals are wide, and small differences between systems "
            f"cannot be told from chance. {FEW} or more would be better."
        )
    if test.withheld:
        yield f"{test.withheld} test sentences were left out: their access level is above project.max_access."
    if test.incomplete:
        yield f"{test.incomplete} test sentences were left out: a language of the project is empty."


def _about_direction(result: DirectionResult, size: int, headline: Metric) -> Iterator[str]:
    floor_invented = result.references.invented.per_100
    if "tok:char" in result.signatures["bleu"]:
        yield (
            f"{result.direction}: BLEU counts characters, as suits scripts without spaces between words; it cannot be "
            "compared with a BLEU of words."
        )
    for row in result.systems:
        if row.kind != "model":
            continue
        name = f"{result.direction}, {row.name}"
        if row.best_floor is not None:
            yield from _about_floor(name, LABELS[headline], row.scores[headline].score, row.best_floor)
        letters, words = (row.difference.get(name) for name in ("chrf2", "bleu"))
        if letters and words and letters.score > 0 > words.score and max(letters.p, words.p) < SIGNIFICANT:
            yield (
                f"{name}: it gains {letters.score:.1f} points of chrF2 on the system compared with and loses "
                f"{-words.score:.1f} of BLEU (length {row.behaviour.length_ratio:.2f}): chrF2 rewards longer texts."
            )
        found = row.behaviour
        if found.empty:
            yield f"{name}: {found.empty} of {size} translations are empty."
        if found.copied > _MUCH_COPIED * size:
            yield f"{name}: {found.copied} of {size} translations only repeat the source."
        if found.looping > _MUCH_LOOPING * size:
            yield f"{name}: {found.looping} of {size} translations repeat themselves three times or more."
        if found.length_ratio and not _LENGTHS[0] <= found.length_ratio <= _LENGTHS[1]:
            what = "shorter" if found.length_ratio < 1 else "longer"
            yield f"{name}: the translations are much {what} than the references ({found.length_ratio:.2f} times)."
        rate = row.invented.per_100
        if rate > _INVENTED_FACTOR * floor_invented + _INVENTED_MORE:
            yield (
                f"{name}: {rate:.1f} of 100 words exist nowhere in the data; in the human references it is "
                f"{floor_invented:.1f}."
            )


def _about_floor(name: str, label: str, score: float, floor: Floor) -> Iterator[str]:
    against = f"'{floor.name}', which costs nothing ({label} {score:.1f} against {floor.score:.1f})"
    if floor.difference <= 0:
        yield f"{name}: the model does not beat {against}."
    elif floor.p >= SIGNIFICANT:
        yield f"{name}: the model is not significantly better than {against}; p = {floor.p:.2f}."


def beside_translation(likelihood: Sequence[LikelihoodTable], tasks: Sequence[TaskTable]) -> list[str]:
    """What a reader should know about perplexity and tasks."""
    found = [line for table in likelihood for line in _about_likelihood(table)]
    return [*found, *_about_tasks(tasks)]


def _about_likelihood(table: LikelihoodTable) -> Iterator[str]:
    if table.measure == "pseudo-token":
        return  # says nothing that the other pseudo-likelihood does not say
    what = f"{table.measure} {table.of}"
    for row in table.systems:
        if row.kind != "model":
            continue
        if row.unknown > _MUCH_UNKNOWN * row.tokens:
            yield (
                f"{what}, {row.name}: {row.unknown} of {row.tokens} tokens are unknown to the tokenizer; what "
                "they hide costs nothing, so the bits per byte look better than they are."
            )
        difference = row.difference.get("bits_per_byte")
        if difference and (difference.score >= 0 or difference.p >= SIGNIFICANT):
            yield f"{what}, {row.name}: the model does not expect the texts better than '{table.reference}'."


def _about_tasks(tables: Sequence[TaskTable]) -> Iterator[str]:
    """In what a model does not beat the look-up; what was asked in training a look-up knows by heart."""
    losing: dict[str, list[str]] = {}
    for table in tables:
        first = table.measures[0].name
        floor = next(row for row in table.systems if row.name == table.reference)
        for row in table.systems:
            if row.kind == "model" and table.fair and row.difference[first].score <= 0:
                score, other = (one.scores[first].score for one in (row, floor))
                losing.setdefault(row.name, []).append(f"{table.task} ({score:.1f} against {other:.1f})")
    for name, lost in losing.items():
        yield f"{name}: the model does not beat a look-up in {', '.join(lost)}."
