"""Section ``split``: duplicates, near-duplicates, and train/validation/test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from seshat.config.base import Mistake, Section, Share


class GroupsSection(Section):
    """A table (CSV) that says which documents belong together, such as those of one publication."""

    path: str
    """The table, below data/raw."""
    document: str
    """Column with the `doc_id`."""
    group: str
    """Column with the group."""


class SplitSection(Section):
    """Train, validation and test by document and near-duplicate cluster."""

    removed: ClassVar[dict[str, str]] = {
        "min_segments": "sets of fewer than 20 segments are warned about",
        "near_duplicates": "near-duplicates always stay in one set; `similarity: 1.0` counts only exact ones",
        "remove_duplicates": "train keeps one of exact duplicates; `upsample` repeats a source",
    }

    validation: Share = 0.05
    """Share of the segments in validation."""
    test: Share = 0.1
    """Share of the segments in test; 0 when a source is fixed as the test set."""
    similarity: float = Field(default=0.8, ge=0.3, le=1.0)
    """Jaccard similarity of character 5-grams from which two texts are near-duplicates."""
    min_words: int = Field(default=3, ge=1)
    """A text in one language joins two segments from so many words (or 20 characters) on; shorter ones, which many
    unrelated segments share, only when the other language is the same too."""
    by: Literal["document", "speaker"] = "document"
    """What is drawn as a whole besides clusters: a document, or all that one speaker says, for a model that has to
    understand people whom it has not heard. Segments without a speaker are drawn by document."""
    groups: GroupsSection | None = None
    """Documents that are drawn together; all sources share the document names."""
    test_groups: tuple[str, ...] = ()
    """Groups that are the test set, whole."""
    validation_groups: tuple[str, ...] = ()
    """Groups that are the validation set, whole."""
    folds: int = Field(default=0, ge=0)
    """Cross-validation by groups: so many parts of about equal size, one of which is the test set; 0 for none."""
    fold: int = Field(default=0, ge=0)
    """Which part is the test set, from 0."""
    stratify: Literal["none", "source", "genre"] = "none"
    """Take validation and test from every source (or genre) in proportion."""
    upsample: dict[str, float] = Field(default_factory=dict)
    """Source -> how many times its segments stand in train (1.5: half of them twice). Only train."""
    lexicon_examples: bool = True
    """Examples of lexicon entries become segments (method `extracted`) where they are in both languages."""
    allow_leaks: bool = False
    """Leave segments that their source fixes as train there although they stand in test too, and let `seshat check`
    pass. Needed only to repeat somebody else's experiment."""
    exclude_tags: tuple[str, ...] = (
        "ingest:superseded",
        "clean:no-word",
        "clean:too-short",
        "clean:too-long",
        "clean:length-ratio",
        "clean:wrong-script",
        "clean:copied",
        "clean:repetition",
        "clean:other-language",
        "align:low-confidence",
        "augment:low-confidence",
        "augment:length-ratio",
        "augment:perplexity",
        "augment:damaged",
        "augment:other-language",
        "augment:other-translation",
        "measure",
        "dedup",
        "mix",
    )
    """Records with one of these tags, or any of a stage that is named (`mix`), stay out of all three sets (they stay
    in the files)."""

    def excludes(self, tag: str) -> bool:
        """Whether a tag keeps a record out."""
        return tag in self.exclude_tags or tag.partition(":")[0] in self.exclude_tags

    def mistakes(self) -> Iterator[Mistake]:
        """Nothing left to train on, and groups that nothing names."""
        if self.validation + self.test >= 1.0:
            yield Mistake(
                (),
                f"validation ({self.validation}) and test ({self.test}) leave nothing to train on; "
                "their sum must be below 1",
            )
        if (self.folds or self.test_groups or self.validation_groups) and self.groups is None:
            yield Mistake((), "folds, test_groups and validation_groups need groups: a table that names them")
        if self.by == "speaker" and self.groups is not None:
            yield Mistake(("by",), "groups say what is drawn together; leave one of the two out")
        if self.folds and self.fold >= self.folds:
            yield Mistake(("fold",), f"fold {self.fold} is none of the {self.folds} folds, which count from 0")
