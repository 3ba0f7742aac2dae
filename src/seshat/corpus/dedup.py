"""Stage ``dedup``: documents that are the same, lines that stand everywhere, and what evaluation sets hold.

Of each cluster the first document stays and is told how many there were; the others are tagged, as are documents that
hold text of an evaluation set. Texts and what is compared of them lie in a temporary file, so that a million documents
fit into a gigabyte.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seshat.core.jsonl import cannot_read, write_json, write_jsonl
from seshat.core.progress import track
from seshat.corpus.documents import Cluster, Doc, documents
from seshat.corpus.duplicates import NEAR_CHARACTERS, TextIndex, fingerprint, normalise
from seshat.project.folder import Project
from seshat.project.stage import LANGUAGES, Stage, files

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

DUPLICATE = "dedup:duplicate"
NEAR = "dedup:near-duplicate"
EVALUATION = "dedup:evaluation"
RUN = 8
"""Words in a row that a document and an evaluation set hardly share by chance."""
_BITS = 2**64 - 1


@dataclass
class Evaluation:
    """What evaluation sets hold, as hashes: runs of words, and texts that are shorter than a run."""

    runs: set[int] = field(default_factory=set)
    texts: set[int] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Add one text of an evaluation set."""
        found = normalise(text).split()
        self.runs.update(_runs(found))
        short = " ".join(found)
        if len(found) < RUN and len(short) >= NEAR_CHARACTERS:
            self.texts.add(fingerprint(short))

    def holds(self, lines: Iterable[str]) -> bool:
        """Whether a document has eight words in a row of an evaluation set, or a line that is one of its texts."""
        if not self.runs and not self.texts:
            return False
        keys = [normalise(line) for line in lines]
        if self.texts and any(fingerprint(one) in self.texts for one in keys):
            return True
        return not self.runs.isdisjoint(_runs(" ".join(keys).split()))


def _runs(found: list[str]) -> Iterator[int]:
    return (hash(run) for run in zip(*(found[place:] for place in range(RUN)), strict=False))


class LineCounts:
    """In how many documents each line stands, as one hash for each line of each document.

    Args:
        most: documents in which a line may stand.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._hashes = array("Q")
        self._repeated: frozenset[int] = frozenset()
        self._seen: set[int] = set()

    @staticmethod
    def _keys(lines: Iterable[str]) -> list[int]:
        # Of this process alone, as runs of words: nothing of it is written.
        return [hash(line) & _BITS or 1 if len(line) >= NEAR_CHARACTERS else 0 for line in lines]

    def add(self, lines: Iterable[str]) -> None:
        """Count the lines of a document, each once."""
        self._hashes.extend(set(self._keys(lines)) - {0})

    def close(self) -> None:
        """Find the lines of too many documents."""
        import numpy as np

        found, count = np.unique(np.array(self._hashes, dtype=np.uint64), return_counts=True)
        self._repeated = frozenset(found[count >= self.most].tolist())
        self._hashes = array("Q")

    def again(self, lines: Iterable[str]) -> list[int]:
        """The places of the lines of a document that stand in many and were in an earlier one. Asked in order."""
        keys = self._keys(lines)
        places = [place for place, one in enumerate(keys) if one in self._seen]
        self._seen.update(one for one in keys if one in self._repeated)
        return places


@dataclass
class Deduplicator:
    """Finds what is the same in a stream of documents, which is read twice.

    Args:
        similarity: Jaccard similarity from which two documents are near-duplicates.
        marks: as in :func:`seshat.corpus.duplicates.normalise`.
        repeated_lines: documents in which a line may stand.
        evaluation: what evaluation sets hold.
        seed: seed of the permutations.
    """

    similarity: float
    marks: bool = True
    repeated_lines: int = 3
    evaluation: Evaluation = field(default_factory=Evaluation)
    seed: int = 0

    def __post_init__(self) -> None:
        self._index = TextIndex(1, marks=self.marks)
        self._lines = LineCounts(self.repeated_lines)

    def add(self, lines: list[str]) -> None:
        """Add a document."""
        self._index.add({"": "\n".join(lines)})
        self._lines.add(lines)

    def close(self) -> npt.NDArray[np.int64]:
        """For every document the first of its cluster, shape (documents,)."""
        self._lines.close()
        return self._index.clusters(self.similarity if self.similarity < 1.0 else None, self.seed)

    def judged(self, docs: Iterable[Doc]) -> Iterator[Cluster]:
        """The cluster of every document, and the tags that follow.

        Args:
            docs: the documents that were added, in the same order.
        """
        import numpy as np

        first = self.close()
        sizes, whole = np.bincount(first, minlength=len(first)), self._index.whole()
        names: dict[int, str] = {}
        for row, doc in enumerate(docs):
            head = int(first[row])
            if sizes[head] > 1:
                names.setdefault(head, doc.id)
            tags = []
            if head != row and not doc.fixed:
                tags.append(DUPLICATE if whole[head] == whole[row] else NEAR)
            if not doc.held_out and self.evaluation.holds(doc.lines):
                tags.append(EVALUATION)
            again = [] if doc.fixed else [doc.segments[place].id for place in self._lines.again(doc.lines)]
            yield Cluster(
                id=doc.id, cluster=names.get(head, doc.id), size=int(sizes[head]), tags=tuple(tags), lines=tuple(again)
            )


def _evaluation(project: Project) -> Evaluation:
    """The texts of the files that are named, and of what sources fix as validation or test."""
    found = Evaluation()
    for path in project.config.dedup.evaluation:
        try:
            with (project.raw / path).open(encoding="utf-8-sig", errors="replace") as stream:
                for line in stream:
                    found.add(line)
        except OSError as error:
            raise cannot_read(project.raw / path, error) from error
    return found


def run(project: Project) -> dict[str, Any]:
    """Find duplicates; writes ``clusters.jsonl`` and ``report.json`` to :attr:`Project.deduplicated`.

    Raises:
        DataError: a file of an evaluation set cannot be read.
    """
    section = project.config.dedup
    found = Deduplicator(
        section.similarity, section.marks, section.repeated_lines, _evaluation(project), project.config.project.seed
    )
    for doc in track(documents(project), "reading documents"):
        found.add(doc.lines)
        if doc.held_out:
            for line in doc.lines:
                found.evaluation.add(line)
    counts: Counter[str] = Counter()
    sizes: Counter[int] = Counter()

    def judged() -> Iterator[Cluster]:
        for cluster in found.judged(track(documents(project), "comparing documents")):
            counts.update(cluster.tags)
            counts["documents"] += 1
            counts["lines"] += len(cluster.lines)
            sizes[cluster.size] += cluster.id == cluster.cluster
            yield cluster

    write_jsonl(project.deduplicated / "clusters.jsonl", judged())
    report = {
        "documents": counts.pop("documents"),
        "repeated_lines": counts.pop("lines"),
        "tagged": dict(sorted(counts.items())),
        "clusters_by_size": {str(size): count for size, count in sorted(sizes.items()) if size > 1},
    }
    write_json(project.deduplicated / "report.json", report)
    return report


STAGE = Stage(
    name="dedup",
    module=__name__,
    version=1,
    settings=lambda _config: ("dedup", "split.exclude_tags", *LANGUAGES),
    reads=lambda project: (
        *files(project.cleaned, "segments.jsonl"),
        project.aligned / "segments.jsonl",
        *(project.raw / path for path in project.config.dedup.evaluation),
    ),
    writes=lambda project: files(project.deduplicated, "clusters.jsonl", "report.json"),
    switched_on=lambda config: config.mix.strategy is not None,
)
"""What the pipeline needs to know."""
