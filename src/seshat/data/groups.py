"""Documents that belong together, such as those of one publication: they are drawn together, or are a set by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seshat.config.project import ProjectSection
from seshat.config.split import SplitSection
from seshat.core.errors import DataError
from seshat.formats.rows import one_form
from seshat.formats.tables import side_rows


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


def read_groups(path: Path, section: SplitSection, project: ProjectSection | None = None) -> Groups:
    """Read the table that ``split.groups`` names.

    Raises:
        DataError: the table is not there or lacks a column, or a group that is asked for is not in it.
    """
    assert section.groups is not None
    columns = {"document": section.groups.document, "group": section.groups.group}
    rows = [row for _, row in side_rows(path, columns, "split.groups", project)]
    of = {one_form(row["document"]): one_form(row["group"]) for row in rows if row["group"].strip()}
    test, validation = (
        {one_form(name) for name in names} for names in (section.test_groups, section.validation_groups)
    )
    known_groups = set(of.values())
    unknown = sorted((test | validation) - known_groups)
    if unknown:
        raise DataError(
            f"{path}: there is no group '{unknown[0]}'; there are {', '.join(sorted(known_groups))}.",
            "Correct split.test_groups or split.validation_groups.",
        )
    if section.folds:
        test |= fold(of, section.folds, section.fold)
    return Groups(of, frozenset(test), frozenset(validation) - test)


def fold(of: Mapping[str, str], folds: int, number: int) -> frozenset[str]:
    """The groups of one fold: the largest group goes first, each to the fold that is smallest so far."""
    sizes = [0] * folds
    members: list[set[str]] = [set() for _ in range(folds)]
    for group, count in sorted(Counter(of.values()).items(), key=lambda item: (-item[1], item[0])):
        smallest = min(range(folds), key=lambda place: (sizes[place], place))
        sizes[smallest] += count
        members[smallest].add(group)
    return frozenset(members[number])
