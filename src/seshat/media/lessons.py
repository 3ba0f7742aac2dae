"""What reviewed pages teach: which readings stand for which letters, and how the text of the language runs.

A noisy channel (Kernighan, Church and Gale 1990, "A Spelling Correction Program Based on a Noisy Channel Model",
https://aclanthology.org/C90-2036/) over whole lines: :class:`CharacterModel` says how likely a text is, and
:class:`Channel` what a recogniser makes of each of its characters, counted in pairs of what was read and what a
person made of it. A beam search finds the best text under both. Each change is then weighed by itself: how much
likelier the line is with it than without. How much it has to be is settled by leaving each reviewed page out once,
so that on pages like those that were reviewed nothing gets worse; where nothing helps, nothing is proposed.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import regex

Pair = tuple[str, str]
"""A line as it was read, and what a person says stands there."""
Characters = tuple[str, ...]

ORDER = 6
"""Longest run of characters that is counted."""
MARGINS = (1.0, 2.0, 3.0, 4.5, 6.0, 9.0)
"""How much likelier a changed line may have to be (natural logarithm)."""
_WIDEST = 3
"""Characters of a reading that can stand for one character of the text."""
_BEAM = 10
_OVERLOOKED = 3
"""Characters that the recogniser may have overlooked, tried at each place."""
_HOPELESS = 12.0
"""How much dearer than the best a way may be and still be followed."""
_EDGE = "\n"
_STRANGE = 1e-4
"""Probability of a character that stands in no text."""
_TRUST = 8.0
"""How many sightings the belief is worth that a character is read as itself."""
_DUST = 0.05
_VARIETY = 100.0
"""About how many different characters a recogniser writes."""
_ELUSIVE = 5
"""A character that was misread more often than not, so many times, may stand behind readings never seen."""


def characters(text: str) -> list[str]:
    """Characters as readers see them, in one Unicode form: ``s`` with a diaeresis is one."""
    return regex.findall(r"\X", unicodedata.normalize("NFC", " ".join(text.split())))


class CharacterModel:
    """Runs of characters, interpolated after Witten and Bell as in :mod:`seshat.text.ngrams`.

    Args:
        lines: lines of text, cut into characters.
    """

    def __init__(self, lines: Iterable[Sequence[str]]) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        for line in lines:
            padded = [_EDGE, *line, _EDGE]
            for end in range(1, len(padded)):
                for begin in range(max(0, end - ORDER + 1), end + 1):
                    self._counts["".join(padded[begin:end])][padded[end]] += 1
        self._totals = {run: after.total() for run, after in self._counts.items()}
        self._known: dict[tuple[Characters, str], float] = {}

    def cost(self, before: Characters, character: str) -> float:
        """Minus the natural logarithm of the probability of a character.

        Args:
            before: up to ``ORDER - 1`` characters that stand before it; the edge of the line counts as one.
            character: the next one.
        """
        known = self._known.get((before, character))
        if known is not None:
            return known
        chance = _STRANGE
        for length in range(len(before) + 1):
            run = "".join(before[len(before) - length :])
            total = self._totals.get(run)
            if not total:
                break
            after = self._counts[run]
            chance = (after[character] + len(after) * chance) / (total + len(after))
        return self._known.setdefault((before, character), -math.log(chance))

    def line_cost(self, line: Sequence[str]) -> float:
        """That of a whole line, its end included."""
        padded = (_EDGE, *line, _EDGE)
        return sum(self.cost(padded[max(0, end - ORDER + 1) : end], padded[end]) for end in range(1, len(padded)))


@dataclass(frozen=True)
class Piece:
    """A character of the text and what was read for it; dust has no text, what was overlooked no reading."""

    text: str
    read: str


def aligned(read: Sequence[str], text: Sequence[str], costs: Mapping[Piece, float] | None = None) -> list[Piece]:
    """The cheapest way in which a reading can have come from a text, piece by piece.

    Args:
        read: characters that were read.
        text: characters of the text.
        costs: of pieces already known; any other costs 1 for a wrong character and about as much for each one more.
    """
    known = costs or {}
    best: dict[tuple[int, int], tuple[float, tuple[int, int], Piece]] = {(0, 0): (0.0, (0, 0), Piece("", ""))}
    for row in range(len(text) + 1):
        for column in range(len(read) + 1):
            reached = []
            for back, width in ((1, 1), (1, 2), (1, 3), (1, 0), (0, 1)):
                before = row - back, column - width
                if before in best and (row, column) != (0, 0):
                    piece = Piece("".join(text[before[0] : row]), "".join(read[before[1] : column]))
                    plain = 0.0 if piece.text == piece.read else (1.0, 1.0, 1.6, 2.4)[width]
                    reached.append((best[before][0] + known.get(piece, plain), before, piece))
            if reached:
                best[row, column] = min(reached, key=lambda one: one[0])
    pieces: list[Piece] = []
    place = len(text), len(read)
    while place != (0, 0):
        _, place, piece = best[place]
        pieces.append(piece)
    return pieces[::-1]


@dataclass
class Channel:
    """What a recogniser makes of each character: counts, smoothed so that unseen readings are possible."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Character of the text -> how often it was read as what; under the empty one, dust."""

    @classmethod
    def learn(cls, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Channel:
        """Count the pieces of pairs (read, text); a second alignment goes by what the first one counted."""
        channel, costs = cls(), dict[Piece, float]()
        for _ in range(2):
            channel = cls()
            for read, text in pairs:
                for piece in aligned(read, text, costs):
                    channel.counts[piece.text][piece.read] += 1
            costs = {
                Piece(text, read): 0.0 if text == read else min(1.5, channel.cost(text, read) / 6)
                for text, seen in channel.counts.items()
                for read in seen
            }
        return channel

    def cost(self, text: str, read: str) -> float:
        """Minus the natural logarithm of the probability that a character is read so.

        What a character was read as varies (after Witten and Bell) as much as the readings that were seen of it.
        """
        seen = self.counts.get(text) or Counter()
        total = seen.total()
        if not text:
            return -math.log((seen[read] + _DUST) / (sum(one.total() for one in self.counts.values()) + 1))
        unseen = (0.002 * _TRUST + 0.5 * len(seen)) / (total + _TRUST)
        width = max(1, len(regex.findall(r"\X", read)))
        chance = (1 - unseen) * (seen[read] + _TRUST * (text == read)) / (total + _TRUST) + unseen / _VARIETY**width
        return -math.log(chance)

    def elusive(self) -> list[str]:
        """Characters that were misread more often than not."""
        return [t for t, seen in self.counts.items() if t and seen.total() >= _ELUSIVE and 2 * seen[t] < seen.total()]


@dataclass(frozen=True)
class Proposal:
    """What probably stands where a line was read."""

    text: str
    confidence: float = 1.0
    """Of the least sure change, 0 to 1; 1 where nothing is changed."""


@dataclass(frozen=True)
class Change:
    """Pieces of a line that are changed together, and how much likelier they make it (natural logarithm)."""

    begin: int
    end: int
    gain: float


class Lessons:
    """What was learned from some reviewed lines; proposes texts of other lines.

    Args:
        pairs: lines as read and as corrected; lines that were right teach, too.
        texts: other text of the language in the same spelling, such as the words of its lexicon.
        margin: how much likelier a changed line has to be; infinite: nothing is proposed.
        weight: how much the text counts against the channel.
    """

    def __init__(
        self, pairs: Sequence[Pair], texts: Iterable[str] = (), *, margin: float = 3.0, weight: float = 0.8
    ) -> None:
        cut = [(characters(read), characters(text)) for read, text in pairs]
        self.channel = Channel.learn(cut)
        self.model = CharacterModel([*(text for _, text in cut), *map(characters, texts)])
        self.margin, self.weight = margin, weight
        self._texts: dict[str, dict[str, float]] = defaultdict(dict)
        for text, seen in self.channel.counts.items():
            for read in seen:
                self._texts[read][text] = self.channel.cost(text, read)
        self._elusive = self.channel.elusive()
        self._known: dict[str, list[tuple[str, float]]] = {}

    def propose(self, line: str) -> Proposal:
        """The likeliest text of a line."""
        if self.margin == math.inf:
            return Proposal(line)
        pieces = self._search(characters(line))
        changes = [change for change in self.changes(pieces) if change.gain > self.margin]
        return proposal(pieces, changes) if changes else Proposal(line)

    def weighed(self, line: str) -> tuple[list[Piece], list[Change]]:
        """The pieces of the likeliest text of a line, and the changes among them with their gains."""
        pieces = self._search(characters(line))
        return pieces, self.changes(pieces)

    def changes(self, pieces: Sequence[Piece]) -> list[Change]:
        """Each run of changed pieces by itself."""
        found = []
        begin = 0
        while begin < len(pieces):
            end = begin
            while end < len(pieces) and pieces[end].text != pieces[end].read:
                end += 1
            if end > begin:
                found.append(Change(begin, end, self._gain(pieces, begin, end)))
            begin = max(end, begin + 1)
        return found

    def _gain(self, pieces: Sequence[Piece], begin: int, end: int) -> float:
        before = [piece.text for piece in pieces[:begin] if piece.text]
        after = [piece.text for piece in pieces[end:] if piece.text]
        changed = [piece.text for piece in pieces[begin:end] if piece.text]
        read = characters("".join(piece.read for piece in pieces[begin:end]).replace(" ", "\u2003"))
        read = [" " if one == "\u2003" else one for one in read]
        kept = sum(self.channel.cost(one, one) for one in read)
        paid = sum(self.channel.cost(piece.text, piece.read) for piece in pieces[begin:end])
        likelier = self.model.line_cost([*before, *read, *after]) - self.model.line_cost([*before, *changed, *after])
        return kept - paid + self.weight * likelier

    def _options(self, read: str, width: int) -> list[tuple[str, float]]:
        """Texts that a piece of a reading can stand for, with their costs."""
        if read not in self._known:
            self._known[read] = self._found(read, width)
        return self._known[read]

    def _found(self, read: str, width: int) -> list[tuple[str, float]]:
        found = dict(self._texts.get(read, {}))
        if width == 1:
            found.setdefault(read, self.channel.cost(read, read))
        if width < _WIDEST and " " not in read:
            for text in self._elusive:
                found.setdefault(text, self.channel.cost(text, read))
        return list(found.items())

    def _search(self, read: Sequence[str]) -> list[Piece]:
        """The cheapest pieces of a reading; of ways with the same last characters the best is followed."""
        reached: list[dict[Characters, tuple[float, tuple[Piece, ...]]]] = [{} for _ in range(len(read) + 1)]
        reached[0][_EDGE,] = (0.0, ())
        overlooked = list(self._texts.get("", {}).items())
        for place in range(len(read)):
            beam = sorted(reached[place].items(), key=lambda one: one[1][0])[:_BEAM]
            beam = [one for one in beam if one[1][0] <= beam[0][1][0] + _HOPELESS]
            if not beam:
                continue
            (before, (cost, pieces)), *_ = beam
            added = [self._next(before, cost, pieces, Piece(text, ""), paid) for text, paid in overlooked]
            beam += sorted(added, key=lambda one: one[1][0])[:_OVERLOOKED]
            for width in range(1, min(_WIDEST, len(read) - place) + 1):
                told = "".join(read[place : place + width])
                options = self._options(told, width)
                for before, (cost, pieces) in beam:
                    for text, paid in options:
                        state, way = self._next(before, cost, pieces, Piece(text, told), paid)
                        if state not in reached[place + width] or way[0] < reached[place + width][state][0]:
                            reached[place + width][state] = way
        return list(
            min(reached[-1].items(), key=lambda one: one[1][0] + self.weight * self.model.cost(one[0], _EDGE))[1][1]
        )

    def _next(
        self, before: Characters, cost: float, pieces: tuple[Piece, ...], piece: Piece, paid: float
    ) -> tuple[Characters, tuple[float, tuple[Piece, ...]]]:
        if not piece.text:
            return before, (cost + paid, (*pieces, piece))
        total = cost + paid + self.weight * self.model.cost(before, piece.text)
        return (*before, piece.text)[1 - ORDER :], (total, (*pieces, piece))


def proposal(pieces: Sequence[Piece], changes: Iterable[Change]) -> Proposal:
    """The text of a line with some of its changes."""
    kept = list(changes)
    changed = {place for change in kept for place in range(change.begin, change.end)}
    text = "".join(piece.text if place in changed else piece.read for place, piece in enumerate(pieces))
    least = min((change.gain for change in kept), default=math.inf)
    return Proposal(" ".join(text.split()), 1 / (1 + math.exp(-least)))
