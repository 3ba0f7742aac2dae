"""What trackers are told about a training: settings, figures, a snapshot of the configuration, a few samples.

Trackers come beside ``log.jsonl`` in the model's folder, which is always written. Which ones is ``tracking.report_to``;
none by default, and those named keep to this machine unless ``tracking.uri`` or the environment sends them elsewhere.

Records that are not public never go to a tracker: no sample has one as its source or reference, none repeats one in the
translation, and neither file names below ``data/raw`` nor the words of an error are passed on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from seshat.core.errors import SeshatError
from seshat.core.jsonl import write_json
from seshat.core.processes import is_main_process
from seshat.project import manifest
from seshat.project.provenance import masked
from seshat.tracking.content import configuration, data_hashes, flat, numbers, parameters, samples
from seshat.tracking.trackers import Mlflow, Tracker, Wandb, first_line

if TYPE_CHECKING:
    from seshat.project.folder import Project
    from seshat.report.results import Evaluation
    from seshat.scores.table import Scored

log = structlog.get_logger(__name__)


class Run:
    """One training in all its trackers. A tracker that fails is told nothing more; the training goes on."""

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self.trackers = dict(trackers)

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Settings and decisions; what is nested gets names with dots."""
        self._tell(lambda tracker: tracker.parameters(flat(values)))

    def metrics(self, values: Mapping[str, Any], step: int = 0) -> None:
        """Figures at a step of the training; what is no number is left out, what is nested gets names with slashes."""
        found = numbers(values)
        if found:
            self._tell(lambda tracker: tracker.metrics(found, step))

    def artefact(self, name: str, value: Any) -> None:
        """A JSON file."""
        text = json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n"
        self._tell(lambda tracker: tracker.artefact(name, text))

    def close(self, *, failed: bool = False) -> None:
        """The training has ended, well or not. Why it failed is not told: errors quote records."""
        self._tell(lambda tracker: tracker.close(failed=failed))

    def _tell(self, say: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self.trackers.items()):
            try:
                say(tracker)
            except Exception as error:
                log.warning("a tracker failed and is told nothing more", tracker=name, error=masked(first_line(error)))
                del self.trackers[name]


def start(project: Project, run: Mapping[str, Any] | None = None) -> Run:
    """Open the trackers for a training, or go on with those of the same training if it was interrupted.

    Args:
        project: its ``train``, ``model`` and ``tracking`` sections say what is trained and who is told.
        run: what was decided for this training (device, precision …), as it stands in ``run.json``.

    Returns:
        The run; it has no trackers when none are configured, and in all but the first of several processes.

    Raises:
        MissingPackage: a tracker is not installed.
        UsageError: a tracker's store cannot be used.
    """
    settings = project.config.tracking
    if not settings.report_to or not is_main_process():
        return Run({})
    data = data_hashes(project)
    key = hashlib.sha256(json.dumps([parameters(project), data], sort_keys=True).encode()).hexdigest()
    noted = _read_notes(project)
    again = noted.get("key") == key and not noted.get("finished")
    ids: dict[str, str] = noted.get("runs", {}) if again else {}
    opened = Run(_open(project, ids))
    _write_notes(project, key, opened, finished=False)
    opened.parameters(parameters(project))
    opened.parameters({"run": {k: v for k, v in (run or {}).items() if isinstance(v, str | int | float | bool)}})
    opened.artefact("configuration.json", configuration(project))
    opened.artefact("data.json", data)
    return opened


@contextmanager
def tracked(project: Project) -> Iterator[Run]:
    """Around a training: opens its trackers, and notes there when it fails.

    The block calls :func:`finish` when it has results. After an error the run in the tracker stays open to be gone on
    with, as the training itself is.
    """
    opened = start(project)
    try:
        yield opened
    except BaseException:
        opened.close(failed=True)
        raise


def finish(project: Project, results: Mapping[str, Any]) -> None:
    """Tell the trackers how a training ended, and close its run.

    Args:
        project: the one that :func:`start` was called with.
        results: what the training reports; numbers become figures.
    """
    noted = _read_notes(project)
    opened = _again(project, noted)
    if not opened.trackers:
        return
    opened.metrics({"result": results})
    if manifest.is_model(project.model()):
        opened.artefact(manifest.FILE, manifest.Manifest.read(project.model()).model_dump(mode="json"))
    opened.close()
    _write_notes(project, noted["key"], opened, finished=True)


def callbacks(project: Project, run: Mapping[str, Any]) -> list[Any]:
    """Callbacks of the Hugging Face Trainer that pass its log on to the trackers.

    Args:
        project: the project.
        run: what was decided for this training; ``phase`` goes before the names of the figures.

    Returns:
        A list of at most one ``TrainerCallback``; empty when no tracker is configured.
    """
    opened = start(project, run)
    if not opened.trackers:
        return []
    from transformers import TrainerCallback

    phase = f"{run['phase']}/" if run.get("phase") else ""

    class Telling(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
            if state.is_world_process_zero:
                opened.metrics({f"{phase}{name}": value for name, value in (logs or {}).items()}, state.global_step)

    return [Telling()]


def add(project: Project, figures: Mapping[str, Any]) -> None:
    """Add figures to the run of a training that has ended.

    Args:
        project: the one that :func:`start` was called with.
        figures: what is no number is left out; what is nested gets names with slashes.
    """
    noted = _read_notes(project)
    opened = _again(project, noted if noted.get("finished") else {})
    if opened.trackers:
        opened.metrics(figures)
        opened.close()


def evaluated(project: Project, evaluation: Evaluation) -> None:
    """Add an evaluation to the run of the model: its scores, and sample translations of public test segments.

    Args:
        project: the project.
        evaluation: what was found.
    """
    noted = _read_notes(project)
    opened = _again(project, noted if noted.get("finished") else {})
    if not opened.trackers:
        return
    name = project.config.train.name
    measured: list[tuple[str, Sequence[Scored]]] = [
        (result.direction, result.systems) for result in evaluation.directions
    ]
    measured += [(f"{table.measure} {table.of}", table.systems) for table in evaluation.likelihood]
    for what, rows in measured:
        scores = {metric: value.score for row in rows if row.name == name for metric, value in row.scores.items()}
        opened.metrics({f"test/{what}": scores})
    opened.artefact("samples.json", samples(project, evaluation))
    opened.close()


def _open(project: Project, ids: Mapping[str, str]) -> dict[str, Tracker]:
    settings, name = project.config.tracking, project.config.train.name
    experiment = project.config.project.name
    opened: dict[str, Tracker] = {}
    for kind in settings.report_to:
        if kind == "mlflow":
            opened[kind] = Mlflow(project.root, settings.uri, experiment, name, ids.get(kind))
        else:
            opened[kind] = Wandb(project.root, experiment, name, ids.get(kind))
    return opened


def _again(project: Project, noted: Mapping[str, Any]) -> Run:
    """The run of a training that is done. A tracker that is out of reach by now is no reason to lose anything."""
    if not project.config.tracking.report_to or not is_main_process() or "runs" not in noted:
        return Run({})
    try:
        return Run(_open(project, noted["runs"]))
    except SeshatError as error:
        log.warning("the trackers are told nothing of the results", error=str(error))
        return Run({})


def _notes(project: Project) -> Path:
    """Which runs belong to which training."""
    return project.state / "tracking" / f"{project.config.train.name}.json"


def _read_notes(project: Project) -> dict[str, Any]:
    try:
        found = json.loads(_notes(project).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_notes(project: Project, key: str, run: Run, *, finished: bool) -> None:
    runs = {name: tracker.id for name, tracker in run.trackers.items()}
    write_json(_notes(project), {"key": key, "runs": runs, "finished": finished})
