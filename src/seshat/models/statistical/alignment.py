"""Word alignment: Thot both ways, symmetrised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seshat.core.progress import track
from seshat.models.statistical.thot import thot_module

if TYPE_CHECKING:
    from seshat.models.statistical.thot import Pair

Links = list[tuple[int, int]]
"""(place in the source, place in the target) of words that translate each other, sorted."""

_BATCH = 2_000


def align(pairs: Sequence[Pair], model: str = "hmm", iterations: int = 5, seed: int = 13) -> list[Links]:
    """Align the words of sentence pairs.

    Args:
        pairs: tokens of both sides.
        model: ``ibm1``, ``ibm2``, ``hmm``, ``fast_align`` or ``eflomal``.
        iterations: passes of expectation-maximisation of each model in the chain.
        seed: for the models that sample.

    Returns:
        The links of every pair, symmetrised by grow-diag-final-and (Koehn et al. 2005, "Edinburgh system
        description").
    """
    flipped = [(target, source) for source, target in pairs]
    direct = _trained(pairs, model, iterations, seed)
    inverse = _trained(flipped, model, iterations, seed)
    links: list[Links] = []
    for start in track(range(0, len(pairs), _BATCH), "align words"):
        batch = pairs[start : start + _BATCH]
        sources, targets = [list(source) for source, _ in batch], [list(target) for _, target in batch]
        forward = direct.get_best_alignments(sources, targets)
        backward = inverse.get_best_alignments(targets, sources)
        for (_, matrix), (_, other) in zip(forward, backward, strict=True):
            other.transpose()
            matrix.grow_diag_final_and(other)
            links.append(_links(matrix))
    return links


def _links(matrix: Any) -> Links:
    rows, columns = matrix.to_numpy().nonzero()
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True)]


def _trained(pairs: Sequence[Pair], model: str, iterations: int, seed: int) -> Any:
    alignment = thot_module("alignment")
    steps: list[Any]
    if model == "eflomal":
        eflomal = alignment.EflomalAlignmentModel()
        eflomal.seed = seed
        eflomal.deterministic = True
        steps = [lambda _previous: eflomal]
        iterations = 1
    else:
        chain = {
            "ibm1": ["Ibm1AlignmentModel"],
            "ibm2": ["Ibm1AlignmentModel", "Ibm2AlignmentModel"],
            "hmm": ["Ibm1AlignmentModel", "HmmAlignmentModel"],
            "fast_align": ["FastAlignModel"],
        }[model]
        kinds = [getattr(alignment, name) for name in chain]
        steps = [(lambda previous, kind=kind: kind() if previous is None else kind(previous)) for kind in kinds]
    current: Any = None
    for step in steps:
        current = step(current)
        if current.num_sentence_pairs == 0:
            for source, target in pairs:
                current.add_sentence_pair(list(source), list(target))
        current.start_training()
        for _ in range(iterations):
            current.train()
        current.end_training()
    return current
