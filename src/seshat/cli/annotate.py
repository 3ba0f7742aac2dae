"""``annotate``: suggestions of a model, written into a copy of an ELAN, FLEx or Toolbox file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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


UNKNOWN = "???"
"""The gloss of a word that training has not seen."""


def add(app: typer.Typer) -> None:
    """Add this command to the program."""
    verb(
        app, "annotate", help="Write suggestions into a copy of an ELAN, FLEx or Toolbox file, in tiers of their own."
    )(_annotate)


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
        for one in dict.fromkeys(what or (() if given else (What.TRANSLATION,))):
            made = (
                _translations(project, segments, direction, model, notes)
                if one is What.TRANSLATION
                else _looked_up(project, segments, one, notes)
            )
            for place, suggested in made.items():
                found[place] |= suggested
        if given:
            for place, suggested in _from_file(given, segments, notes).items():
                found[place] |= suggested
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
    admitted = [place for place in places if project.gate.refusal(segments[place].meta) is None]
    if held := len(places) - len(admitted):
        notes["less open than project.max_access"] += held
    if not admitted:
        return {}
    job = Job(project, model, way)
    try:
        readable = [one for one in segments if project.gate.refusal(one.meta) is None]
        asked = of_segments([segments[place] for place in admitted], way.source, job.translator.context, readable)
        found = in_order(job.run(asked), len(asked))
    finally:
        job.close()
    return {place: {way.target: one.text} for place, one in zip(admitted, found, strict=True)}


def _looked_up(
    project: Project, segments: Sequence[Segment], what: What, notes: Counter[str]
) -> dict[int, dict[str, str]]:
    """Glosses, or words with hyphens, as training has them most often; for segments that have none."""
    from seshat.evaluation.lookup import LookUp
    from seshat.evaluation.questions import Question

    task: Literal["gloss", "segment"] = "gloss" if what is What.GLOSS else "segment"
    known = LookUp([], (one for one in project.segments("train") if one.gloss))
    found = {}
    for place, one in enumerate(segments):
        text = one.texts.get(project.config.project.language, "")
        if not text or any(word.glosses for word in one.gloss or ()):
            continue
        words = [word.form for word in one.gloss or ()] or [
            bare for word in text.split() if (bare := word.strip(".,;:!?…\"'()[]«»“”¿¡"))
        ]
        asked = [Question(str(at), task, None, word, (), "", frozenset()) for at, word in enumerate(words)]
        answers = known.answers(asked)
        if task == "gloss":
            new = [word.casefold() == answer.casefold() for word, answer in zip(words, answers, strict=True)]
            notes["words that training does not gloss"] += sum(new)
            answers = [UNKNOWN if unknown else answer for unknown, answer in zip(new, answers, strict=True)]
        found[place] = {what.value: " ".join(".".join(answer.split()) for answer in answers)}
    return found


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
