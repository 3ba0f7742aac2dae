"""Subtitles (SubRip, WebVTT): one segment for each cue; with ``{lang}`` in the path, cues of the same time are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import regex

from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context
from seshat.formats.parallel import by_language

_STAMP = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = regex.compile(rf"\s*{_STAMP}\s*-->\s*{_STAMP}.*")
_VOICE = regex.compile(r"<v(?:\.[^\s>]{0,100})?\s+([^>]{1,200})>")
_TAGS = regex.compile(r"</?[a-zA-Z][^>]{0,200}>|<\d[\d:.]*>|\{\\[^}]*\}")
_NAMED = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": ""}


@dataclass(frozen=True)
class _Cue:
    line: int
    start: float
    end: float
    text: str
    speaker: str


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read the subtitles of one recording, in one language or in several."""
    own = context.source.language or context.project.language
    several = any("{lang}" in pattern for pattern in context.source.patterns)
    files = by_language(paths, context) if several else {own: paths[0]}
    merged: dict[tuple[float, float], dict[str, _Cue]] = {}
    for tag, path in files.items():
        for cue in _cues(path, context):
            if isinstance(cue, Reject):
                yield cue
            elif tag in merged.setdefault((cue.start, cue.end), {}):
                yield context.reject(path, cue.line, "a second cue at the same time", cue.text)
            else:
                merged[cue.start, cue.end][tag] = cue
    main = next(iter(files.values()))
    if not merged:
        yield context.reject(main, None, "there are no cues with text in it")
    prefix = context.prefix(main)
    for order, ((start, end), cues) in enumerate(sorted(merged.items())):
        tag, first = next(iter(cues.items()))
        if len(cues) < len(files):
            context.report(files[tag]).note("cues that do not stand at this time in every language", first.line)
        speaker = {"speaker": first.speaker} if first.speaker else {}
        meta = context.meta(
            context.relative(files[tag]), first.line, start=start, end=end, doc_id=prefix, order=order, **speaker
        )
        texts = {name: cue.text for name, cue in cues.items()}
        yield Segment(id=f"{prefix}:{order + 1}", texts=texts, meta=meta)


def _cues(path: Path, context: Context) -> Iterator[_Cue | Reject]:
    """The cues of a file; what stands outside of them is a number, a name, a note or a style."""
    report = context.report(path)
    open_cue: tuple[int, float, float, list[str]] | None = None
    for number, raw, reason in context.lines(path):
        match = _TIMES.fullmatch(raw) if reason is None else None
        if reason is not None:
            yield context.reject(path, number, reason, raw)
        elif match is not None:
            if open_cue is not None:
                yield _cue(open_cue, path, context)
            start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
            open_cue = (number, start, end, [])
        elif raw.strip() and open_cue is not None:
            open_cue[3].append(raw)
        elif open_cue is not None:
            yield _cue(open_cue, path, context)
            open_cue = None
        elif raw.strip() and not raw.strip().isdecimal() and not raw.startswith(("WEBVTT", "NOTE", "STYLE", "REGION")):
            report.note("lines outside of cues (names, notes, styles), left out", number)
    if open_cue is not None:
        yield _cue(open_cue, path, context)


def _cue(found: tuple[int, float, float, list[str]], path: Path, context: Context) -> _Cue | Reject:
    number, start, end, lines = found
    raw = " ".join(lines)
    voice = _VOICE.search(raw)
    text = _TAGS.sub("", _VOICE.sub("", raw))
    for name, sign in _NAMED.items():
        text = text.replace(name, sign)
    text = context.report(path).text(" ".join(text.split()))
    if not text:
        return context.reject(path, number, "a cue without text", raw)
    if end < start:
        return context.reject(path, number, "a cue that ends before it begins", text)
    return _Cue(number, start, end, text, voice[1].strip() if voice else "")


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, rest = (part or "0" for part in parts)
    return round(int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(rest.ljust(3, "0")) / 1000, 3)
