"""The same text twice: among all records, and across train, validation and test."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

from seshat.core.records import Segment
from seshat.corpus.duplicates import TextIndex, fingerprint, near_leaks
from seshat.data.check.base import Check, Finding, Places, percent, place_of

_MANY = 0.2


class Duplicates(Check):
    """Segments that say the same in all their languages, and ids that stand twice."""

    name = "duplicates"

    def start(self) -> None:
        self.index = TextIndex(self.view.config.split.min_words, keep_texts=False)
        self.ids = array("Q")
        self.places: list[str] = []

    def segment(self, segment: Segment) -> None:
        self.index.add(segment.texts)
        self.ids.append(fingerprint(segment.id))
        self.places.append(place_of(segment.meta))

    def _repeats(self, keys: Any) -> Places:
        """Rows whose key stood in an earlier row."""
        import numpy as np

        _, first, where = np.unique(keys, return_index=True, return_inverse=True)
        (again,) = np.nonzero(first[where] != np.arange(len(keys)))
        shown = [f"{self.places[row]} (as {self.places[first[where[row]]]})" for row in again[:5].tolist()]
        return Places(len(again), shown)

    def findings(self) -> Iterator[Finding]:
        import numpy as np

        ids = self._repeats(np.array(self.ids, dtype=np.uint64))
        if ids.count:
            yield self.found(
                "error",
                f"{ids.count} segments have an id that another segment has.",
                ids,
                "Give the column of ids to `columns: {id: …}` only when every row has its own.",
            )
        same = self._repeats(self.index.whole())
        if same.count:
            share = percent(same.count, len(self.index))
            yield self.found(
                "warning" if same.count > _MANY * len(self.index) else "info",
                f"{same.count} segments ({share}) say the same as an earlier one; split keeps the first.",
                same,
                "Is a file read by two sources?" if same.count > _MANY * len(self.index) else "",
            )
        self.repeated = same.count

    def stats(self) -> dict[str, Any]:
        return {"segments": len(self.index), "repeated": self.repeated}


class Leaks(Check):
    """Test and validation sentences that stand in train, exactly and nearly."""

    name = "leaks"

    def start(self) -> None:
        self.rates: dict[str, dict[str, float]] = {}

    def findings(self) -> Iterator[Finding]:
        if self.view.sets is None:
            return
        import numpy as np

        settings = self.view.config.split
        index = TextIndex(settings.min_words, keep_texts=True)
        places: list[str] = []
        ends: dict[str, tuple[int, int]] = {}
        for name in ("train", "monolingual", "validation", "test"):
            start = len(index)
            for segment in self.view.set(name):
                index.add(segment.texts)
                if name in ("validation", "test"):
                    places.append(place_of(segment.meta))
            ends[name] = start, len(index)
        clusters = index.clusters(settings.similarity)
        row = np.arange(len(index))
        first = ends["validation"][0]
        for held, where in (("test", "train"), ("validation", "train"), ("test", "validation")):
            mask = _between(row, ends[held])
            other = row < first if where == "train" else _between(row, ends[where])
            exact = index.exact_leaks(mask, other)
            near = near_leaks(clusters, mask, other) | exact
            named = "train or monolingual" if where == "train" and self.view.config.project.pivot else where
            yield from self._report(held, named, exact, near, places, first, int(mask.sum()))
        rates = (f"{name}: {rate['exact']:.2%} exactly, {rate['near']:.2%} nearly" for name, rate in self.rates.items())
        yield self.found("info", f"Leak rate, {'; '.join(rates)}.")

    def _report(
        self, held: str, where: str, exact: Any, near: Any, places: list[str], first: int, size: int
    ) -> Iterator[Finding]:
        import numpy as np

        rate = {"exact": float(exact.sum()) / max(1, size), "near": float(near.sum()) / max(1, size)}
        self.rates[f"{held} in {where}"] = rate
        allowed = self.view.config.split.allow_leaks
        for kind, rows in (("exactly", exact), ("nearly", near & ~exact)):
            found = [places[number - first] for number in np.flatnonzero(rows).tolist()]
            if found:
                yield self.found(
                    "warning" if allowed else "error",
                    f"{len(found)} of {size} {held} segments ({percent(len(found), size)}) stand {kind} in {where}: "
                    "scores on them measure memory.",
                    Places(len(found), found[:5]),
                    "split.allow_leaks is on; say so beside every score." if allowed else "Run `seshat split` again.",
                )

    def stats(self) -> dict[str, Any]:
        return self.rates


def _between(row: Any, ends: tuple[int, int]) -> Any:
    return (row >= ends[0]) & (row < ends[1])
