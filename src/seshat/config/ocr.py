"""Section ``ocr``: scanned pages to text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from seshat.config.base import Language, Mistake, Name, RawPath, Regex, Section, Share
from seshat.core.records import Access

TesseractLanguage = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)?$")]
"""The name of a `.traineddata` file, without its ending."""


class RegionSection(Section):
    """A part of every page, in shares of its width and height, that is read by itself."""

    box: tuple[Share, Share, Share, Share]
    """Left, top, width and height."""
    recognise: tuple[TesseractLanguage, ...] = ()
    """Models for this part; default: those of the source."""
    language: Language | None = None
    """Language of this part; default: that of the source."""


class DictionaryTest(Section):
    """A paragraph and what its entry must be."""

    text: str
    """The paragraph as it is printed."""
    headword: str
    """What its headword is."""
    pos: str | None = None
    """Its part of speech."""
    glosses: tuple[str, ...] = ()
    """Its glosses."""


class DictionarySection(Section):
    """How an entry is printed. Without this, paragraphs become segments."""

    pattern: Regex
    """Regular expression that an entry matches from its beginning, with named groups `headword`, `gloss` and, where
    they are printed, `pos`, `example` and `translation` (the last two may match several times)."""
    hanging: bool = True
    """The first line of an entry stands further left than the others; otherwise every paragraph is an entry."""
    bold: bool = False
    """An entry begins with a bold word: strokes a quarter thicker than usual on its page."""
    separator: Regex = r"\s*[;,]\s*"
    """What parts several glosses."""
    gloss_language: Language | None = None
    """Language of the glosses; default: the pivot."""
    tests: tuple[DictionaryTest, ...] = ()
    """Checked whenever the configuration is read."""

    def mistakes(self) -> Iterator[Mistake]:
        """A pattern without its groups, and tests that it fails."""
        from seshat.core.patterns import compiled

        pattern = compiled(self.pattern)
        missing = [name for name in ("headword", "gloss") if name not in pattern.groupindex]
        if missing:
            yield Mistake(("pattern",), f"the pattern has no group named {' and none named '.join(missing)}")
            return
        for place, test in enumerate(self.tests):
            found = parsed(self, test.text)
            wanted = {"headword": test.headword, "pos": test.pos, "glosses": test.glosses}
            got = {name: found.get(name) for name in wanted} if found else None
            if got != wanted:
                yield Mistake(("tests", place), f"'{test.text}' gives {got or 'no entry'}, not {wanted}")


def parsed(section: DictionarySection, text: str) -> dict[str, object] | None:
    """What the pattern finds in the text of an entry: headword, pos, glosses, examples; ``None`` where it fails."""
    from seshat.core.patterns import compiled

    found = compiled(section.pattern).match(text)
    if found is None or not (found["headword"] or "").strip():
        return None
    groups = found.capturesdict()
    parts = compiled(section.separator).split((found["gloss"] or "").strip(" .;,"))
    examples = zip(groups.get("example", ()), groups.get("translation", ()), strict=False)
    return {
        "headword": found["headword"].strip(),
        "pos": (groups.get("pos") or [""])[0].strip() or None,
        "glosses": tuple(part.strip() for part in parts if part and part.strip()),
        "examples": tuple((one.strip(), other.strip()) for one, other in examples),
    }


class ScanSource(Section):
    """Scans that are read alike."""

    name: Name
    """A short name, unique in the project; it becomes part of the ids."""
    path: RawPath | tuple[RawPath, ...]
    """File, pattern (`scans/*.pdf`) or list of them, below data/raw: PDF, TIFF, PNG, JPEG; or pages that another
    program has read: hOCR, ALTO, PAGE (of eScriptorium, Transkribus)."""
    recognise: tuple[TesseractLanguage, ...] = ("Latin",)
    """Tesseract's models, as in `tesseract --list-langs`; several are asked together."""
    language: Language | None = None
    """Language of the text; default: the project's language."""
    text_layer: bool = True
    """Take the text that a PDF brings with it where it is sound; off where an old recognition stands there."""
    columns: Literal["auto", 1, 2] = "auto"
    """How many columns a page has; `auto` leaves it to Tesseract, 2 looks for the gutter."""
    regions: tuple[RegionSection, ...] = ()
    """Parts of a page that are read by themselves, in this order; default: the whole page."""
    dictionary: DictionarySection | None = None
    """Entries of a printed dictionary."""
    genre: str | None = None
    """Genre of all texts."""
    licence: str | None = None
    """Licence of the scans."""
    access: Access = Access.RESTRICTED
    """Access level of the scans. Unknown reads as restricted."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The paths as a tuple."""
        return (self.path,) if isinstance(self.path, str) else self.path


class OcrSection(Section):
    """Scanned pages to text. Nothing happens by itself."""

    sources: tuple[ScanSource, ...] = ()
    """The scans."""
    run: bool = False
    """Whether `seshat run` reads them before everything else; otherwise only `seshat ocr` does."""
    traineddata: str | None = None
    """Folder with `.traineddata` files of your own, from the project folder; default: those of the system."""
    dpi: int = Field(default=300, ge=100, le=600)
    """Resolution at which pages of a PDF are drawn."""
    processes: int = Field(default=0, ge=0)
    """Pages that are read at once; 0: one for each core."""
    page_seconds: int = Field(default=120, ge=1)
    """A page that takes longer is put aside, with the reason."""
    most_pages: int = Field(default=1_000, ge=1)
    """Of a file at most so many pages are read; what is left out is said."""
    spelling: tuple[RawPath, ...] = ()
    """Text files in the spelling of the scans, below data/raw, such as a word list: they teach what words look like."""
    review_pages: int = Field(default=10, ge=0)
    """How many pages go to `reports/ocr_review.csv` at a time: of each file in turn the ones that are least sure."""
    allow_unreviewed: bool = False
    """Let readings into training that no person has looked at."""

    def mistakes(self) -> Iterator[Mistake]:
        """A name that two sources have."""
        names = [source.name for source in self.sources]
        for place, name in enumerate(names):
            if name in names[:place]:
                yield Mistake(("sources", place, "name"), f"'{name}' is also the name of another source of scans")
