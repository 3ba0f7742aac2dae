"""``translate``: texts in, translations out, in order and as they come."""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seshat.cli import completion
from seshat.cli.common import Context, verb
from seshat.core.errors import DataError, UsageError
from seshat.core.jsonl import count_lines

if TYPE_CHECKING:
    from seshat.config import Direction
    from seshat.inference.confidence import Calibration, Confidence
    from seshat.inference.job import Job
    from seshat.inference.translator import Hypothesis
    from seshat.project.folder import Project
    from seshat.prompt.request import Request

_END = object()
_WORST = 10
"""Lines that are named of those that may be trusted least."""
RAY = "ray"
"""What ``--engine`` calls several processes or machines."""


@verb("translate", overrides=False, json=False, help="Translate texts, a file, or standard input.")
def _translate(
    context: Context,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts; none: standard input.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A text file (UTF-8), one text a line; - is standard input.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this file, when all is done; typed again after an end by force, goes on."
        ),
    ] = None,
    direction: Annotated[
        str | None,
        typer.Option(
            autocompletion=completion.directions,
            help="Such as shp-es. Default: from the project's language into the pivot.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A folder below models/. Default: translate.model.")] = None,
    n_best: Annotated[
        int, typer.Option(min=1, help="How many candidates; above 1 as `number ||| text ||| score`.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line: scores and alternatives too.")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(help="auto, transformers, ctranslate2, llama or server; ray: over several processes or machines."),
    ] = None,
    beams: Annotated[int | None, typer.Option(help="Beams of the search; 1 is greedy.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Draw by chance; 0 for not.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw among the likeliest that make up so much.")] = None,
    mbr: Annotated[
        bool | None, typer.Option("--mbr/--no-mbr", help="Consensus decoding. Default: translate.mbr.enabled.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Time for consensus decoding, such as 9h or 45m: decides how many candidates.")
    ] = None,
    allow_other_prompt: Annotated[
        bool, typer.Option("--allow-other-prompt", help="Ask the model as configured, though it was trained otherwise.")
    ] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Settings that win over seshat.yaml.")
    ] = None,
) -> None:
    from seshat.prompt.request import document

    if texts and file:
        raise UsageError("Give texts or --file, not both.")
    search = {"beams": beams, "temperature": temperature, "top_p": top_p}
    given: dict[str, object] = {f"translate.decoding.{key}": value for key, value in search.items()}
    given["translate.engine"] = None if engine == RAY else engine
    given["translate.mbr.enabled"] = True if budget and mbr is None else mbr
    context.overrides = [*(settings or []), *(f"{key}={value}" for key, value in given.items() if value is not None)]
    project = context.open()
    way = chosen_direction(project, direction)
    told = _Told.of(project, model, way)
    judge = _Judge.of(project, told.calibration, way) if as_json else None
    job = _job(project, model, way, allow_other_prompt, budget, engine == RAY)
    requests = document(texts or _read(file), n_best)
    in_file = file is not None and str(file) != "-"

    def show(number: int, text: str, hypothesis: Hypothesis) -> str:
        told.note(number, text, hypothesis)
        return _show(number, text, hypothesis, n_best, judge)

    with closing(job), told:
        if output is not None:
            with context.progress():
                job.into_file(requests, output, show, total=count_lines(file) if file and in_file else None)
            return
        # From a file all lines are there; from elsewhere somebody may be waiting for the first.
        parts = job.windows(requests) if texts or in_file else _batches(requests, job.batch_size)
        for number, text, hypothesis in job.stream(parts):
            sys.stdout.write(show(number, text, hypothesis))
            sys.stdout.flush()


def _job(
    project: Project,
    model: str | None,
    direction: Direction,
    allow_other_prompt: bool,
    budget: str | None,
    ray: bool,
) -> Job:
    from seshat.inference.budget import parse_duration
    from seshat.inference.job import Job

    seconds = None if budget is None else parse_duration(budget)
    return Job(project, model, direction, allow_other_prompt, seconds, ray)


def chosen_direction(project: Project, wanted: str | None) -> Direction:
    """The direction that was asked for; into the pivot when none was.

    Raises:
        UsageError: the project has no such direction.
    """
    from seshat.config import Direction

    forward = Direction(*project.config.project.pair)
    known = (forward, forward.reverse)
    if wanted is None:
        return forward
    for one in known:
        if str(one) == wanted:
            return one
    raise UsageError(f"--direction {wanted}: this project knows {' and '.join(map(str, known))}.")


def _read(file: Path | None) -> Iterator[str]:
    """The lines of a file or of standard input, without their ends.

    Raises:
        DataError: the file cannot be read, or a line is not UTF-8.
    """
    if file is None or str(file) == "-":
        yield from _decode(sys.stdin.buffer, "standard input")
        return
    try:
        with file.open("rb") as stream:
            yield from _decode(stream, str(file))
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}.") from error


def _decode(stream: Iterable[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}:{number}: not UTF-8 text.", "Convert it first, for instance: iconv -f latin1 -t utf-8"
            ) from error


def _batches(requests: Iterator[Request], size: int) -> Iterator[list[Request]]:
    """Batches of what is there already, at most ``size``: whole ones from a file, single lines from a person typing."""
    from seshat.prompt.request import Request

    waiting: queue.Queue[object] = queue.Queue(maxsize=4 * size)

    def fill() -> None:
        try:
            for request in requests:
                waiting.put(request)
        except BaseException as error:
            waiting.put(error)
        else:
            waiting.put(_END)

    threading.Thread(target=fill, daemon=True).start()
    batch: list[Request] = []
    while True:
        try:
            item = waiting.get(block=not batch)
        except queue.Empty:
            yield batch
            batch = []
            continue
        if isinstance(item, Request):
            batch.append(item)
        if batch and (len(batch) == size or not isinstance(item, Request)):
            yield batch
            batch = []
        if item is _END:
            return
        if isinstance(item, BaseException):
            raise item


@dataclass
class _Told:
    """What is said at the end about all that was translated."""

    way: Direction
    calibration: Calibration | None
    """What `seshat evaluate` learnt about how far this model may be trusted; None when it has not."""
    mended: Counter[str] = field(default_factory=Counter)
    echoes: int = 0
    grades: dict[int, Confidence] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project, model: str | None, direction: Direction) -> _Told:
        """Nothing is translated yet."""
        from seshat.inference.confidence import Calibration

        return cls(direction, Calibration.load(project.model(model or project.config.translate.model), direction))

    def note(self, number: int, text: str, hypothesis: Hypothesis) -> None:
        """Take note of a translation."""
        from seshat.inference.postprocess import changed_steps
        from seshat.inference.repetitions import is_echo

        self.mended.update(changed_steps(hypothesis.changes))
        self.echoes += is_echo(text, hypothesis.text)
        if self.calibration and text.strip():
            self.grades[number + 1] = self.calibration.grade(hypothesis, text)

    def __enter__(self) -> None:
        pass

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            self._tell()

    def _tell(self) -> None:
        import structlog

        log = structlog.get_logger(__name__)
        if self.mended:
            log.info("translations that post-processing changed", **self.mended)
        if self.echoes:
            log.warning(
                f"texts came back almost as they were: if they are in {self.way.target} already, "
                f"use --direction {self.way.reverse}",
                texts=self.echoes,
            )
        if self.calibration and len(self.grades) > 1:
            whole = self.calibration.document(list(self.grades.values()))
            low = [number for number, one in self.grades.items() if one.level == "low"]
            worst = sorted(sorted(low, key=lambda number: self.grades[number].value)[:_WORST])
            tell, advice = log.info, "how far this document may be trusted"
            if whole.level == "low":
                tell, advice = log.warning, f"{advice}: have it read by somebody who knows both languages"
            found = {"confidence": f"{whole.value:.2f} ({whole.level})", "low": f"{len(low)} of {len(self.grades)}"}
            tell(advice, **found, **({"lines": ", ".join(map(str, worst))} if worst else {}))


@dataclass(frozen=True)
class _Judge:
    """What ``--json`` says of a translation beside what the model says."""

    calibration: Calibration | None
    known: Collection[str]
    """Every word of the target language in the training data; none where there are no data."""

    @classmethod
    def of(cls, project: Project, calibration: Calibration | None, direction: Direction) -> _Judge:
        """Read what the judging needs."""
        from seshat.evaluation.testbed import read_material

        return cls(calibration, read_material(project).attested[direction.target])

    def judge(self, text: str, hypothesis: Hypothesis) -> dict[str, Any]:
        """``confidence`` and ``invented``, where they can be told."""
        from seshat.evaluation.invented import invented_words

        found: dict[str, Any] = {}
        if self.calibration:
            found["confidence"] = asdict(self.calibration.grade(hypothesis, text))
        if self.known and (words := invented_words(hypothesis.text, text, self.known)):
            found["invented"] = words
        return found


def _show(number: int, text: str, hypothesis: Hypothesis, n_best: int, judge: _Judge | None) -> str:
    others = [(other.text, other.score) for other in hypothesis.others]
    if judge is not None:
        value = {
            "source": text,
            "text": hypothesis.text,
            "score": hypothesis.score,
            "alternatives": [{"text": other, "score": score} for other, score in others],
            **({"changes": hypothesis.changes} if hypothesis.changes else {}),
            **({"agreement": hypothesis.agreement} if hypothesis.agreement is not None else {}),
            **judge.judge(text, hypothesis),
        }
        return json.dumps(value, ensure_ascii=False) + "\n"
    if n_best == 1:
        return (hypothesis.text if len(text.splitlines()) > 1 else _one_line(hypothesis.text)) + "\n"
    ranked = [(hypothesis.text, hypothesis.score), *others]
    return "".join(f"{number} ||| {_one_line(other)} ||| {score:.4f}\n" for other, score in ranked)


def _one_line(text: str) -> str:
    """Output stays parallel to input, line by line."""
    return " ".join(text.splitlines()) if text else text
