"""The features of a translation, and the weights that make one score of them."""

from __future__ import annotations

from collections.abc import Sequence

LANGUAGE_MODEL, JUMP = 0, 1
FEATURES = (
    "language_model",
    "jump",
    "target_given_source",
    "source_given_target",
    "lexical_forward",
    "lexical_backward",
    "phrases",
    "words",
    "copies",
    "copied_names",
    "stems",
    "stem_cost",
    "cognates",
    "cognate_cost",
)
"""``language_model`` and ``jump`` (places jumped over, negative) come from the decoder, the rest from phrase pairs."""
START = (0.6, 0.02, 0.4, 0.2, 0.2, 0.2, -0.1, 1.6, -6.0, 2.0, -1.0, 1.0, -2.0, 1.0)
"""Where tuning starts."""
PHRASE_FEATURES = len(FEATURES) - 2


def phrase_score(features: Sequence[float], weights: Sequence[float]) -> float:
    """The part of the score that a phrase pair brings (its features are those after the decoder's two)."""
    return sum(value * weight for value, weight in zip(features, weights[2:], strict=True))
