"""Treebanks in CoNLL-U: one segment for each sentence, translations from its comments, glosses from its last column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import regex

from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records, sentence
from seshat.formats.units import Hint, Names, Unit, Word

_COMMENT = regex.compile(r"#\s*(?P<key>[\w.:\[\]-]+(?: id)?)\s*=\s*(?P<value>.*)")
_COLUMNS = 10
_FIELDS = {
    "form": "gloss.words", "misc.MSeg": "gloss.morphemes", "misc.MGloss": "gloss.glosses",
    "misc.Gloss": "gloss.glosses", "speaker": "speaker", "speaker_id": "speaker", "genre": "genre",
}  # fmt: skip


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read treebanks."""
    yield from records(paths, context, units, propose)


def units(path: Path, context: Context, _names: Names) -> Iterator[Unit | Reject]:
    """The sentences of a file."""
    document, found = "", []
    for number, raw, reason in context.lines(path):
        if reason is not None:
            yield context.reject(path, number, reason, raw)
        elif raw.strip():
            found.append((number, raw))
        if not raw.strip() or len(found) > 20_000:
            document, unit, rejects = _unit(found, document, path, context)
            yield from rejects
            found = []
            if unit is not None:
                yield unit
    document, unit, rejects = _unit(found, document, path, context)
    yield from rejects
    if unit is not None:
        yield unit


def _unit(
    lines: list[tuple[int, str]], document: str, path: Path, context: Context
) -> tuple[str, Unit | None, list[Reject]]:
    """One sentence; the document that it stands in; lines that are no tokens."""
    if not lines:
        return document, None, []
    unit, rejects = Unit(lines[0][0]), []
    covered = 0
    spoken: list[str] = []
    for number, raw in lines:
        if raw.startswith("#"):
            match = _COMMENT.fullmatch(raw.rstrip())
            key, value = (match["key"], match["value"].strip()) if match else ("comment", raw.lstrip("# ").strip())
            if key in {"newdoc", "newdoc id"}:
                document = value
            elif key == "sent_id":
                unit.key = value
            elif value:
                unit.parts.append((key, value))
            continue
        cells = raw.split("\t")
        if len(cells) != _COLUMNS:
            rejects.append(context.reject(path, number, f"{len(cells)} columns where CoNLL-U has {_COLUMNS}", raw))
            continue
        first, _, last = cells[0].partition("-")
        if last.isdecimal():
            covered = int(last)
        elif "." in first or (first.isdecimal() and int(first) <= covered):
            continue  # an empty node, or a part of the token before
        misc = dict(one.partition("=")[::2] for one in cells[9].split("|") if "=" in one)
        word = {"form": cells[1], "lemma": cells[2], "upos": cells[3], "xpos": cells[4], "feats": cells[5]}
        word |= {f"misc.{name}": value for name, value in misc.items() if name != "SpaceAfter"}
        unit.words.append(Word({name: value for name, value in word.items() if value not in {"_", ""}}))
        glue = spoken and spoken[-1].endswith("\0")
        spoken[-1:] = [spoken[-1].rstrip("\0") + cells[1]] if glue else [*spoken[-1:], cells[1]]
        if misc.get("SpaceAfter") == "No":
            spoken[-1] += "\0"
    unit.document = document
    if spoken and not any(name == "text" for name, _value in unit.parts):
        unit.parts.append(("text", sentence([one.rstrip("\0") for one in spoken])))
    return document, unit, rejects


def propose(name: str, _hint: Hint, names: Names) -> str | None:
    """The field of a comment (``text``, ``text_en``) or of a column."""
    if name == "text":
        return names.own
    if name.startswith(("text_", "translation_")):
        return names.language(name.partition("_")[2])
    return _FIELDS.get(name)
