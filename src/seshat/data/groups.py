"""Documents that belong together, such as those of one publication: they are drawn together, or are a set by name."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seshat.config.split import SplitSection
from seshat.core.errors import DataError


@dataclass(frozen=True)
class Groups:
    """Document -> group, and which groups are a set."""

    of: Mapping[str, str]
    test: frozenset[str] = frozenset()
    validation: frozenset[str] = frozenset()

    def role(self, document: str | None) -> str | None:
        """``test``, ``validation``, or ``None`` where the split decides."""
        group = self.of.get(document or "")
        return "test" if group in self.test else "validation" if group in self.validation else None

    def unit(self, document: str | None) -> str:
        """What is drawn as a whole: the group of a document, or the document where it has none."""
        group = self.of.get(document or "")
        return f"document\t{document}" if group is None else f"group\t{group}"


def read_groups(path: Path, section: SplitSection) -> Groups:
    """Read the table that ``split.groups`` names.

    Raises:
        DataError: the table is not there or lacks a column, or a group that is asked for is not in it.
    """
    assert section.groups is not None
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.", "Correct split.groups.path.")
    columns = section.groups.document, section.groups.group
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            known = ", ".join(reader.fieldnames or ())
            raise DataError(f"{path}:1: there is no column '{missing[0]}'; the columns are {known}.")
        of = {row[columns[0]]: row[columns[1]].strip() for row in reader if (row[columns[1]] or "").strip()}
    known_groups = set(of.values())
    unknown = [name for name in (*section.test_groups, *section.validation_groups) if name not in known_groups]
    if unknown:
        raise DataError(
            f"{path}: there is no group '{unknown[0]}'; there are {', '.join(sorted(known_groups))}.",
            "Correct split.test_groups or split.validation_groups.",
        )
    test = frozenset(section.test_groups)
    if section.folds:
        test |= fold(of, section.folds, section.fold)
    return Groups(of, test, frozenset(section.validation_groups) - test)


def fold(of: Mapping[str, str], folds: int, number: int) -> frozenset[str]:
    """The groups of one fold: the largest group goes first, each to the fold that is smallest so far."""
    sizes = [0] * folds
    members: list[set[str]] = [set() for _ in range(folds)]
    for group, count in sorted(Counter(of.values()).items(), key=lambda item: (-item[1], item[0])):
        smallest = min(range(folds), key=lambda place: (sizes[place], place))
        sizes[smallest] += count
        members[smallest].add(group)
    return frozenset(members[number])
