"""Aligns all documents of a project together: what one teaches about words helps the others.

A pass scores every bead in the band, finds the posteriors, and picks the path. From its beads the next pass learns the
share of each shape, the ratio and variance of lengths, and a word-translation table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

import numpy as np

from seshat.core.progress import track
from seshat.core.records import Entry
from seshat.data.align import links as linking
from seshat.data.align.anchors import Anchored
from seshat.data.align.beads import Bead, Block
from seshat.data.align.dynamic import Band, Floats, Integers, Posteriors, best_path, most_expected, posteriors
from seshat.data.align.length import LengthModel
from seshat.data.align.lexical import Links, Rates, Side, Vocabulary
from seshat.data.align.scoring import BELIEVED, PRIORS, Model, Text, lattice, observed_rates

_STRENGTH = 50.0
"""The shares of shapes known beforehand count as much as so many beads."""
_LEAST = 0.1
"""Posterior from which a bead teaches about words, as much as it is probable."""
_SMALL = 4
"""Most lines, both sides together, of a bead that teaches about words."""
_TELLING = 0.3
"""Weight of the words that the first path goes by."""
_COARSE = ((1, 1), (1, 2), (2, 1))
"""Shapes of the beads of the first path …"""
_NARROW = 40
"""… and how close to it, in lines, the search keeps from then on."""


MANY = 3_000
"""Lines of all documents together, on the side that has fewer."""


@dataclass(frozen=True)
class Options:
    """How to align."""

    max_gap: int = 400
    """How far from the diagonal the search looks, in lines, between anchors."""
    passes: int | None = None
    """Default: 5, and 3 where there are :data:`MANY` lines: what long documents teach about words is learned sooner,
    and more passes make the search too sure of it (5,000 lines: F1 .875 after three, .867 after five)."""
    lexical: bool = True
    """Off: lengths and priors alone."""


@dataclass(frozen=True)
class Lexicon:
    """Entries of the project, and which language is which side."""

    entries: Sequence[Entry]
    language: str
    pivot: str


class _Job:
    """One document on its way through the passes."""

    def __init__(self, anchored: Anchored, locked: Sequence[Bead], gap: int) -> None:
        self.lines = anchored.source.lines, anchored.target.lines
        self.words = tuple([linking.words_of(line) for line in side] for side in self.lines)
        self.locked = tuple(locked)
        self.blocks = split_at(anchored.blocks, self.locked)
        self.band = Band.around(self.blocks, gap)
        self.beads: list[Bead] = []
        self.likely: tuple[Integers, Floats]
        """Small beads that are not out of the question, by their lines, and how probable each is."""
        self.text: Text

    def number(self, source: Vocabulary, target: Vocabulary) -> None:
        """Turn words into numbers."""
        lengths = [np.array([len(line) for line in side], np.float64) for side in self.lines]
        blocks = [np.zeros(len(side), np.int64) for side in self.lines]
        for number, block in enumerate(self.blocks):
            blocks[0][slice(*block.source)] = number
            blocks[1][slice(*block.target)] = number
        for bead in self.locked:
            blocks[0][slice(*bead.source)] = -1
            blocks[1][slice(*bead.target)] = -2
        sides = Side.of(self.words[0], source), Side.of(self.words[1], target)
        self.text = Text(*sides, lengths[0], lengths[1], blocks[0], blocks[1])

    def run(self, model: Model) -> Posteriors:
        """One pass."""
        found = posteriors(lattice(self.text, self.band, model))
        path = [replace(bead, confidence=found.of(bead)) for bead in most_expected(found)]
        self.beads = merge(path, self.locked)
        beads, shares = found.likely(_LEAST, _SMALL)
        decided = np.array([[*bead.source, *bead.target] for bead in self.locked if bead.paired], np.int64)
        self.likely = np.concatenate([beads, decided.reshape(-1, 4)]), np.append(shares, np.ones(len(decided)))
        return found

    def narrow(self, model: Model) -> None:
        """Search only near the best path of few shapes."""
        source, target = self.text.source.telling(_TELLING), self.text.target.telling(_TELLING)
        path = best_path(lattice(replace(self.text, source=source, target=target), self.band, model, _COARSE))
        self.band = self.band.near(path, _NARROW)


def align(
    documents: Sequence[Anchored],
    locked: Sequence[Sequence[Bead]] | None = None,
    lexicon: Lexicon | None = None,
    examples: Sequence[tuple[str, str]] = (),
    options: Options | None = None,
) -> list[list[Bead]]:
    """Align documents.

    Args:
        documents: both sides of each, cut into blocks. Both sides have at least one line.
        locked: beads of each document that a person has decided.
        lexicon: the project's own lexicon.
        examples: pairs known beforehand; they teach about words.
        options: how to align.

    Returns:
        The beads of each document, in order; every line of both sides stands in exactly one.
    """
    options = options or Options()
    jobs = [
        _Job(document, beads, options.max_gap)
        for document, beads in zip(documents, locked or [()] * len(documents), strict=True)
    ]
    if not jobs:
        return []
    taught = [(linking.words_of(one), linking.words_of(other)) for one, other in examples] if options.lexical else []
    source = Vocabulary.of(chain((line for job in jobs for line in job.words[0]), (one for one, _ in taught)))
    target = Vocabulary.of(chain((line for job in jobs for line in job.words[1]), (other for _, other in taught)))
    known = _known_links(source, target, lexicon) if options.lexical else None
    length = LengthModel.start(*([line for job in jobs for line in job.lines[side]] for side in (0, 1)))
    priors = dict(PRIORS)
    links, rates = known, Rates()
    examples_of = Side.of([one for one, _ in taught], source), Side.of([other for _, other in taught], target)
    if known is not None and taught:
        links = Links.merged([known, linking.learned(target, *examples_of, np.ones(len(taught)))])
    lines = min(sum(len(job.lines[side]) for job in jobs) for side in (0, 1))
    passes = options.passes or (3 if lines >= MANY else 5)
    for number in range(passes):
        model = Model.of(priors, length, links, rates)
        counts = dict.fromkeys(PRIORS, 0.0)
        for job in track(jobs, f"aligning, pass {number + 1} of {passes}"):
            if number == 0:
                job.number(source, target)
                job.narrow(model)
            for shape, count in job.run(model).counts().items():
                counts[shape] += count
        total = sum(counts.values()) + _STRENGTH
        priors = {shape: (counts[shape] + _STRENGTH * PRIORS[shape]) / total for shape in PRIORS}
        length = length.learned(_lengths(jobs))
        if known is not None and number + 1 < passes:
            links = Links.merged([known, linking.learned(target, *_pairs(jobs, examples_of))])
            rates = observed_rates([job.text for job in jobs], [job.beads for job in jobs], links)
    return [job.beads for job in jobs]


def _known_links(source: Vocabulary, target: Vocabulary, lexicon: Lexicon | None) -> Links:
    parts = [linking.identical(source, target), linking.cognates(source, target)]
    if lexicon is not None:
        parts.append(linking.from_lexicon(lexicon.entries, lexicon.language, lexicon.pivot, source, target))
    return Links.merged(parts)


def _lengths(jobs: Sequence[_Job]) -> list[tuple[int, int]]:
    """Characters on both sides of the 1-1 beads that are believed."""
    return [
        (len(job.lines[0][bead.source[0]]), len(job.lines[1][bead.target[0]]))
        for job in jobs
        for bead in job.beads
        if bead.shape == (1, 1) and bead.confidence >= BELIEVED
    ]


def _pairs(jobs: Sequence[_Job], examples: tuple[Side, Side]) -> tuple[Side, Side, Floats]:
    """Both sides of the likely beads of all jobs and of the examples, a line for each; and how probable each is."""
    sources = [job.text.source.runs(*job.likely[0][:, :2].T) for job in jobs]
    targets = [job.text.target.runs(*job.likely[0][:, 2:].T) for job in jobs]
    weights = [*(job.likely[1] for job in jobs), np.ones(len(examples[0].totals))]
    return Side.together([*sources, examples[0]]), Side.together([*targets, examples[1]]), np.concatenate(weights)


def split_at(blocks: Sequence[Block], locked: Sequence[Bead]) -> list[Block]:
    """Cut blocks at the corners of locked beads, which win over anchors that contradict them.

    Locked beads that cross an earlier one cut nothing; their lines are still theirs.
    """
    corners: list[tuple[int, int]] = []
    rectangles: list[Bead] = []
    for bead in sorted((bead for bead in locked if bead.paired), key=lambda bead: (bead.source, bead.target)):
        if not rectangles or bead.target[0] >= rectangles[-1].target[1]:
            rectangles.append(bead)
            corners += [(bead.source[0], bead.target[0]), (bead.source[1], bead.target[1])]
    end = blocks[-1].source[1], blocks[-1].target[1]
    starts = [(block.source[0], block.target[0]) for block in blocks]
    starts = [place for place in starts if all(_beside(place, bead) for bead in rectangles)]
    cuts = sorted({(0, 0), *starts, *corners, end})
    return [Block((a, c), (b, d)) for (a, b), (c, d) in pairwise(cuts)]


def _beside(place: tuple[int, int], bead: Bead) -> bool:
    before = place[0] <= bead.source[0] and place[1] <= bead.target[0]
    return before or (place[0] >= bead.source[1] and place[1] >= bead.target[1])


def merge(path: Sequence[Bead], locked: Sequence[Bead]) -> list[Bead]:
    """Put what a person has decided in the place of the lines that the path left out for it."""
    pairs = [bead for bead in locked if bead.paired]
    mine = {line for bead in pairs for line in range(*bead.source)}
    theirs = {line for bead in pairs for line in range(*bead.target)}
    alone = {bead.key for bead in locked if not bead.paired}
    kept = [
        replace(bead, confidence=1.0, locked=True) if bead.key in alone else bead
        for bead in path
        if not mine.intersection(range(*bead.source)) and not theirs.intersection(range(*bead.target))
    ]
    return sorted([*kept, *pairs], key=_in_order)


def _in_order(bead: Bead) -> tuple[int, int, int, int]:
    return (bead.source[0], bead.target[0], bead.source[1], bead.target[1])
