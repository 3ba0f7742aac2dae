"""Section ``submit``: a table of translations for a competition, and the bundle that makes it there."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from seshat.config.base import Name, RawPath, Section


class SubmitColumns(Section):
    """Columns of the test file and of the submission."""

    id: str = "id"
    """What tells rows apart, in both."""
    text: str = "transliteration"
    """The text to translate."""
    document: str | None = "text_id"
    """The document that a row belongs to; null when there is none."""
    line: str | None = "line_start"
    """The line of the document that a row starts at, such as 7, 1' or 1''; null: rows stand in order."""
    translation: str = "translation"
    """The translation, in the submission."""


class KaggleSection(Section):
    """The bundle for an offline notebook on Kaggle."""

    removed: ClassVar[dict[str, str]] = {
        "platforms": "wheels are fetched for Linux on x86-64, which Kaggle has",
    }

    competition: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    """The competition whose test file the notebook reads."""
    owner: str | None = Field(default=None, pattern=r"^[\w-]+$")
    """Your name on Kaggle; default: that of the credentials."""
    name: Name = "seshat-submission"
    """Name of the dataset with the bundle; the notebook is called the same with -notebook added."""
    accelerator: Literal["none", "gpu"] = "none"
    """What the notebook runs on."""
    wheels: tuple[str, ...] = (
        "morfessor",
        "portalocker",
        "rapidfuzz",
        "sacrebleu",
        "sil-thot",
        "structlog",
    )
    """Packages that Kaggle's notebooks lack and the model needs; their wheels go into the bundle. What an engine needs
    beside them: ctranslate2, or llama-cpp-python with diskcache."""
    python: tuple[str, ...] = ("3.11", "3.12")
    """Versions of Python that wheels are fetched for; Kaggle's is shown by `!python --version` there."""
    hours: float = Field(default=9.0, gt=0)
    """How long a notebook may run."""
    rows: int | None = Field(default=None, ge=1)
    """Rows of the test file that nobody sees, where they are known: the dry run says how long they would take."""


class SubmitSection(Section):
    """A table of translations for a competition, and the bundle that makes it there."""

    test: RawPath = "test/test.csv"
    """The test file (CSV, UTF-8), below data/raw."""
    sample: RawPath | None = None
    """A sample submission below data/raw: header, ids and their order must be the same."""
    output: str = "submission.csv"
    """Where the submission goes, below the project."""
    columns: SubmitColumns = SubmitColumns()
    """Columns of the two files."""
    empty: str = Field(default="-", min_length=1)
    """What is written where a model says nothing: an empty cell would invalidate the whole submission."""
    kaggle: KaggleSection = KaggleSection()
    """The bundle for an offline notebook on Kaggle."""
