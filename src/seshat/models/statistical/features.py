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
    "rare",
    "unknown",
    "guess",
    "copy",
    "drops",
)
"""``language_model`` and ``jump`` (places jumped over, negative) come from the decoder, the rest from phrase pairs:
``rare`` counts pairs seen once, ``guess`` is the log probability of a guess about an unknown word, ``unknown`` and
``copy`` count such words and those left as they are, and ``drops`` pieces that are left untranslated."""
START = (0.35, 0.1, 0.3, 0.3, 0.1, 0.3, 0.2, 1.2, -0.5, -2.0, 1.0, 5.0, -0.5)
"""Where tuning starts (``copy`` is a setting, see :func:`start`)."""
POSITIVE = (2, 3, 4, 5, FEATURES.index("guess"))
"""Log probabilities: a negative weight would mean to believe what is unlikely."""
PHRASE_FEATURES = len(FEATURES) - 2


def start(copying: float) -> tuple[float, ...]:
    """Where tuning starts when copying an unknown word is favoured so much."""
    place = FEATURES.index("copy")
    return (*START[:place], copying, *START[place + 1 :])


def phrase_score(features: Sequence[float], weights: Sequence[float]) -> float:
    """The part of the score that a phrase pair brings (its features are those after the decoder's two)."""
    return sum(value * weight for value, weight in zip(features, weights[2:], strict=True))
