"""``translate``: texts in, translations out, in order and as they come."""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from seshat.cli.common import Context, verb
from seshat.errors import DataError, UsageError

if TYPE_CHECKING:
    from seshat.config import Direction
    from seshat.inference.translator import Hypothesis
    from seshat.project import Project

_END = object()


def add(app: typer.Typer) -> None:
    """Add this command to the program."""
    verb(app, "translate", overrides=False, json=False, help="Translate texts, a file, or standard input.")(_translate)


def _translate(
    context: Context,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts; none: standard input.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A text file (UTF-8), one text a line; - is standard input.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, when all is done.")] = None,
    direction: Annotated[
        str | None, typer.Option(help="Such as shp-es. Default: from the project's language into the pivot.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A folder below models/. Default: translate.model.")] = None,
    n_best: Annotated[
        int, typer.Option(min=1, help="How many candidates; above 1 as `number ||| text ||| score`.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line: scores and alternatives too.")
    ] = False,
    allow_other_prompt: Annotated[
        bool, typer.Option("--allow-other-prompt", help="Ask the model as configured, though it was trained otherwise.")
    ] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Settings that win over seshat.yaml.")
    ] = None,
) -> None:
    if texts and file:
        raise UsageError("Give texts or --file, not both.")
    from seshat.inference.chain import open_chain

    context.overrides = settings or []
    project = context.open()
    way = _direction(project, direction)
    config = project.config.translate
    translator = open_chain(project, model, way, allow_other_prompt=allow_other_prompt)
    lines = iter(texts) if texts else _read(file)
    number = 0
    with _open(output) as stream:
        for batch in _batches(lines, config.batch or 64):
            for text, hypothesis in zip(batch, translator.translate(batch, n_best), strict=True):
                stream.write(_show(number, text, hypothesis, n_best, as_json))
                number += 1
            stream.flush()


def _direction(project: Project, wanted: str | None) -> Direction:
    """The direction that was asked for; into the pivot when none was.

    Raises:
        UsageError: the project has no such direction.
    """
    known = project.config.project.directions
    if wanted is None:
        return known[0]
    for one in known:
        if str(one) == wanted:
            return one
    raise UsageError(f"--direction {wanted}: this project knows {' and '.join(map(str, known))}.")


def _open(output: Path | None) -> AbstractContextManager[IO[str]]:
    from seshat.jsonl import atomic_write

    return nullcontext(sys.stdout) if output is None else atomic_write(output)


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


def _batches(lines: Iterator[str], size: int) -> Iterator[list[str]]:
    """Batches of what is there already, at most ``size``: whole ones from a file, single lines from a person typing."""
    waiting: queue.Queue[object] = queue.Queue(maxsize=4 * size)

    def fill() -> None:
        try:
            for line in lines:
                waiting.put(line)
        except BaseException as error:
            waiting.put(error)
        else:
            waiting.put(_END)

    threading.Thread(target=fill, daemon=True).start()
    batch: list[str] = []
    while True:
        try:
            item = waiting.get(block=not batch)
        except queue.Empty:
            yield batch
            batch = []
            continue
        if isinstance(item, str):
            batch.append(item)
        if batch and (len(batch) == size or not isinstance(item, str)):
            yield batch
            batch = []
        if item is _END:
            return
        if isinstance(item, BaseException):
            raise item


def _show(number: int, text: str, hypothesis: Hypothesis, n_best: int, as_json: bool) -> str:
    # Engines differ in whether the best candidate stands among the alternatives too.
    others = [(other.text, other.score) for other in hypothesis.alternatives if other.text != hypothesis.text]
    ranked = [(hypothesis.text, hypothesis.score), *others][:n_best]
    if as_json:
        value = {
            "source": text,
            "text": hypothesis.text,
            "score": hypothesis.score,
            "alternatives": [{"text": other, "score": score} for other, score in ranked[1:]],
        }
        return json.dumps(value, ensure_ascii=False) + "\n"
    if n_best == 1:
        return _one_line(hypothesis.text) + "\n"
    return "".join(f"{number} ||| {_one_line(other)} ||| {score:.4f}\n" for other, score in ranked)


def _one_line(text: str) -> str:
    """Output stays parallel to input, line by line."""
    return " ".join(text.splitlines()) if text else text
