"""The search itself: Optuna proposes, trials are run one after the other, everything is kept in a database."""

from __future__ import annotations

import hashlib
import json
import traceback
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from seshat.config.sweep import SweepSection
from seshat.core.errors import SeshatError, UsageError, require
from seshat.core.jsonl import write_text
from seshat.core.paths import remove
from seshat.core.progress import task
from seshat.core.trust import database
from seshat.project.folder import Project
from seshat.project.provenance import masked
from seshat.scores import worse
from seshat.sweep.space import SECTIONS, Source, Values, decode, encode, grid, suggest
from seshat.sweep.trial import run_trial, trial_name
from seshat.tracking.content import data_hashes

STORAGE = "sweep.db"
HEARTBEAT, GRACE = 60, 300
"""Seconds between signs of life of a trial, and without one until another machine takes the trial over."""
INSTEAD = "instead_of"
"""Of a trial that is begun anew: the number of the one that failed or was cut off."""
log = structlog.get_logger(__name__)


class Search:
    """One search over settings, as far as it has come.

    Args:
        project: with its training files up to date.
        source: where the configuration is read from.

    Raises:
        MissingPackage: Optuna is not installed.
        UsageError: the database cannot be used.
    """

    def __init__(self, project: Project, source: Source) -> None:
        self.optuna: Any = require("optuna", extra="sweep", purpose="seshat sweep")
        self.source = source
        self.section: SweepSection = project.config.sweep
        self.seed = project.config.project.seed
        self.direction = "minimize" if self.section.metric == "loss" else "maximize"
        self.name, key = _identity(project)
        self.home = project.state / "sweep" / key
        self.worker = _worker(project.state / "sweep" / "worker")
        self.url = database(self.section.storage or f"sqlite:///reports/{STORAGE}", project.root)
        with _quietly(self.optuna):
            self.study = self._open()

    def _open(self) -> Any:
        storages = self.optuna.storages
        sqlite = {"connect_args": {"timeout": 60}} if self.url.startswith("sqlite") else None
        try:
            storage = storages.RDBStorage(
                self.url,
                engine_kwargs=sqlite,
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=storages.RetryHeartbeatStaleTrialCallback(),
            )
            return self.optuna.create_study(
                storage=storage, study_name=self.name, direction=self.direction, load_if_exists=True
            )
        except Exception as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise UsageError(
                f"sweep.storage: the database {masked(self.url)} cannot be used: {masked(first)}",
                "It is an address of SQLAlchemy, such as postgresql://name:password@host/database; "
                "leave it out for a file below reports/.",
            ) from error

    def run(self, *, retry_failed: bool = False) -> None:
        """Run trials until there are as many as were asked for, those of earlier runs and other machines included."""
        with _quietly(self.optuna):
            self._take_up_what_was_cut_off()
            if self.section.sampler == "grid":
                self._enqueue_grid()
            if retry_failed:
                self._enqueue_failed()
            most = self._most()
            with task("sweep", most) as advance:
                counted = len(self.trials())
                advance(counted)
                while self._waiting() or (self.section.sampler != "grid" and len(self.trials()) < most):
                    self.study.optimize(self._trial, n_trials=1, catch=(Exception,))
                    self._keep_the_best()
                    advance(len(self.trials()) - counted)
                    counted = len(self.trials())

    def trials(self) -> list[Any]:
        """The trials that ended, well or not, and those that run elsewhere; not those that were begun anew."""
        states = self.optuna.trial.TrialState
        found = self.study.get_trials(deepcopy=False)
        again = {one.user_attrs.get(INSTEAD) for one in found} | {one.system_attrs.get("failed_trial") for one in found}
        return [one for one in found if one.state != states.WAITING and one.number not in again]

    def best(self) -> Any | None:
        """The trial with the best score; the first one of several."""
        state = self.optuna.trial.TrialState.COMPLETE
        done = [one for one in self.trials() if one.state == state]
        return min(done, key=lambda one: (worse(one.value, self.section.metric), *_tie(one))) if done else None

    def values(self, trial: Any) -> Values:
        """The settings of a trial."""
        return decode(trial.params, self.section.parameters)

    def _most(self) -> int:
        if self.section.sampler != "grid":
            return self.section.trials
        return min(self.section.trials, len(grid(self.section.parameters)))

    def _waiting(self) -> bool:
        state = self.optuna.trial.TrialState.WAITING
        return bool(self.study.get_trials(deepcopy=False, states=(state,)))

    def _enqueue(self, values: Values, instead_of: int | None = None) -> None:
        noted = None if instead_of is None else {INSTEAD: instead_of}
        self.study.enqueue_trial(encode(values, self.section.parameters), user_attrs=noted)

    def _enqueue_grid(self) -> None:
        known = [
            decode(one.params or one.system_attrs.get("fixed_params", {}), self.section.parameters)
            for one in self.study.get_trials(deepcopy=False)
        ]
        for values in grid(self.section.parameters)[: self.section.trials]:
            if values not in known:
                self._enqueue(values)

    def _enqueue_failed(self) -> None:
        """Give trials that failed another chance."""
        for one in self.trials():
            if one.state == self.optuna.trial.TrialState.FAIL:
                self._enqueue(self.values(one), one.number)

    def _take_up_what_was_cut_off(self) -> None:
        """Trials that this folder was running when it was killed: this process holds the project, so they are dead."""
        states = self.optuna.trial.TrialState
        for one in self.study.get_trials(deepcopy=False, states=(states.RUNNING,)):
            if one.user_attrs.get("worker") == self.worker:
                self.study.tell(one.number, state=states.FAIL)
                self._enqueue(self.values(one), one.number)

    def _trial(self, trial: Any) -> float:
        """What Optuna calls: one training and its score."""
        trial.set_user_attr("worker", self.worker)
        self.study.sampler = self._sampler(trial.number)
        values = suggest(trial, self.section.parameters)
        log.info("trial", number=trial.number, **values)
        folder = self.home / trial_name(values)
        try:
            result = run_trial(self.source, self.home, values, self.section.segments)
        except KeyboardInterrupt:
            self._enqueue(values, trial.number)
            raise
        except Exception as error:
            trial.set_user_attr("reason", _reason(error))
            write_text(folder / "error.txt", traceback.format_exc())
            remove(folder / "models")
            log.warning("trial failed", number=trial.number, reason=_reason(error), details=str(folder / "error.txt"))
            raise
        trial.set_user_attr("result", {name: result[name] for name in ("scores", "directions", "seconds")})
        value = float(result["scores"][self.section.metric])
        log.info("trial done", number=trial.number, **{self.section.metric: round(value, 2)})
        return value

    def _sampler(self, number: int) -> Any:
        """Draws by the number of the trial, so that a resumed search and a second machine draw what is theirs."""
        seed = int.from_bytes(hashlib.sha256(f"{self.seed} {number}".encode()).digest()[:4], "big")
        samplers = self.optuna.samplers
        return samplers.TPESampler(seed=seed) if self.section.sampler == "tpe" else samplers.RandomSampler(seed=seed)

    def _keep_the_best(self) -> None:
        """Of the models on this machine, keep the best one: many large ones would fill the disk."""
        best = self.best()
        keep = self.home / trial_name(self.values(best)) if best is not None else None
        for folder in self.home.iterdir():
            if keep is not None and folder != keep and (keep / "models").is_dir():
                remove(folder / "models")


def _tie(trial: Any) -> tuple[float, int]:
    """Models that hardly translate yet all have a BLEU of 0: chrF2 tells them apart, and then the number."""
    return -trial.user_attrs.get("result", {}).get("scores", {}).get("chrf2", 0.0), trial.number


def _identity(project: Project) -> tuple[str, str]:
    """Name of the study, and the key of the folder of its trials.

    The folder depends on everything that a score does: settings that are not searched, data, seed. The study depends on
    what is searched besides, since Optuna wants a setting to have the same values in all trials of a study.
    """
    config = project.config.model_dump(mode="json", include={*SECTIONS, "project"})
    for name in project.config.sweep.parameters:
        _forget(config, name.split("."))
    _forget(config, ["train", "name"])
    judged = [project.config.sweep.segments, project.config.evaluate.bleu_tokenizer]
    base = _digest([config, data_hashes(project), judged])
    space = project.config.sweep.model_dump(mode="json", include={"parameters", "metric"})
    return f"{project.config.train.family}-{_digest([base, space])}", base


def _forget(tree: Any, path: Sequence[str]) -> None:
    for part in path[:-1]:
        tree = tree.get(part) if isinstance(tree, dict) else None
    if isinstance(tree, dict):
        tree.pop(path[-1], None)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def _worker(path: Path) -> str:
    """A name for this project folder, to know its own trials in a shared database by."""
    if not path.exists():
        write_text(path, uuid.uuid4().hex)
    return path.read_text(encoding="utf-8").strip()


def _reason(error: Exception) -> str:
    """Why a trial failed, for a table. An error that is not ours may quote a record: only its place is kept."""
    if isinstance(error, SeshatError):
        return str(masked(error.message))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"


@contextmanager
def _quietly(optuna: Any) -> Iterator[None]:
    """Optuna reports every trial and its experimental parts on the terminal; trials are reported here already."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
