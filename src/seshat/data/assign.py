"""Who goes where: the pure part of the split, on columns of numbers, one row a segment.

The unit that is drawn is a connected component of documents and near-duplicate clusters. Where such units are too
large to give the shares asked for, they are taken apart, and what then stands on both sides is left out of train:

1. components of documents joined by clusters;
2. documents (one common sentence can join every document of a collection);
3. blocks of consecutive segments (a corpus that is one document).

A unit is drawn by a hash of the seed and of what it is, never by its place in a list: test takes the smallest
hashes, validation the largest, so that new data leave nearly everything else where it was.

Shares are counted in what is left when copies are taken out and the access gate is passed: a copy goes where its pair
goes and counts nothing, as does a row that this run may not use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from seshat.corpus.minhash import components

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Hashes = npt.NDArray[np.uint64]
    Flags = npt.NDArray[np.bool_]

BLOCK = 50
"""Most consecutive segments in a block when a document has to be cut."""
FORMULAIC = 50
"""A cluster of so many rows stays whole in train when documents have to be parted: losing a few formulaic test
segments costs less than losing all of them in train."""
_TOLERANCE = 1.1
"""A unit is taken when it brings a set to no more than this multiple of its target."""
_OVERSHOOT = 2.5
"""When no unit fits, the first that is no larger than this multiple of the target is taken whole."""


class Role(IntEnum):
    """Where a row goes. The first three in order of precedence: what stands in test may not stand before it."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2
    MONOLINGUAL = 3
    LEAK = 4
    DUPLICATE = 5


NONE = -1
"""In :attr:`Rows.fixed`: the split decides."""


@dataclass
class Rows:
    """Columns, one row a segment, all of shape (rows,)."""

    fixed: Integers
    """A :class:`Role` up to TEST when the source fixes it, or :data:`NONE`."""
    paired: Flags
    """In both languages of the project; the others are monolingual."""
    drawable: Flags
    """May be drawn into validation and test: not made by a machine."""
    document: Hashes
    """Hash of the document, or of the text where there is none."""
    stratum: Integers
    """Number of the stratum, from 0."""
    whole: Hashes
    """Hash of all texts of the row."""
    access: Integers
    """Access level, 0 for public."""
    admitted: Flags
    """Passes the access gate of this run; the others fill no set."""
    cluster: Integers
    """Smallest row of the cluster."""


@dataclass
class Assignment:
    """What was decided, and what had to give way."""

    role: Integers
    """A :class:`Role` for every row."""
    level: dict[int, int] = field(default_factory=dict)
    """Stratum -> 1 when its documents were parted from their clusters, 2 when documents were cut."""
    conflicts: int = 0
    """Rows fixed by their source as train or validation that stand in a later set too."""


def assign(rows: Rows, *, validation: float, test: float, seed: int, keep_conflicts: bool) -> Assignment:
    """Decide where every row goes; of exact duplicates, train keeps the first of the most open ones.

    Args:
        rows: the segments.
        validation: share of the rows that are free to be drawn.
        test: the same for test.
        seed: seed of the draw.
        keep_conflicts: rows fixed by their source stay although they leak.
    """
    import numpy as np

    role = np.where(rows.paired, np.maximum(rows.fixed, Role.TRAIN), Role.MONOLINGUAL).astype(np.int64)
    held_out = rows.paired & (rows.fixed > Role.TRAIN)
    free = rows.paired & (rows.fixed == NONE)
    taken = np.isin(rows.cluster, rows.cluster[held_out]) | np.isin(rows.document, rows.document[held_out])
    role[free & taken] = Role.LEAK
    result = Assignment(role)
    cut = _draw(rows, free & ~taken & rows.drawable, {Role.TEST: test, Role.VALIDATION: validation}, seed, result)
    _withdraw(rows, cut, result, keep_conflicts=keep_conflicts)
    for name in _SETS:
        # A source that is the validation or test set stays as it is: figures of others were measured on its copies.
        (mine,) = np.nonzero((role == name) & ((rows.fixed == NONE) | (name == Role.TRAIN)))
        role[mine[~_first_copies(rows, mine)]] = Role.DUPLICATE
    return result


def why_empty(rows: Rows, role: Integers, name: Role) -> tuple[str, str] | None:
    """Why no admitted row is in a set: the cause and what to do, or ``None`` when there is one.

    Args:
        rows: the segments.
        role: a :class:`Role` for every row, as :func:`assign` has decided.
        name: the set.
    """
    if not rows.paired.any() or ((role == name) & rows.admitted).any():
        return None
    usable = rows.paired & rows.admitted
    (left,) = (usable & (rows.fixed == NONE) & rows.drawable).nonzero()
    distinct = int(_first_copies(rows, left).sum())
    if not usable.any():
        return (
            f"all {rows.paired.sum():,} pairs are less open than project.max_access",
            "Give the sources their `access` (one without reads as restricted), or raise project.max_access if this "
            "run may use them.",
        )
    if (rows.paired & (rows.fixed == name)).any() and name is not Role.TRAIN:
        return (
            "what its source fixes for it is less open than project.max_access, or stands in a set that goes before",
            "Give that source its `access`, raise project.max_access, or take its `split` away.",
        )
    if not len(left) and name is not Role.TRAIN:
        return (
            f"none of {usable.sum():,} pairs may be drawn: their sources fix them as another set, or a machine made "
            "them, or they are corrections",
            f"Give a source `split: {name.name.lower()}`, or set its share to 0 to do without.",
        )
    if 0 < distinct < len(_SETS):
        return (
            f"there are too few distinct pairs that may be drawn, {distinct}",
            "Add text, or set the shares of validation and test to 0 to do without.",
        )
    if name is Role.TRAIN:
        return (
            f"of {usable.sum():,} pairs all are in validation and test, or in documents and near-duplicates of what "
            "stands there",
            "Fix less as validation and test, or give the source documents (a column doc_id, `document: line`).",
        )
    if len(set(rows.cluster[left].tolist())) == 1:
        return (
            f"all {distinct:,} distinct pairs that may be drawn are near-duplicates of each other",
            "Add text, raise split.similarity, or set the share to 0 to do without.",
        )
    return (
        f"the {distinct:,} distinct pairs that may be drawn all stand in the same documents or near-duplicates as "
        "pairs of another set",
        "Give the source documents (a column doc_id, `document: line`), raise split.similarity, or set the share to 0 "
        "to do without.",
    )


_SETS = (Role.TRAIN, Role.VALIDATION, Role.TEST)


def _first_copies(rows: Rows, members: Integers) -> Flags:
    """Which of some rows stay when exact copies are taken out: the first of the most open ones."""
    import numpy as np

    order = np.argsort(rows.access[members], kind="stable")
    first = np.zeros(len(members), dtype=bool)
    first[order[np.unique(rows.whole[members][order], return_index=True)[1]]] = True
    return first


def _draw(rows: Rows, candidates: Flags, shares: dict[Role, float], seed: int, result: Assignment) -> Flags:
    """Draw validation and test from the candidates; gives the rows whose document had to be cut.

    Every stratum starts with components; where it cannot be filled, its large units are taken apart and all is drawn
    again.
    """
    import numpy as np

    cut = np.zeros(len(candidates), dtype=bool)
    (members,) = np.nonzero(candidates)
    if not len(members):
        return cut
    stratum = rows.stratum[members]
    counts = rows.admitted[members] & _first_copies(rows, members)
    targets = _targets(stratum[counts], shares)
    joined = _joined(rows, members)
    bound = rows.paired & (rows.fixed == Role.TRAIN)
    bound_documents = np.isin(rows.document[members], rows.document[bound])
    bound_rows = bound_documents | np.isin(rows.cluster[members], rows.cluster[bound])
    while True:
        level = np.array([result.level.get(number, 0) for number in stratum.tolist()])
        smallest = {
            number: min(filter(None, wanted.values()), default=len(level)) for number, wanted in targets.items()
        }
        limit = np.array([smallest.get(number, len(level)) for number in stratum.tolist()])
        units, key, parted, cut_members = _units(rows, members, counts, joined, level, limit)
        tied = np.unique(units[np.where(parted, bound_documents, bound_rows)])
        drawn = _fill(units, counts, _mix(key, seed), stratum, tied, targets)
        short = [
            number
            for number, wanted in targets.items()
            if result.level.get(number, 0) < 2
            and any((counts & (drawn == role) & (stratum == number)).sum() < size / 2 for role, size in wanted.items())
        ]
        if not short:
            break
        for number in short:
            result.level[number] = result.level.get(number, 0) + 1
    result.role[members] = drawn
    cut[members] = cut_members
    return cut


def _targets(stratum: Integers, shares: dict[Role, float]) -> dict[int, dict[Role, int]]:
    """How many rows of every stratum a set should get; a set that is asked for gets one, however small its share."""
    import numpy as np

    numbers, sizes = np.unique(stratum, return_counts=True)
    targets = {
        number: {role: round(share * size) for role, share in shares.items()}
        for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True)
    }
    for role, share in shares.items():
        if share and targets and not any(wanted[role] for wanted in targets.values()):
            targets[int(numbers[sizes.argmax()])][role] = 1
    return targets


def _joined(rows: Rows, members: Integers) -> Integers:
    """Components of the members over documents and clusters; a label per member."""
    import numpy as np

    _, document = np.unique(rows.document[members], return_inverse=True)
    _, cluster = np.unique(rows.cluster[members], return_inverse=True)
    links = np.stack([document, cluster + document.max() + 1], axis=1).astype(np.int64)
    return components(int(links.max()) + 1, links)[document]


def _units(
    rows: Rows, members: Integers, counts: Flags, joined: Integers, level: Integers, limit: Integers
) -> tuple[Integers, Hashes, Flags, Flags]:
    """The units to draw: label and key of each member's unit, which are parted from their clusters, which are cut."""
    import numpy as np

    _, document = np.unique(rows.document[members], return_inverse=True)
    parted = (level >= 1) & (np.bincount(joined, counts)[joined] > limit)
    if not parted.any():
        return np.unique(joined, return_inverse=True)[1], rows.document[members], parted, parted
    cut = parted & (level >= 2) & (np.bincount(document, counts)[document] > limit)
    size = np.clip(limit // 4, 1, BLOCK)
    block = np.where(cut, _rank(document) // size, 0)
    parts = np.stack([np.where(parted, -1, joined), np.where(parted, document, -1), block], axis=1)
    _, units = np.unique(parts, axis=0, return_inverse=True)
    key = rows.document[members] + block.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return units.reshape(-1), key, parted, cut


def _rank(groups: Integers) -> Integers:
    """Position of every row inside its group, from 0, in the order of the rows."""
    import numpy as np

    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(groups[order]) != 0])
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))
    return rank


def _fill(
    units: Integers,
    counts: Flags,
    draw: Hashes,
    stratum: Integers,
    tied: Integers,
    targets: dict[int, dict[Role, int]],
) -> Integers:
    """The role of every member: units go to test from the small end of the draw, to validation from the large end."""
    import numpy as np

    sizes = np.bincount(units, counts).astype(np.int64)
    lowest = np.full(len(sizes), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(lowest, units, draw)
    home = np.zeros(len(sizes), dtype=np.int64)
    leads = draw == lowest[units]
    home[units[leads]] = stratum[leads]
    role = np.full(len(sizes), int(Role.TRAIN))
    open_ = sizes > 0
    open_[tied] = False
    for number, wanted in targets.items():
        (here,) = np.nonzero(open_ & (home == number))
        here = here[np.argsort(lowest[here], kind="stable")]
        for which, order in ((Role.TEST, here), (Role.VALIDATION, here[::-1])):
            left = order[role[order] == Role.TRAIN]
            role[_take(left, sizes[left], wanted.get(which, 0))] = which
    return role[units]


def _take(order: Integers, sizes: Integers, target: int) -> list[int]:
    """The units, in order, that fill a set up to its target."""
    taken: list[int] = []
    filled = 0
    for unit, size in zip(order.tolist(), sizes.tolist(), strict=True):
        if filled >= target:
            return taken
        if filled + size <= target * _TOLERANCE:
            taken.append(unit)
            filled += size
    if not taken and target:
        return [u for u, size in zip(order.tolist(), sizes.tolist(), strict=True) if size <= target * _OVERSHOOT][:1]
    return taken


def _withdraw(rows: Rows, cut: Flags, result: Assignment, *, keep_conflicts: bool) -> None:
    """Take out what would leak: after this no cluster and no document that was not cut has rows in two sets.

    Test goes before validation, validation before train. The other way round only for clusters that train cannot
    spare: formulaic ones, and those with rows that their source fixes as train.
    """
    import numpy as np

    role, cluster = result.role, rows.cluster
    active = role <= Role.TEST
    loose = active & (rows.fixed == NONE)
    train = np.isin(cluster, cluster[role == Role.TRAIN])
    fixed_train = np.isin(cluster, cluster[active & (rows.fixed == Role.TRAIN)])
    formulaic = (np.bincount(cluster[active], minlength=len(role)) >= FORMULAIC)[cluster]
    role[loose & (role > Role.TRAIN) & train & (fixed_train | formulaic)] = Role.LEAK

    active = role <= Role.TEST
    behind = active & (role < _highest(role, active, cluster))
    result.conflicts = int((behind & ~loose).sum())
    role[behind & (loose | (not keep_conflicts))] = Role.LEAK

    _, document = np.unique(rows.document, return_inverse=True)
    active = role <= Role.TEST
    role[loose & active & ~cut & (role < _highest(role, active & ~cut, document))] = Role.LEAK

    active = role <= Role.TEST
    role[~rows.paired & (_highest(role, active, cluster) > Role.TRAIN)] = Role.LEAK


def _highest(role: Integers, active: Flags, group: Integers) -> Integers:
    """For every row the highest role of an active row in its group; -1 where there is none."""
    import numpy as np

    highest = np.full(len(role), NONE)
    np.maximum.at(highest, group[active], role[active])
    return highest[group]


def _mix(keys: Hashes, seed: int) -> Hashes:
    """Well-mixed hashes of keys and a seed (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    import numpy as np

    mixed = keys + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
