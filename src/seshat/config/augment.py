"""Section ``augment``: more training pairs than were given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from seshat.config.base import Language, Mistake, Name, RawPath, Regex, Section, Share
from seshat.core.records import Access


def _server(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"'{url}' does not start with http:// or https://; example: http://localhost:8080/v1")
    return url.rstrip("/")


ServerUrl = Annotated[str, AfterValidator(_server)]
"""Where an OpenAI-compatible server answers, up to and with ``/v1``."""


class EndpointSection(Section):
    """A model: in a folder of the project, or behind an OpenAI-compatible server (vLLM, llama-server, Ollama …)."""

    model: str | None = None
    """A folder such as models/NAME, of this project; behind a server: the name of the model there."""
    server: ServerUrl | None = None
    """The server, up to and with /v1."""
    api_key_env: str | None = None
    """Environment variable that holds the key of the server."""

    def mistakes(self) -> Iterator[Mistake]:
        """No model at all."""
        if not self.model:
            yield Mistake((), "name a model: a folder such as models/NAME, or the name of the model on the server")


class TextListSection(Section):
    """The table of the texts that publications speak of: how each is called, and how it reads."""

    path: RawPath
    """The table (CSV), below data/raw."""
    id: str
    """Column with the id of the text: the `doc_id` of its pairs."""
    names: tuple[str, ...]
    """Columns with its names: catalogue and museum numbers, labels, aliases."""
    text: str | None = None
    """Column with the text itself, in the project's language."""
    separator: Regex = r"\s*[|;,]\s*"
    """What parts several names in one cell."""
    series: dict[Regex, str] = Field(default_factory=dict)
    """Name of a publication (regular expression) -> what its bare numbers stand for: `AKT 5.*: AKT 5` makes a
    heading `12.` in it the text called `AKT 5 12`."""


class PagesSection(Section):
    """Pages of publications, read by recognition: texts in the language, each followed by its translation."""

    name: Name = "pages"
    """Name of the pairs as a source."""
    path: RawPath
    """The table of pages (CSV or JSON Lines), below data/raw."""
    columns: dict[Literal["document", "page", "text"], str] = Field(default_factory=dict)
    """What is in which column; default: `document`, `page` and `text` are called so."""
    where: dict[str, str] = Field(default_factory=dict)
    """Only pages whose column holds this value."""
    texts: TextListSection
    """The texts that can be found there."""
    rules: bool = True
    """Extract by the layout of the pages, without any model."""
    markers: tuple[Regex, ...] = ()
    """What only lines in the language hold; what their characters say is learned from the known texts."""
    min_words: int = Field(default=3, ge=1)
    """Words of the language from which a page is looked at."""
    headings: dict[Literal["translation", "commentary", "text"], tuple[str, ...]] = Field(default_factory=dict)
    """More words that stand alone above a part of an edition, beside those known."""
    translators: dict[Language, EndpointSection] = Field(default_factory=dict)
    """Language of a translation -> what translates it into the pivot. Without one, such pairs are left out."""
    align: Literal["auto", "lines", "cut", "sentences", "none"] = "auto"
    """Pairs of sentences out of pairs of texts: by the `lines` that the translation numbers, by sentences of both
    sides, by a `cut` of a text without sentence marks, or `none`. `auto` takes sentences where both sides mark them,
    else the cut, which learns about words from known pairs; lines where there are hardly any."""
    min_confidence: Share = 0.5
    """Pairs below are tagged `augment:low-confidence`."""
    genre: str | None = None
    """Genre of the pairs."""
    licence: str | None = None
    """Licence of the pages."""
    access: Access = Access.RESTRICTED
    """Access level of the pages."""


class ExtractorSection(EndpointSection):
    """A language model that takes the pairs out of the pages, held to a JSON schema."""

    removed: ClassVar[dict[str, str]] = {"timeout": "an answer is waited for 120 seconds"}

    name: Name = "extractor"
    """Name of the pairs as a source."""
    instructions: str = ""
    """Added to the task that the model is given."""
    price_in: float = Field(default=0.0, ge=0)
    """Price of a million tokens that are sent."""
    price_out: float = Field(default=0.0, ge=0)
    """Price of a million tokens that come back."""
    max_cost: float | None = Field(default=None, gt=0)
    """Stop before the sum of all runs exceeds this."""
    max_tokens_total: int | None = Field(default=None, gt=0)
    """Stop before so many tokens, sent and received in all runs together, are exceeded."""
    max_tokens: int = Field(default=2_048, ge=64)
    """Longest answer."""
    pages: int = Field(default=3, ge=1)
    """Consecutive pages in one question."""
    overlap: int = Field(default=1, ge=0)
    """So many pages stand in two questions, so that a text that goes on over the page is seen whole."""


class GateSection(Section):
    """When a made or found pair is doubtful. It is tagged, not deleted."""

    length_ratio: float = Field(default=3.0, gt=1.0)
    """Largest factor between the length ratio of a pair and the usual one: `augment:length-ratio`."""
    perplexity: float | None = Field(default=4.0, gt=0)
    """How many standard deviations above the known texts the bits per character of a text may be:
    `augment:perplexity`. Known by a small n-gram model of each language."""
    damage: Share = 0.05
    """Largest share of characters that only wrong encodings and failed recognition give: `augment:damaged`."""


class TemplateSection(Section):
    """A short sentence in both languages with a place for a word: `{headword}` and `{gloss}`."""

    texts: dict[Language, str]
    """Language -> sentence, such as `akk: a-na {headword}` and `en: to {gloss}`."""
    types: tuple[str, ...] = ()
    """Only for entries of these types (`word`, `person`, `place` …)."""
    pos: tuple[str, ...] = ()
    """Only for entries of these parts of speech."""


class DrillsSection(Section):
    """Lexicon entries as short pairs, alone and in templates: a curriculum before real sentences."""

    name: Name = "drills"
    """Name of the pairs as a source."""
    types: tuple[str, ...] = ()
    """Only entries of these types; default: all."""
    forms: bool = True
    """A pair for every form of an entry too, not only for its headword."""
    glosses: int = Field(default=1, ge=1)
    """Pairs per word and sense: so many of its glosses."""
    words: bool = True
    """Pairs of the word alone."""
    templates: tuple[TemplateSection, ...] = ()
    """Sentences with a place for a word."""
    most: int | None = Field(default=None, ge=1)
    """At most so many pairs, drawn by the seed."""


class MadeSection(EndpointSection):
    """Texts in one language, translated by a model: the made side is the other one."""

    name: Name = "made"
    """Name of the pairs as a source."""
    sources: tuple[str, ...] = ()
    """Sources of the texts (of one language only); default: all."""
    back: EndpointSection | None = None
    """Another model that translates back; how much comes back (chrF2, 0 to 1) is the score of the pair."""
    min_score: Share = 0.3
    """Pairs with a lower score are tagged `augment:low-confidence`."""
    most: int | None = Field(default=None, ge=1)
    """At most so many texts, drawn by the seed."""
    batch: int = Field(default=32, ge=1)
    """Texts in a batch; what is translated is kept batch by batch."""
    prefix: str = ""
    """Put before the text that was made, such as `<bt> `: the mark of tagged back-translation (Caswell et al. 2019).
    Only for a model that translates from the made side."""


class BackTranslationSection(MadeSection):
    """Texts in the pivot, translated into the language: the made side is the one to translate from."""

    name: Name = "back-translation"
    """Name of the pairs as a source."""


class PseudoLabelsSection(MadeSection):
    """Texts in the language without a translation, translated into the pivot: the made side is the one to learn."""

    name: Name = "pseudo-labels"
    """Name of the pairs as a source."""


class AuditSection(Section):
    """Models re-translate training pairs that they have not seen; the worst go to a file for people."""

    removed: ClassVar[dict[str, str]] = {"judge": "models judge the pairs that they have not seen"}

    folds: int = Field(default=4, ge=2)
    """Models: each is trained without one part of the documents."""
    share: Share = 0.05
    """Share of the pairs that goes to the file, the worst first."""
    most: int = Field(default=500, ge=1)
    """At most so many pairs in the file."""


class AugmentSection(Section):
    """More training pairs than were given: found, made, or checked. Nothing happens by itself."""

    pages: PagesSection | None = None
    """Pairs out of publications."""
    extractor: ExtractorSection | None = None
    """The same through a language model; needs `pages`."""
    filters: GateSection = GateSection()
    """When a pair is doubtful."""
    drills: DrillsSection | None = None
    """Pairs out of the lexicon."""
    back_translation: BackTranslationSection | None = None
    """Texts in the pivot, translated into the language."""
    pseudo_labels: PseudoLabelsSection | None = None
    """Texts in the language without a translation, translated into the pivot."""
    audit: AuditSection = AuditSection()
    """Settings of `seshat audit`."""

    @property
    def wanted(self) -> bool:
        """Whether the stage has anything to make."""
        return any((self.pages, self.drills, self.back_translation, self.pseudo_labels))

    @property
    def translators(self) -> tuple[EndpointSection, ...]:
        """All models that translate."""
        made = [part for part in (self.back_translation, self.pseudo_labels) if part]
        pages = self.pages.translators.values() if self.pages else ()
        return (*pages, *made, *(part.back for part in made if part.back))

    @property
    def names(self) -> tuple[str, ...]:
        """The sources that it makes."""
        parts: tuple[Any, ...] = (
            self.pages,
            self.extractor,
            self.drills,
            self.back_translation,
            self.pseudo_labels,
        )
        return tuple(part.name for part in parts if part is not None)

    def mistakes(self) -> Iterator[Mistake]:
        """An extractor without what it needs, and a name that two parts have."""
        if self.extractor is not None and self.pages is None:
            yield Mistake(("extractor",), "the extractor reads augment.pages, which is not there")
        if self.extractor is not None and self.extractor.overlap >= self.extractor.pages:
            yield Mistake(("extractor", "overlap"), "the overlap must be smaller than `pages`")
        if self.extractor is not None and self.extractor.server is None:
            yield Mistake(("extractor", "server"), "the extractor needs a server")
        if len(set(self.names)) < len(self.names):
            yield Mistake((), f"two parts have one name ({', '.join(self.names)}); give each its own")
