"""Suggestions written into copies of ELAN, FLEx and Toolbox files, beside what people wrote.

Every suggestion stands in a tier, item or marker of its own (:mod:`seshat.formats.suggestions`); all other bytes of
the copy are those of the file. A unit that has such a suggestion already, open or accepted, is left alone, so that a
copy can be annotated again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.parsers.expat import ExpatError

from seshat.core.errors import DataError
from seshat.core.records import Reject, Segment
from seshat.formats import eaf, flextext, reader_name, sfm
from seshat.formats.context import Context
from seshat.formats.interlinear import segments
from seshat.formats.markers import interlinear
from seshat.formats.splice import Annotated, into_eaf, into_flextext, into_sfm
from seshat.formats.suggestions import suggested
from seshat.formats.units import Unit

Suggestions = Mapping[str, str]
"""What is suggested for one segment: a language tag (translation, transcription), ``gloss`` or ``segmentation``, and
the text."""
Suggest = Callable[[Sequence[Segment]], Sequence[Suggestions]]
"""Suggests something for each of some segments; an empty mapping where there is nothing."""

_READERS = {
    "eaf": (eaf.units, eaf.propose, "tiers"),
    "flextext": (flextext.units, flextext.propose, "tiers"),
    "sfm": (sfm.units, interlinear, "markers"),
}


def annotate(path: Path, context: Context, suggest: Suggest) -> Annotated:
    """A copy of a file with suggestions.

    Args:
        path: the file.
        context: its source: what its tiers or markers mean, and the languages.
        suggest: makes the suggestions.

    Raises:
        DataError: the file is of another kind, cannot be read to its end, or holds a lexicon.
    """
    name = reader_name(context.relative(path), context.source, path)
    if name not in _READERS:
        raise DataError(
            f"{path}: suggestions are written into ELAN, FLEx and Toolbox files; this one reads as '{name}'.",
            "Translate its texts with: seshat translate",
        )
    units, propose, setting = _READERS[name]
    found: list[tuple[Unit, Segment | None]] = []
    for unit, made in segments(path, context, units, propose, setting):
        if isinstance(made, Reject) and unit is None and name != "sfm":
            raise DataError(f"{path}: line {made.line}: {made.reason}.", "Mend the file first: it would not be whole.")
        if unit is not None:
            found.append((unit, made if isinstance(made, Segment) else None))
    known = [segment for _unit, segment in found if segment is not None]
    if not known:
        raise DataError(f"{path}: there are no sentences in it to make suggestions for.")
    answers = iter(suggest(known))
    left_out: Counter[str] = Counter()
    wanted: list[tuple[Unit, Suggestions]] = []
    for unit, segment in found:
        here = {} if segment is None else next(answers)
        there = {tag for name, _text in unit.parts if (tag := suggested(name))}
        there |= {tag for word in unit.words for name in word.parts if (tag := suggested(name))}
        kept = {}
        for what, text in here.items():
            if suggested(f"{what}@seshat") in there:
                left_out["it has a suggestion already"] += 1
            elif text.strip():
                kept[what] = " ".join(text.split())
        wanted.append((unit, kept))
    content = path.read_bytes()
    if not any(texts for _unit, texts in wanted):
        return Annotated(content, {}, dict(left_out))
    if name == "sfm":
        encoding = context.encoding(path)
        if not encoding.certain:
            raise DataError(
                f"{path}: that this file is written in {encoding.name} is a guess; nothing is written into it.",
                f"Say it in the source of the file (encoding: {encoding.name}), or save the file as UTF-8.",
            )
        return into_sfm(content, encoding, wanted, left_out)
    try:
        return (into_eaf if name == "eaf" else into_flextext)(content, wanted, left_out)
    except (ExpatError, ValueError, LookupError) as error:
        raise DataError(f"{path}: suggestions cannot be put into this file: {error}.", "Save it as UTF-8.") from error
