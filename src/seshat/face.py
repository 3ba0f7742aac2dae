"""What Python programs and notebooks use of Seshat; see :mod:`seshat` for an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from seshat.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from types import TracebackType

    import pandas
    import polars

    from seshat.config import Config, Direction
    from seshat.core.records import Document, Entry, Segment
    from seshat.inference.chain import Chain
    from seshat.pipeline.engine import Outcome, Status
    from seshat.project.folder import Project

Folder = str | Path
What = Literal["segments", "entries", "documents", "train", "validation", "test", "monolingual", "lexicon"]


@dataclass(frozen=True)
class Opened:
    """A language project; made by :func:`open`."""

    project: Project = field(repr=False)

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.project.root

    @property
    def config(self) -> Config:
        """Its configuration, profiles and overrides put together."""
        return self.project.config

    @property
    def directions(self) -> tuple[str, ...]:
        """What it can translate: into the pivot, and out of it; nothing where a language is alone."""
        return tuple(str(way) for way in self.config.project.directions)

    def run(self, until: str | None = None) -> list[Outcome]:
        """Bring every stage up to date, as ``seshat run`` does; only what changed is done.

        Args:
            until: the last stage; default: all.

        Returns:
            The outcome of each stage, with its summary.

        Raises:
            UsageError: there is no such stage.
            ProjectBusy: another run is working in the project.
            SeshatError: what the stages say.
        """
        from seshat.pipeline.engine import engine

        with engine(self.project) as running:
            return list(running.update(until))

    def status(self) -> list[Status]:
        """What a run would do, and why."""
        from seshat.pipeline.engine import engine

        with engine(self.project) as running:
            return running.status()

    def read(self, what: What) -> Records:
        """The records of the project: :func:`read`."""
        return read(self, what)

    def load(self, direction: str | None = None, model: str | None = None) -> Loaded:
        """A translator of the project: :func:`load`."""
        return load(self, direction, model=model)


def open(folder: Folder = ".", profiles: Sequence[str] = (), overrides: Sequence[str] = ()) -> Opened:  # noqa: A001
    """Open a project.

    Args:
        folder: the project folder, or one inside it.
        profiles: names of files below ``profiles/`` that are laid over ``seshat.yaml``.
        overrides: settings that win over both, as on the command line: ``"train.seed=7"``.

    Raises:
        ConfigError: there is no project, or its configuration is wrong.
    """
    from seshat.project.folder import open_project

    return Opened(open_project(Path(folder), profiles, overrides))


@dataclass(frozen=True)
class Translation:
    """A text translated; ``str()`` of it is the translation."""

    source: str
    text: str
    score: float
    """Of the model: the higher the better, comparable within one model."""
    alternatives: tuple[str, ...] = ()
    """Other translations, best first, where they were asked for."""
    changes: tuple[str, ...] = ()
    """What post-processing changed."""

    def __str__(self) -> str:
        return self.text


class Loaded:
    """A translator for one direction; made by :func:`load`. Let go of it with :meth:`close` or a ``with`` block."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    @property
    def direction(self) -> Direction:
        """From what into what."""
        return self._chain.direction

    @property
    def name(self) -> str:
        """Of the model."""
        return self._chain.name

    def translate(self, texts: Iterable[str] | str, n_best: int = 1) -> list[Translation]:
        """Translate texts as ``seshat translate`` does: by the same chain, post-processing included.

        Args:
            texts: of one document, in its order: a model that reads the sentences before a text gets them. One text
                may be given by itself.
            n_best: how many translations of each; those after the first are ``alternatives``.
        """
        from seshat.inference.batch import in_order, translate_all
        from seshat.prompt.request import document

        requests = list(document([texts] if isinstance(texts, str) else texts, n_best))
        found = in_order(translate_all(self._chain, requests), len(requests))
        return [
            Translation(
                request.text,
                one.text,
                one.score,
                tuple(other.text for other in one.others),
                one.changes,
            )
            for request, one in zip(requests, found, strict=True)
        ]

    def close(self) -> None:
        """Let go of what the model holds: memory, processes."""
        self._chain.close()

    def __enter__(self) -> Loaded:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load(source: Opened | Folder, direction: str | None = None, *, model: str | None = None) -> Loaded:
    """Open a translator.

    Args:
        source: a project, its folder, or the folder of a model (``models/NAME``, an export).
        direction: such as ``"shp-es"``; default: into the pivot, or the only one that the model has.
        model: which model of a project; default: the one that its configuration names.

    Raises:
        UsageError: the model does not translate in this direction.
        DataError: there is no such model, or it is damaged.
    """
    if not isinstance(source, Opened):
        folder = Path(source)
        from seshat.project.manifest import is_model

        if is_model(folder):
            from seshat.inference.load import load_translator
            from seshat.project.manifest import Manifest

            manifest = Manifest.read(folder)
            way = _direction(direction, manifest.directions, manifest.languages, str(folder))
            return Loaded(load_translator(folder, way))
        source = open(folder)
    from seshat.inference.opening import open_chain

    languages = source.config.project.pair
    way = _direction(direction or source.directions[0], source.directions, languages, str(source.root))
    return Loaded(open_chain(source.project, model, way))


def _direction(wanted: str | None, offered: Sequence[str], languages: Iterable[str], where: str) -> Direction:
    """The direction that is meant; language tags have hyphens themselves, so the tags are put together, not parted."""
    from seshat.config import Direction

    if wanted is None and len(offered) == 1:
        wanted = offered[0]
    for way in (Direction(*pair) for pair in permutations(languages, 2)):
        if str(way) == wanted and wanted in offered:
            return way
    raise UsageError(f"{where}: it translates {', '.join(offered)}, not {wanted or 'one alone'}.", "Name one of these.")


class Records(Iterable["Segment | Entry | Document"]):
    """The records of a stage that the project may use; made by :func:`read`. Can be gone through again and again."""

    def __init__(self, project: Project, path: Path, kind: type[Any]) -> None:
        self._project, self._path, self._kind = project, path, kind

    def __iter__(self) -> Iterator[Any]:
        return self._project.gate.read(self._path, self._kind)

    def rows(self) -> Iterator[dict[str, Any]]:
        """A flat dictionary per record: languages (``text.es``) and what is known of it (``meta.source``)."""
        for record in self:
            row: dict[str, Any] = {}
            for key, value in record.model_dump(mode="json").items():
                inner = {"texts": "text", "meta": "meta"}.get(key)
                row |= {f"{inner}.{name}": one for name, one in value.items()} if inner else {key: value}
            yield row

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame of :meth:`rows` (needs pandas)."""
        from seshat.core.errors import require

        return require("pandas", extra="frames", purpose="A data frame").DataFrame(list(self.rows()))

    def to_polars(self) -> polars.DataFrame:
        """A data frame of :meth:`rows` (needs polars)."""
        from seshat.core.errors import require

        frames = require("polars", extra="frames", purpose="A data frame")
        return frames.DataFrame(list(self.rows()), infer_schema_length=None, strict=False)


def read(source: Opened | Folder, what: What) -> Records:
    """The records of a project, as far as its access level and purposes allow.

    Args:
        source: a project or its folder.
        what: ``segments``, ``entries`` or ``documents`` as they were cleaned; ``train``, ``validation``, ``test``,
            ``monolingual`` or ``lexicon`` as they are trained on and measured.

    Raises:
        UsageError: there are no such records.
        DataError: the stage that writes them has not run yet.
    """
    from seshat.core.records import Document, Entry, Segment

    project = (source if isinstance(source, Opened) else open(source)).project
    kinds: dict[str, type[Any]] = {"entries": Entry, "lexicon": Entry, "documents": Document}
    cleaned = ("segments", "entries", "documents")
    trained = ("train", "validation", "test", "monolingual", "lexicon")
    if what not in (*cleaned, *trained):
        raise UsageError(f"There are no records '{what}'.", f"There are: {', '.join((*cleaned, *trained))}.")
    stage, folder = ("clean", project.cleaned) if what in cleaned else ("format", project.training)
    path = folder / f"{what}.jsonl"
    if not path.exists():
        raise DataError(f"{path}: it is not there yet; {stage} writes it.", f'project.run(until="{stage}")')
    return Records(project, path, kinds.get(what, Segment))


@dataclass(frozen=True)
class Score:
    """One score with its interval of 95 % (bootstrap) and its recipe."""

    value: float
    low: float
    high: float
    signature: str
    """As sacreBLEU writes it."""

    def __str__(self) -> str:
        return f"{self.value:.1f} [{self.low:.1f}-{self.high:.1f}]"


@dataclass(frozen=True)
class Evaluation:
    """The scores of translations, each 0 to 100, by name: ``bleu``, ``chrf2``, ``chrf++``, ``geomean``, and others."""

    scores: dict[str, Score]
    segments: int

    def __getitem__(self, name: str) -> Score:
        return self.scores[name]

    def __str__(self) -> str:
        from seshat.scores import LABELS

        return ", ".join(f"{LABELS.get(cast('Any', name), name)} {score}" for name, score in self.scores.items())


def evaluate(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    tokenizer: str = "auto",
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Score translations against one reference each.

    Args:
        hypotheses: translations.
        references: as many, in the same order.
        tokenizer: how BLEU cuts words, a name of sacreBLEU's; ``auto``: by characters where the references are in a
            script without spaces between words, else as WMT does (``13a``).
        resamples: for the intervals.
        seed: of the resamples.

    Raises:
        UsageError: there are none, or not as many of both.
    """
    if len(hypotheses) != len(references) or not references:
        raise UsageError(f"{len(hypotheses)} translations for {len(references)} references: give one for each.")
    from seshat.scores import METRICS
    from seshat.scores.metrics import Scorer, corpus_scores
    from seshat.scores.significance import bootstrap, interval

    scorer = Scorer(references, tokenizer)
    counts = scorer.count(hypotheses)
    resampled = bootstrap({"": counts}, resamples, seed)[""]
    signatures = scorer.signatures
    found: dict[str, Score] = {}
    for place, (name, value) in enumerate(zip(METRICS, corpus_scores(counts), strict=True)):
        low, high = interval(resampled[:, place])
        found[name] = Score(value, low, high, signatures[name])
    return Evaluation(found, len(references))
