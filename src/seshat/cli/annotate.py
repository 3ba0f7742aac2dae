"""``annotate``: suggestions of a model, written into a copy of an ELAN, FLEx or Toolbox file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seshat.cli.common import Context, verb
from seshat.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from seshat.core.records import Segment
    from seshat.formats.annotate import Suggestions
    from seshat.formats.context import Context as Reading
    from seshat.project.folder import Project


class What(StrEnum):
    """What can be suggested."""

    TRANSLATION = "translation"
    GLOSS = "gloss"
    SEGMENTATION = "segmentation"


@verb("annotate", help="Write suggestions into a copy of an ELAN, FLEx or Toolbox file, in tiers of their own.")
def _annotate(
    context: Context,
    file: Annotated[Path, typer.Argument(help="The file: .eaf, .flextext, or one of Toolbox.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The copy. Default: below reports/annotated.")
    ] = None,
    what: Annotated[
        list[What] | None, typer.Option("--with", help="What to suggest; may be repeated. Default: translation.")
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--from", help='Suggestions made elsewhere, JSON Lines: {"id": SEGMENT, "es": …, "gloss": …}.'),
    ] = None,
    direction: Annotated[str | None, typer.Option(help="Such as shp-es. Default: into the pivot.")] = None,
    model: Annotated[str | None, typer.Option(help="A folder below models/. Default: translate.model.")] = None,
) -> None:
    from seshat.core.jsonl import atomic_path
    from seshat.core.paths import inside
    from seshat.formats.annotate import annotate
    from seshat.report.terminal import summary

    project = context.open()
    target = output or project.reports / "annotated" / file.name
    if target.exists() and file.exists() and target.samefile(file):
        raise UsageError(f"--output {target} is the file itself; suggestions go into a copy.")
    notes: Counter[str] = Counter()

    def suggest(segments: Sequence[Segment]) -> list[Suggestions]:
        found: list[dict[str, str]] = [{} for _ in segments]
        wanted = set(what or (() if given else (What.TRANSLATION,)))
        made: list[dict[int, dict[str, str]]] = []
        if What.TRANSLATION in wanted:
            made.append(_translations(project, segments, direction, model, notes))
        if glosses := wanted - {What.TRANSLATION}:
            made.append(_glossed(project, segments, glosses, notes))
        if given:
            made.append(_from_file(given, segments, notes))
        for suggested in made:
            for place, texts in suggested.items():
                found[place] |= texts
        return list(found)

    with context.progress():
        made = annotate(file, _reading(project, file), suggest)
        with atomic_path(inside(target)) as temporary:
            temporary.write_bytes(made.content)
    values = {
        "file": str(target),
        "suggestions": made.written,
        "left_out": {**made.left_out, **notes},
        "notes": ["Take the mark ?? away to accept one, put the file in place of the old one, and run seshat ingest."],
    }
    context.result(values, *summary(values, title="annotate"))


def _reading(project: Project, file: Path) -> Reading:
    """How the file is read: as its source says when it lies below ``data/raw``, else as the names of its parts tell."""
    from seshat.config.ingest import Source
    from seshat.formats.context import Context as Reading
    from seshat.formats.files import find

    if not file.is_file():
        raise UsageError(f"{file}: there is no such file.")
    path, ingest = file.resolve(), project.config.ingest
    for source in ingest.sources:
        if path in (one.resolve() for one in find(project.raw, source.patterns)[0]):
            return Reading(file.parent, source, ingest, project.config.project)
    return Reading(file.parent, Source(name="annotate", path="any"), ingest, project.config.project)


def _translations(
    project: Project, segments: Sequence[Segment], wanted: str | None, model: str | None, notes: Counter[str]
) -> dict[int, dict[str, str]]:
    """Translations of the segments that have none; what the run may not use is not shown to a model."""
    from seshat.cli.translate import chosen_direction
    from seshat.inference.batch import in_order
    from seshat.inference.job import Job
    from seshat.prompt.request import of_segments

    way = chosen_direction(project, wanted)
    places = [
        place for place, one in enumerate(segments) if one.texts.get(way.source) and not one.texts.get(way.target)
    ]
    admitted = [place for place in places if project.gate.refusal(segments[place].meta, segments[place].id) is None]
    if held := len(places) - len(admitted):
        notes["less open than project.max_access"] += held
    if not admitted:
        return {}
    job = Job(project, model, way)
    try:
        readable = [one for one in segments if project.gate.refusal(one.meta, one.id) is None]
        asked = of_segments([segments[place] for place in admitted], way.source, job.translator.context, readable)
        found = in_order(job.run(asked), len(asked))
    finally:
        job.close()
    return {place: {way.target: one.text} for place, one in zip(admitted, found, strict=True)}


def _glossed(
    project: Project, segments: Sequence[Segment], wanted: Collection[What], notes: Counter[str]
) -> dict[int, dict[str, str]]:
    """Glosses and segmentation of the segments that nobody has glossed, as a glosser learns them from training."""
    from seshat.core.records import hyphenated
    from seshat.models.glossing.project import Glossed, glosser
    from seshat.models.glossing.sentences import Sentence

    language, pivot = project.config.project.pair
    asked: dict[int, Sentence] = {}
    for place, one in enumerate(segments):
        gloss = one.gloss or ()
        words = tuple(word.form for word in gloss) or _words(one.texts.get(language, ""))
        if words and not any(word.glosses for word in gloss):
            cut = tuple(word.morphemes for word in gloss) if gloss and all(word.morphemes for word in gloss) else ()
            asked[place] = Sentence(words, cut, one.texts.get(pivot, ""))
    if not asked:
        return {}
    learned = glosser(project, Glossed.of(project).training)
    found: dict[int, dict[str, str]] = {}
    for place, answer in zip(asked, learned.gloss(list(asked.values())), strict=True):
        lines = {What.GLOSS: answer.glosses, What.SEGMENTATION: answer.morphemes}
        found[place] = {
            what.value: " ".join(hyphenated(".".join(part.split()) for part in word) for word in lines[what])
            for what in wanted
        }
    if done := len(segments) - len(asked):
        notes["sentences that are glossed already"] += done
    return found


def _words(text: str) -> tuple[str, ...]:
    """The words of a sentence, without the punctuation at their ends."""
    return tuple(bare for word in text.split() if (bare := word.strip(".,;:!?…\"'()[]«»“”¿¡")))


def _from_file(path: Path, segments: Sequence[Segment], notes: Counter[str]) -> dict[int, dict[str, str]]:
    """Suggestions by the ids of the segments."""
    places = {one.id: place for place, one in enumerate(segments)}
    found: dict[int, dict[str, str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            texts = {str(what): str(text) for what, text in value.items() if what != "id"}
            place = places.get(str(value["id"]))
        except (ValueError, KeyError, AttributeError) as error:
            raise DataError(f"{path}:{number}: no suggestion: {error}.", 'Write {"id": SEGMENT, "es": "…"}.') from error
        if place is None:
            notes["ids that no segment of the file has"] += 1
        else:
            found[place] = texts
    return found
