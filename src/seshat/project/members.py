"""``members.txt`` of a model: a hash of each record that it was made of, so that it can say later what was in it.

Ids and texts stand there as the first 16 digits of a BLAKE2 hash, sorted, a line each: ``9f86d081884c7d65 train``.
Nobody can read a text out of it; who has the text or the id can ask. With 2^64 hashes two of a million records are
the same once in forty million models.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from seshat.core.gate import Gate
from seshat.core.jsonl import read_jsonl, write_text
from seshat.core.records import Entry, Segment

FILE = "members.txt"
_KINDS: dict[str, type[Segment] | type[Entry]] = {"lexicon": Entry}


def of_id(record: str) -> str:
    """The hash of a record's id."""
    return _hash(f"id\0{record}")


def of_text(text: str) -> str:
    """The hash of a text, whatever its case, spaces and Unicode form."""
    return _hash(f"text\0{' '.join(unicodedata.normalize('NFC', text).casefold().split())}")


def write(folder: Path, read: Iterable[Path], gate: Gate) -> None:
    """Write the hashes of the records of some files, by the name of the file that they were first in.

    Args:
        folder: of a model.
        read: what a training reads; files of records are looked into, anything else is passed over.
        gate: of the run that trained.
    """
    found: dict[str, str] = {}
    for path in read:
        path = path.with_name("lexicon.jsonl") if path.name == "messages" else path  # made of train and lexicon
        if path.suffix == ".jsonl" and path.is_file() and path.parent.name == "training":
            for value in _hashes(path, gate):
                found.setdefault(value, path.stem)
    write_text(folder / FILE, "".join(f"{value} {name}\n" for value, name in sorted(found.items())))


def copy(model: Path, export: Path) -> None:
    """Give an export the list of its model, where it has one."""
    if (model / FILE).is_file():
        write_text(export / FILE, (model / FILE).read_text(encoding="ascii"))


def look_up(folder: Path, wanted: Iterable[str]) -> dict[str, str]:
    """Which hashes are in a model, each with the file that it came from.

    Raises:
        FileNotFoundError: the model is older than this list, or somebody else made it.
    """
    known = set(wanted)
    with (folder / FILE).open(encoding="ascii") as stream:
        pairs = (line.split() for line in stream)
        return {pair[0]: pair[1] for pair in pairs if pair[0] in known}


def _hashes(path: Path, gate: Gate) -> Iterator[str]:
    kind = _KINDS.get(path.stem, Segment)
    for record in gate.passing(read_jsonl(path, kind)):
        yield of_id(record.id)
        if isinstance(record, Segment):
            yield from (of_text(text) for text in record.texts.values())
        elif isinstance(record, Entry):
            yield of_text(record.headword)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
