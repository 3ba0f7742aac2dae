"""Stage ``clean``: bring all text to the project's orthography and tag what looks wrong.

Every text goes through the normalisation profile of its language; every segment and entry through the filters. A
record is changed or tagged, never dropped. Segments that a source fixes as the test set are normalised and measured
but not tagged: a test set is scored whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp
from typing import Any

from seshat.config import Config
from seshat.config.clean import CleanSection
from seshat.core.gate import read_everything
from seshat.core.jsonl import count_lines, write_json, write_jsonl
from seshat.core.progress import track
from seshat.core.records import Document, Entry, Example, GlossedWord, Meta, Segment, Sense
from seshat.data.filters import Filters, usual_ratios
from seshat.project.folder import Project
from seshat.project.stage import LANGUAGES, RECORD_FILES, Stage, files
from seshat.text.normalise import Normaliser, profile_failures
from seshat.text.scripts import describe

OUTSIDE = "clean:outside-whitelist"
SUSPICIOUS_SHARE = 0.2
"""From this share of a source on, a tag says more about the configuration than about the records."""


class Cleaner:
    """The profiles and filters of a project, and a tally of what they did.

    Args:
        section: profiles, placeholders and thresholds.
        language: the project's language; glossed words are in it.
        scripts: language tag -> script, for the languages that give one.
        ratios: the usual length ratios (:func:`seshat.data.filters.usual_ratios`).
    """

    def __init__(
        self,
        section: CleanSection,
        language: str,
        scripts: Mapping[str, str] | None = None,
        ratios: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        self.language = language
        self.filters = Filters(section.filters, scripts or {}, ratios or {}, section.placeholders)
        self.normalisers = {tag: Normaliser(p, section.placeholders) for tag, p in section.profiles.items()}
        self.changed: dict[str, Counter[str]] = {
            tag: Counter({rule.name: 0 for rule in profile.rules}) for tag, profile in section.profiles.items()
        }
        self.tags: Counter[tuple[str, str]] = Counter()
        self.test_tags: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.outside: dict[tuple[str, str], tuple[int, str]] = {}

    def text(self, text: str, language: str, meta: Meta) -> tuple[str, bool]:
        """A normalised text, and whether a whitelist that tags found something."""
        normaliser = self.normalisers.get(language)
        if normaliser is None:
            return text, False
        result = normaliser.inspect(text, meta.source)
        for name in result.changed:
            self.changed[language][name] += 1
        for character in result.outside:
            count, first = self.outside.get((language, character), (0, str(meta.origin or "?")))
            self.outside[language, character] = (count + 1, first)
        return result.text, result.tagged

    def segment(self, segment: Segment) -> Segment:
        """A segment with normalised texts and the tags of the filters."""
        meta = segment.meta
        cleaned = {language: self.text(text, language, meta) for language, text in segment.texts.items()}
        texts = {language: text for language, (text, _) in cleaned.items()}
        tags = self.filters.of_segment(texts) + ((OUTSIDE,) if any(tagged for _, tagged in cleaned.values()) else ())
        update: dict[str, Any] = {}
        if texts != segment.texts:
            update["texts"] = texts
        if segment.gloss is not None:
            update["gloss"] = tuple(self._glossed(word, meta) for word in segment.gloss)
        if (tagged := self._tagged(meta, tags)) is not meta:
            update["meta"] = tagged
        return segment.model_copy(update=update) if update else segment

    def entry(self, entry: Entry) -> Entry:
        """An entry with every text in it normalised, tagged for its headword."""
        meta, language = entry.meta, entry.lang
        headword, outside = self.text(entry.headword, language, meta)
        tags = tuple(self.filters.of_text(headword, language)) + ((OUTSIDE,) if outside else ())
        return entry.model_copy(
            update={
                "headword": headword,
                "forms": self._all(entry.forms, language, meta),
                "senses": tuple(self._sense(sense, meta) for sense in entry.senses),
                "meta": self._tagged(meta, tags),
            }
        )

    def document(self, document: Document) -> Document:
        """A document with every line normalised; empty lines stay, the filters wait for aligned segments."""
        self.records[document.meta.source or "?"] += 1
        texts = {tag: self._all(lines, tag, document.meta) for tag, lines in document.texts.items()}
        return document.model_copy(update={"texts": texts})

    def _all(self, texts: Sequence[str], language: str, meta: Meta) -> tuple[str, ...]:
        return tuple(self.text(text, language, meta)[0] for text in texts)

    def _sense(self, sense: Sense, meta: Meta) -> Sense:
        return Sense(
            glosses={tag: self._all(glosses, tag, meta) for tag, glosses in sense.glosses.items()},
            examples=tuple(
                Example(texts={tag: self.text(text, tag, meta)[0] for tag, text in example.texts.items()})
                for example in sense.examples
            ),
        )

    def _glossed(self, word: GlossedWord, meta: Meta) -> GlossedWord:
        (form,) = self._all((word.form,), self.language, meta)
        morphemes = self._all(word.morphemes, self.language, meta)
        return word.model_copy(update={"form": form, "morphemes": morphemes})

    def _tagged(self, meta: Meta, tags: tuple[str, ...]) -> Meta:
        source = meta.source or "?"
        self.records[source] += 1
        if not tags:
            return meta
        if meta.split == "test":
            self.test_tags.update(tags)
            return meta
        self.tags.update((tag, source) for tag in tags)
        return meta.tagged(*tags)


def cleaner_for(config: Config, segments: Iterable[Segment]) -> Cleaner:
    """The cleaner of a project; reads the segments once for the usual length ratios (test sets left out)."""
    info = config.project.languages
    return Cleaner(
        config.clean,
        config.project.language,
        scripts={tag: language.script for tag, language in info.items() if language.script},
        ratios=usual_ratios(segment.texts for segment in segments if segment.meta.split != "test"),
    )


def report(cleaner: Cleaner) -> dict[str, Any]:
    """What was done, in figures: the content of ``report.json``."""
    by_tag: dict[str, dict[str, int]] = {}
    for (tag, source), count in sorted(cleaner.tags.items()):
        by_tag.setdefault(tag, {})[source] = count
    outside = sorted(cleaner.outside.items(), key=lambda item: (item[0][0], -item[1][0], item[0][1]))
    return {
        "records": dict(sorted(cleaner.records.items())),
        "rules": {tag: dict(counts) for tag, counts in cleaner.changed.items()},
        "tags": by_tag,
        "tags_withheld_from_test": dict(sorted(cleaner.test_tags.items())),
        "length_ratio": {f"{a}/{b}": round(exp(ratio), 3) for (a, b), ratio in cleaner.filters.ratios.items()},
        "outside_whitelist": [
            {"language": tag, "character": character, **_named(character), "count": count, "first": first}
            for (tag, character), (count, first) in outside
        ],
    }


def _named(character: str) -> dict[str, str]:
    code_point, _, name = describe(character).partition(" ")
    return {"code_point": code_point, "name": name}


def warnings(cleaner: Cleaner, section: CleanSection) -> list[str]:
    """What a person should look at, in plain words."""
    found = []
    for tag, profile in section.profiles.items():
        failures = profile_failures(profile, section.placeholders)
        found += [f"A test of the profile of '{tag}' fails: {failure}." for failure in failures[:3]]
        characters = [(c, *seen) for (language, c), seen in cleaner.outside.items() if language == tag]
        if characters:
            character, count, first = max(characters, key=lambda item: (item[1], item[0]))
            found.append(
                f"{len(characters)} different characters of '{tag}' are outside the orthography; most often "
                f"{describe(character)} ({count} times, first in {first}). All are in report.json."
            )
        found += [
            f"The rule '{name}' of the profile of '{tag}' changed nothing."
            for name, count in cleaner.changed[tag].items()
            if not count and any(r.name == name and r.type in ("map", "regex", "brackets") for r in profile.rules)
        ]
    for (tag, source), count in sorted(cleaner.tags.items()):
        share = count / cleaner.records[source]
        if share >= SUSPICIOUS_SHARE and cleaner.records[source] >= 20:
            found.append(f"{share:.0%} of the records of '{source}' are tagged {tag}: are its columns right?")
    return found


def run(project: Project) -> dict[str, Any]:
    """Clean what ``ingest`` wrote: ``segments``, ``entries`` and ``documents`` from ``ingest`` to ``clean``.

    Also writes ``report.json`` (see :func:`report`).
    """
    source, target = project.ingested, project.cleaned
    cleaner = cleaner_for(project.config, _segments(project, "measuring lengths"))
    counts = {
        "segments": write_jsonl(
            target / "segments.jsonl", map(cleaner.segment, _segments(project, "cleaning segments"))
        ),
        "entries": write_jsonl(
            target / "entries.jsonl", map(cleaner.entry, read_everything(source / "entries.jsonl", Entry))
        ),
        "documents": write_jsonl(
            target / "documents.jsonl", map(cleaner.document, read_everything(source / "documents.jsonl", Document))
        ),
    }
    write_json(target / "report.json", {**counts, **report(cleaner)})
    tags: Counter[str] = Counter()
    for (tag, _), count in sorted(cleaner.tags.items()):
        tags[tag] += count
    return {
        **counts,
        "tagged": dict(tags),
        "warnings": warnings(cleaner, project.config.clean),
        "report": str((target / "report.json").relative_to(project.root)),
    }


def _segments(project: Project, description: str) -> Iterator[Segment]:
    path = project.ingested / "segments.jsonl"
    return track(read_everything(path, Segment), description, count_lines(path))


STAGE = Stage(
    name="clean",
    module=__name__,
    version=2,
    settings=lambda _config: ("clean", *LANGUAGES),
    reads=lambda project: files(project.ingested, *RECORD_FILES),
    writes=lambda project: files(project.cleaned, *RECORD_FILES, "report.json"),
)
"""What the pipeline needs to know."""
