"""TextGrids of Praat, long and short: one segment for each interval with text in the language itself.

Both forms hold the same values in the same order, strings in quotes, numbers and flags; the words between them in the
long form say nothing more. Tiers whose intervals lie inside that of the text are its words, those with the same span
are texts beside it. Quotes that ELAN leaves around the names of tiers are taken away.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import regex

from seshat.core.errors import DataError
from seshat.core.records import Record, Reject
from seshat.formats import eaf
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.suggestions import suggested
from seshat.formats.units import Hint, Names, Unit, Word

MAX_BYTES = 50_000_000
"""A TextGrid is read as a whole; a larger one is refused."""
_TOKEN = regex.compile(
    r'"(?P<text>(?:[^"]|"")*)"|\[[\d\s]*\]|(?P<flag><\w+>)|(?<![\w"])(?P<number>[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?P<open>")'
)


@dataclass
class _Tier:
    name: str
    spans: list[tuple[float, float, str, int]] = field(default_factory=list)
    """Start, end, text, and where it stands."""


class _Broken(Exception):
    """The values end, or one is of another kind than it must be."""


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read TextGrids."""
    yield from records(paths, context, units, propose)


def units(path: Path, context: Context, names: Names) -> Iterator[Unit | Reject]:
    """The intervals with text, in the order of time."""
    if path.stat().st_size > MAX_BYTES:
        yield context.reject(path, None, f"the file is larger than {MAX_BYTES:,} bytes")
        return
    lines = []
    for number, raw, reason in context.lines(path):
        if reason is not None:
            yield context.reject(path, number, reason, raw)
        lines.append("" if reason else raw)
    text = "\n".join(lines)
    if "TextGrid" not in text[:400]:
        yield context.reject(path, None, "the file does not begin like a TextGrid")
        return
    tiers: list[_Tier] = []
    try:
        _load(text, tiers)
    except (_Broken, OverflowError) as error:
        reason = f"the TextGrid is broken here, and the rest is not read: {error}"
        yield context.unfinished(path, None, reason)
    for tier in tiers:
        names.hint(tier.name)
    yield from _units(tiers, text, names)


def header(text: str) -> tuple[float, float, int, tuple[int, int]]:
    """Start, end (seconds) and number of tiers of a TextGrid, and where that number stands in the text.

    Raises:
        DataError: it is no TextGrid, or one without tiers.
    """
    found = [match for match in _TOKEN.finditer(text[:2_000]) if match.lastgroup is not None]
    begin = next((place for place, match in enumerate(found) if match["text"] == "TextGrid"), len(found))
    kinds = [match.lastgroup for match in found[begin + 1 : begin + 5]]
    if kinds != ["number", "number", "flag", "number"]:
        raise DataError("the file does not begin like a TextGrid with tiers.")
    start, end, _flag, count = found[begin + 1 : begin + 5]
    return float(start[0]), float(end[0]), int(float(count[0])), count.span()


def _load(text: str, tiers: list[_Tier]) -> None:
    """Fill in the tiers, as far as the values go."""
    values = (match for match in _TOKEN.finditer(text) if match.lastgroup is not None)

    def value(kind: str) -> str:
        match = next(values, None)
        if match is None:
            raise _Broken("it ends too early")
        if match.lastgroup != kind:
            line = text.count("\n", 0, match.start()) + 1
            raise _Broken(f"line {line}: a {kind} is expected, found {match[0][:40]!r}")
        place[0] = match.start()
        return str(match[kind])

    place = [0]
    while value("text") != "TextGrid":
        pass
    value("number"), value("number"), value("flag")
    for _ in range(int(float(value("number")))):
        kind, name = value("text"), value("text").replace('""', '"').strip('" ') or f"tier {len(tiers) + 1}"
        while any(tier.name == name for tier in tiers):
            name += "'"
        tiers.append(_Tier(name))
        value("number"), value("number")
        for _ in range(int(float(value("number")))):
            start = float(value("number"))
            end = float(value("number")) if kind == "IntervalTier" else start
            said = value("text").replace('""', '"').strip()
            if said:
                tiers[-1].spans.append((start, end, said, place[0]))


def _units(tiers: list[_Tier], text: str, names: Names) -> Iterator[Unit]:
    """The intervals of the tiers that hold sentences, with what lies inside them."""
    main = [tier for tier in tiers if names.field(tier.name) == names.own]
    ends = [match.start() for match in regex.finditer("\n", text)]
    used: set[tuple[str, int]] = set()
    for tier in main:
        speaker = "" if suggested(tier.name) else tier.name.partition("@")[2]
        for start, end, said, at in tier.spans:
            unit = Unit(bisect_left(ends, at) + 1, parts=[(tier.name, said)], speaker=speaker, start=start, end=end)
            for other in tiers:
                if other in main or (speaker and other.name.partition("@")[2] not in {"", speaker}):
                    continue
                for span in _within(other, start, end):
                    used.add((other.name, span[3]))
                    if abs(span[0] - start) < 0.002 and abs(span[1] - end) < 0.002:
                        unit.parts.append((other.name, span[2]))
                    else:
                        unit.words.append(Word({other.name: span[2]}))
            yield unit
    for tier in tiers:
        for start, end, said, at in tier.spans:
            if tier not in main and (tier.name, at) not in used:
                yield Unit(bisect_left(ends, at) + 1, parts=[(tier.name, said)], start=start, end=end)


def _within(tier: _Tier, start: float, end: float) -> list[tuple[float, float, str, int]]:
    first = bisect_left(tier.spans, start - 0.002, key=lambda span: span[0])
    last = bisect_left(tier.spans, end, key=lambda span: span[0])
    return [span for span in tier.spans[first:last] if span[1] <= end + 0.002]


def propose(name: str, _hint: Hint, names: Names) -> str | None:
    """As for tiers of ELAN; tiers called phrase, sentence or utterance hold the language itself."""
    known = eaf.propose(name, Hint(parent=name), names)
    bare = name.partition("@")[0].strip().casefold()
    spoken = ("phrase", "sentence", "utterance", "utt", "transcription", "transcript", "text", "ortho", "orthography")
    return names.own if known is None and (bare in spoken or names.language(bare) == names.own) else known
