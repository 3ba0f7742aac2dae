"""The same translation over several processes or machines, through Ray Data.

Batches are cut here as they are without Ray, so that the translations are the same; every worker opens its own copy of
the model once and takes batch after batch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from seshat.core.cluster import cluster
from seshat.core.errors import SeshatError, UsageError
from seshat.inference.batch import Found, batch_size, batches, in_order, repeated, translate_all
from seshat.inference.partial import as_json, from_json
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.inference.job import Job


class _Worker:
    """Translates batches in a process of its own. What goes wrong travels back as text: not every error can."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._translator: Any = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"found": json.dumps(self._translate(json.loads(row["requests"]))), "places": row["places"]}
        except SeshatError as error:
            return {"found": json.dumps({"message": error.message, "hint": error.hint}), "places": row["places"]}

    def _translate(self, asked: list[list[Any]]) -> list[Any]:
        settings = self._job.project.config.translate
        if self._translator is None:
            self._translator = self._job.opened(workers=1)
        requests = [Request(text, before=tuple(before), n_best=n_best) for text, before, n_best in asked]
        found = translate_all(self._translator, requests, batch=settings.batch, batch_tokens=settings.batch_tokens)
        return [as_json(hypothesis) for hypothesis in in_order(found, len(requests))]


def _wanted(job: Job) -> Any:
    """How many texts the model wants at a time, and before each; asked where the model is, which may not fit here."""
    try:
        translator = job.opened(workers=1)
    except SeshatError as error:
        return {"message": error.message, "hint": error.hint}
    try:
        return [batch_size(translator), translator.context]
    finally:
        translator.close()


def _checked(answer: Any) -> Any:
    if isinstance(answer, dict):
        raise SeshatError(answer["message"], answer["hint"])
    return answer


def translate_with_ray(
    job: Job, requests: Sequence[Request], *, advance: Callable[[float], None] = lambda _amount: None
) -> Iterator[Found]:
    """Translate many texts; what :func:`seshat.inference.batch.translate_all` does, elsewhere.

    Args:
        job: model and settings; ``translate.ray`` says where.
        requests: what to translate.
        advance: is told how many texts are done.

    Yields:
        Place in ``requests`` and hypothesis, as they come.

    Raises:
        MissingPackage: Ray is not installed.
        UsageError: there is a time budget.
        SeshatError: what a worker says.
    """
    if job.seconds is not None:
        raise UsageError("A time budget is kept in one process.", "Leave --engine ray out, or the budget.")
    settings = job.project.config.translate
    if not requests:
        return
    from seshat.models.statistical.parallel import processors

    workers = settings.ray.workers or processors()
    with cluster(settings.ray.address, workers, "Translating with --engine ray") as ray:
        most, context = _checked(ray.get(ray.remote(num_gpus=_gpus(ray, 1))(_wanted).remote(job)))
        places = repeated(requests, context)
        different = list(places)
        rows = []
        for chosen in batches(different, settings.batch or most, settings.batch_tokens):
            part = [different[number] for number in chosen]
            asked = json.dumps([[one.text, one.before, one.n_best] for one in part])
            rows.append({"requests": asked, "places": json.dumps([places[one] for one in part])})
        for row in _dataset(ray, rows, job).iter_rows():
            found = _checked(json.loads(row["found"]))
            for own, one in zip(json.loads(row["places"]), found, strict=True):
                for place in own:
                    yield place, from_json(one)
                advance(len(own))


def _dataset(ray: Any, rows: list[dict[str, Any]], job: Job) -> Any:
    from ray.data import ActorPoolStrategy, DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False
    here = ray.cluster_resources()
    wanted = job.project.config.translate.ray.workers or int(here.get("GPU", 0)) or int(here.get("CPU", 1))
    count = min(wanted, len(rows))
    return ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        _Worker,
        fn_constructor_args=(job,),
        compute=ActorPoolStrategy(size=count),
        num_cpus=1,
        num_gpus=_gpus(ray, count),
    )


def _gpus(ray: Any, count: int) -> float | None:
    """The share of a GPU for each of so many workers."""
    gpus = ray.cluster_resources().get("GPU", 0)
    return min(1.0, gpus / count) if gpus else None
