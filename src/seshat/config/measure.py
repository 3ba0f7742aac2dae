"""Sections ``measure``, ``dedup`` and ``mix``: from cleaned text of one language to a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from seshat.config.base import Mistake, RawPath, Section


class MeasureSection(Section):
    """What is measured of the documents of a language, and which are odd. Part of a run when mix.strategy is set."""

    trusted: tuple[str, ...] = ()
    """Sources of good text: `seshat fit` makes limits from them, and the model that says how usual a text is."""
    thresholds: str = "thresholds.yaml"
    """The file of limits, in the project folder; `seshat fit` writes it, and the model beside it (`.npz`)."""
    lists: dict[str, RawPath] = Field(default_factory=dict)
    """Name -> a list of words below data/raw, one a line. `modern` and `classical` are registers, that mix.strategy may
    ask for; `boilerplate` holds phrases of menus and notices; others are measured and can be limited (`list:NAME`).
    Those that stand under `lists` in the file of limits are used, too."""
    engine: Literal["local", "ray"] = "local"
    """`ray` measures over several processes or machines, where translate.ray says (extra `scale`): the same bytes."""
    identifier: RawPath | None = None
    """A model of languages, as `seshat identify --learn` writes it, below data/raw."""


class DedupSection(Section):
    """Duplicates among documents, and what they share with evaluation sets."""

    similarity: float = Field(default=0.6, ge=0.3, le=1.0)
    """Jaccard similarity of character 5-grams from which two documents are near-duplicates: 0.6 is a tenth of the words
    changed; 1 finds exact ones only."""
    marks: bool = True
    """Whether documents that differ only in combining marks (vowel signs, tones) are different."""
    repeated_lines: int = Field(default=3, ge=2)
    """A line of 20 characters or more that stands in so many documents is kept only in the first of them."""
    evaluation: tuple[RawPath, ...] = ()
    """Text files of evaluation sets below data/raw, one text a line: documents that hold eight words of them in a row
    are tagged `dedup:evaluation`, as are those that hold as much of a source with `split: test`."""


class MixSection(Section):
    """Which documents make the corpus. Without a strategy measure, dedup and mix are no part of a run."""

    strategy: Literal["all", "balanced", "modern", "classical", "weights"] | None = None
    """`all` takes everything that is not tagged; `balanced` as much of each source; `modern` and `classical` prefer
    documents with words of that list (measure.lists); `weights` shares by source."""
    max_records: int | None = Field(default=None, ge=1)
    """Segments to take at most; whole documents are drawn, without replacement, by a hash of the seed."""
    audit: int = Field(default=20, ge=0)
    """Documents of each tag, and of those without, drawn for a native reader: `seshat review documents`."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Source -> its share, relative to the others; sources that are not named have 1."""

    def mistakes(self) -> Iterator[Mistake]:
        """Weights that nothing reads, or that are none."""
        if self.weights and self.strategy not in ("weights", None):
            yield Mistake(("weights",), "only the strategy 'weights' reads them")
        for source, weight in self.weights.items():
            if weight < 0:
                yield Mistake(("weights", source), f"{weight} is less than 0")
