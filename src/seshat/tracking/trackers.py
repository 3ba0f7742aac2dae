"""MLflow and Weights & Biases behind one small face.

Each tracker is opened for one run and told parameters, figures and small texts. What may be told at all is decided in
:mod:`seshat.tracking`; here it is only passed on, and everything that these packages would collect by themselves
(telemetry, host, console, code, installed packages) is turned off.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from seshat.core.errors import UsageError, require
from seshat.core.trust import database
from seshat.project.provenance import masked

Parameter: TypeAlias = str | int | float | bool | None
FILE_NAME = "mlflow.db"
ARTEFACTS = "mlflow-artefacts"
_BATCH = 100
"""Parameters that MLflow takes at once."""
_LONGEST = 500
"""Characters of a parameter's value that are kept."""


class Tracker(Protocol):
    """One run in one tracker."""

    id: str
    """Under which the tracker finds the run again."""

    def parameters(self, values: Mapping[str, Parameter]) -> None:
        """Settings; those that the run has already keep their value."""
        ...

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Figures at a step of the training."""
        ...

    def artefact(self, name: str, text: str) -> None:
        """A small text file."""
        ...

    def close(self, *, failed: bool = False) -> None:
        """The run has ended."""
        ...


class Mlflow:
    """A run in MLflow: a SQLite file in the project unless another store is named.

    Args:
        root: the project folder.
        uri: ``sqlite:///…`` (from the project folder), another database, or a server; default: ``models/mlflow.db``.
        experiment: name of the experiment, made when it is not there.
        name: name of the run.
        run_id: a run to go on with; a new one when it is not there any more.

    Raises:
        MissingPackage: MLflow or the database packages are not installed.
        UsageError: the store cannot be used.
    """

    def __init__(self, root: Path, uri: str | None, experiment: str, name: str, run_id: str | None = None) -> None:
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # seven take minutes
        for package in ("sqlalchemy", "alembic", "mlflow"):
            require(package, extra="track", purpose="tracking.report_to: mlflow")
        from mlflow import MlflowClient

        place = database(uri or f"sqlite:///models/{FILE_NAME}", root)
        try:
            with _quietly():
                self._client = MlflowClient(tracking_uri=place)
                self.id = self._open(run_id) or self._create(root, place, experiment, name)
        except Exception as error:
            raise UsageError(
                f"tracking.uri: MLflow cannot use {masked(place)}: {first_line(error)}",
                "Use a database (sqlite:///models/mlflow.db), or the address of a server that answers.",
            ) from error

    def _open(self, run_id: str | None) -> str | None:
        from mlflow.exceptions import MlflowException

        if run_id is None:
            return None
        try:
            self._client.update_run(run_id, status="RUNNING")
        except MlflowException:  # deleted, or another store
            return None
        return run_id

    def _create(self, root: Path, place: str, experiment: str, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(experiment)
        if found is None:
            local = (root / "models" / ARTEFACTS).as_uri() if place.startswith("sqlite:") else None
            try:
                number = self._client.create_experiment(experiment, artifact_location=local)
            except MlflowException:  # another process was quicker
                number = self._client.get_experiment_by_name(experiment).experiment_id
        else:
            number = found.experiment_id
        return str(self._client.create_run(number, run_name=name).info.run_id)

    def parameters(self, values: Mapping[str, Parameter]) -> None:
        """Settings; a value that MLflow has already cannot be changed there."""
        from mlflow.entities import Param

        with _quietly():
            known = self._client.get_run(self.id).data.params
            fresh = [Param(_key(name), str(value)[:_LONGEST]) for name, value in values.items()]
            fresh = [one for one in fresh if one.key not in known]
            for start in range(0, len(fresh), _BATCH):
                self._client.log_batch(self.id, params=fresh[start : start + _BATCH])

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Figures at a step."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        with _quietly():
            self._client.log_batch(self.id, metrics=[Metric(_key(name), x, now, step) for name, x in values.items()])

    def artefact(self, name: str, text: str) -> None:
        """A text file among the artefacts of the run."""
        with _quietly():
            self._client.log_text(self.id, text, name)

    def close(self, *, failed: bool = False) -> None:
        """The run has ended."""
        with _quietly():
            self._client.set_terminated(self.id, "FAILED" if failed else "FINISHED")


class Wandb:
    """A run in Weights & Biases, kept below ``models/wandb`` until somebody runs ``wandb sync``.

    It goes over the network only when the environment says so (``WANDB_MODE=online``).

    Raises:
        MissingPackage: W&B is not installed.
    """

    def __init__(self, root: Path, experiment: str, name: str, run_id: str | None = None) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        package: Any = require("wandb", extra="wandb", purpose="tracking.report_to: wandb")
        folder = root / "models"
        folder.mkdir(parents=True, exist_ok=True)
        running = package.run
        if running is not None and running.id == run_id:
            self._run = running
        else:
            self._run = package.init(
                project=re.sub(r"[/\\#?%:]", "-", experiment),
                name=name,
                id=run_id,
                resume="allow",
                dir=str(folder),
                mode=os.environ.get("WANDB_MODE", "offline"),
                settings=package.Settings(
                    silent=True,
                    console="off",
                    host="",
                    disable_git=True,
                    disable_code=True,
                    save_code=False,
                    x_disable_meta=True,
                    x_disable_stats=True,
                    x_disable_machine_info=True,
                    x_save_requirements=False,
                ),
            )
            self._run.define_metric("*", step_metric="step")
        self._package = package
        self.id = str(self._run.id)

    def parameters(self, values: Mapping[str, Parameter]) -> None:
        """Settings of the run."""
        self._run.config.update(dict(values), allow_val_change=True)

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Figures at a step."""
        self._run.log({**values, "step": step})

    def artefact(self, name: str, text: str) -> None:
        """A text file as an artefact of the run."""
        made = self._package.Artifact(re.sub(r"[^\w.-]", "-", f"{self.id}-{Path(name).stem}"), type="seshat")
        with made.new_file(name, mode="w", encoding="utf-8") as stream:
            stream.write(text)
        self._run.log_artifact(made)

    def close(self, *, failed: bool = False) -> None:
        """The run has ended."""
        self._run.finish(exit_code=1 if failed else 0)


@contextmanager
def _quietly() -> Any:
    """MLflow's use of SQLAlchemy warns about itself, and its database tools log to the terminal."""
    import logging

    loggers = [logging.getLogger(name) for name in ("mlflow.store.db.utils", "alembic")]
    before = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)


def _key(name: str) -> str:
    """A name that MLflow takes: chrF++ is ``chrfpp`` there."""
    return re.sub(r"[^\w\-. :/]", "_", name.replace("+", "p"))


def first_line(error: Exception) -> str:
    """What an error says, in a line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
