"""Found texts and translations as segments: the whole text, and its sentences where the two sides can be aligned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from seshat.augment.gate import Gate
from seshat.augment.made import LOW
from seshat.augment.material import Found, Material, Tally
from seshat.augment.passages import by_lines
from seshat.config.align import AlignSection, CutSection
from seshat.config.augment import PagesSection
from seshat.core.records import Document, Meta, Method, Origin, Segment
from seshat.text.words import sentences

OTHER, WHOLE, SENTENCE = "augment:other-translation", "augment:whole-text", "augment:sentence"
_ENOUGH = 30
"""Known pairs from which the words tell better where a sentence ends than line numbers, which count whole lines: on the
pages of benchmarks/extraction.py 42 % of the pairs by lines were right to the word, and 96 % by cutting."""
_EXAMPLES = 5_000
"""Known pairs, at most, that teach the cut about words."""


def pairs_of(
    found: Sequence[Found], material: Material, section: PagesSection, name: str, gate: Gate, tally: Tally
) -> Iterator[Segment]:
    """Segments of found texts, tagged by what made them and what is doubtful.

    Of several translations of one text the best is kept for training, the others are tagged: in the pivot before
    translated, then the surer.

    Args:
        found: the texts with their translation in the pivot.
        material: the project.
        section: settings.
        name: of the source.
        gate: tags what is doubtful.
        tally: counts what happens.
    """
    pivot = material.languages[1]
    best: dict[str, Found] = {}
    for one in sorted(found, key=lambda one: (one.tongue != pivot, -one.confidence, one.publication, one.page.row)):
        best.setdefault(one.id, one)
    seen: dict[str, int] = {}
    wholes: list[tuple[Found, Segment]] = []
    for one in found:
        seen[one.id] = seen.get(one.id, 0) + 1
        suffix = "" if seen[one.id] == 1 else f"-{seen[one.id]}"
        whole = _segment(one, f"{name}:{one.id}{suffix}", material, section, name, gate)
        if best[one.id] is not one:
            whole = whole.model_copy(update={"meta": whole.meta.tagged(OTHER)})
        tally.counts["texts with translation"] += 1
        tally.counts["doubtful"] += len(whole.meta.tags) > len(_own_tags(one))
        wholes.append((one, whole))
        yield whole
    for segment in _sentences(wholes, material, section, gate):
        tally.counts["sentences"] += 1
        yield segment


def _own_tags(one: Found) -> tuple[str, ...]:
    return ("augment:extracted", WHOLE, *((f"augment:from-{one.tongue}",) if one.translated else ()))


def _segment(one: Found, name: str, material: Material, section: PagesSection, source: str, gate: Gate) -> Segment:
    language, pivot = material.languages
    texts = {language: one.text, pivot: one.translation}
    page = int(one.page.number) if one.page.number.strip().isdecimal() else None
    meta = Meta(
        doc_id=one.id,
        origin=Origin(file=section.path, line=one.page.row, page=page),
        genre=section.genre,
        source=source,
        licence=section.licence,
        access=section.access,
        method=Method.MACHINE if one.translated else Method.EXTRACTED,
        score=one.confidence,
        tags=(*_own_tags(one), *gate.tags(texts)),
        extra={"publication": one.publication, "translated_from": one.tongue},
    )
    return Segment(id=name, texts=texts, meta=meta.tagged(LOW) if one.confidence < section.min_confidence else meta)


def _sentences(
    wholes: Sequence[tuple[Found, Segment]], material: Material, section: PagesSection, gate: Gate
) -> Iterator[Segment]:
    """Pairs of sentences, by the first way that fits each text."""
    if section.align == "none":
        return
    language, pivot = material.languages
    to_cut: list[Segment] = []
    to_align: list[Segment] = []
    examples = list(islice(material.pairs(), _EXAMPLES))
    trust = section.align == "lines" or (section.align == "auto" and len(examples) < _ENOUGH)
    for one, whole in wholes:
        numbered = by_lines(one.lines, one.in_pivot) if trust else []
        if len(numbered) > 1:
            for order, texts in enumerate(numbered):
                yield _part(
                    whole, order, dict(zip((language, pivot), texts, strict=True)), None, gate, section.min_confidence
                )
        elif section.align != "lines":
            own, other = (len(sentences(whole.texts[tag])) for tag in (language, pivot))
            marked = section.align == "sentences" or (section.align == "auto" and own > 1 and own * 3 >= other)
            (to_align if marked else to_cut).append(whole)
    if to_cut:
        from seshat.data.align.whole import by_cutting

        cut = CutSection(sources=(), language=language)
        by_id = {whole.id: whole for whole in to_cut}
        for part in by_cutting(to_cut, cut, material.languages, 0.0, examples):
            whole = by_id[part.id.rsplit(":", 1)[0]]
            yield _part(whole, part.meta.order or 0, part.texts, part.meta.score, gate, section.min_confidence)
    if to_align:
        yield from _aligned(to_align, examples, material, section, gate)


def _aligned(
    wholes: Sequence[Segment], examples: Sequence[Segment], material: Material, section: PagesSection, gate: Gate
) -> Iterator[Segment]:
    from seshat.data.align.stage import align_documents, segments_of

    settings = AlignSection(anchors="none", lexicon=False)
    documents = [
        Document(id=whole.id, texts={tag: tuple(sentences(text)) for tag, text in whole.texts.items()}, meta=whole.meta)
        for whole in wholes
    ]
    result = align_documents(documents, (), material.languages, settings, examples=examples)
    for whole, aligned in zip(wholes, result.documents, strict=True):
        for order, part in enumerate(segments_of(aligned, 0.0)):
            if len(part.texts) == 2:
                yield _part(whole, order, part.texts, part.meta.score, gate, section.min_confidence)


def _part(whole: Segment, order: int, texts: dict[str, str], score: float | None, gate: Gate, least: float) -> Segment:
    """A pair of sentences: as sure as its text, times how sure its alignment is; it takes its text's tags over."""
    own = whole.meta.score if whole.meta.score is not None else 1.0
    sure = round(own * (score if score is not None else 1.0), 4)
    kept = [tag for tag in whole.meta.tags if tag in (OTHER, "augment:extracted") or tag.startswith("augment:from-")]
    meta = whole.meta.model_copy(update={"order": order, "score": sure, "tags": tuple(kept)})
    meta = meta.tagged(SENTENCE, *gate.tags(texts))
    return Segment(id=f"{whole.id}:sentence-{order + 1}", texts=texts, meta=meta.tagged(LOW) if sure < least else meta)
