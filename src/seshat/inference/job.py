"""A job of translation: which model, which way, how many candidates, here or over several machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from seshat.config import Direction
from seshat.core.progress import task
from seshat.inference.batch import WINDOW, Found, batch_size, in_order, translate_all
from seshat.inference.translator import Hypothesis, Translator
from seshat.project.folder import Project
from seshat.prompt.request import Request


@dataclass(frozen=True)
class Job:
    """What to translate with.

    Args:
        project: the project.
        model: below ``models/``; default: as :func:`seshat.inference.opening.open_chain` has it.
        direction: from what into what.
        allow_other_prompt: ask the model as configured, though it was trained otherwise.
        seconds: the time that consensus decoding has, from when the model is opened.
        ray: over several processes or machines.
    """

    project: Project
    model: str | None
    direction: Direction
    allow_other_prompt: bool = False
    seconds: float | None = None
    ray: bool = False

    @cached_property
    def translator(self) -> Translator:
        """The model, opened here when it is first needed."""
        return self.opened()

    def opened(self, workers: int | None = None) -> Translator:
        """A copy of the model of one's own."""
        from seshat.inference.budget import Budget
        from seshat.inference.opening import open_chain

        return open_chain(
            self.project,
            self.model,
            self.direction,
            allow_other_prompt=self.allow_other_prompt,
            budget=None if self.seconds is None else Budget(self.seconds),
            workers=workers,
        )

    @property
    def batch_size(self) -> int:
        """The most texts that are translated together."""
        return self.project.config.translate.batch or batch_size(self.translator)

    @property
    def window(self) -> int | None:
        """Texts of a stream that are sorted together; all, where somebody must know all that there is to do."""
        return None if self.ray or self.seconds is not None else WINDOW

    def run(
        self, requests: Sequence[Request], advance: Callable[[float], None] = lambda _amount: None
    ) -> Iterator[Found]:
        """Translate texts: place and hypothesis, as they come."""
        settings = self.project.config.translate
        if self.ray:
            from seshat.inference.distributed import translate_with_ray

            return translate_with_ray(self, requests, advance=advance)
        return translate_all(
            self.translator,
            requests,
            batch=settings.batch,
            batch_tokens=settings.batch_tokens,
            advance=advance,
        )

    def stream(self, parts: Iterable[Sequence[Request]]) -> Iterator[tuple[int, str, Hypothesis]]:
        """Translate part after part: number, text and hypothesis, in order."""
        number = 0
        for requests in parts:
            for request, hypothesis in zip(requests, in_order(self.run(requests), len(requests)), strict=True):
                yield number, request.text, hypothesis
                number += 1

    def windows(self, requests: Iterable[Request]) -> Iterator[list[Request]]:
        """Texts in parts that are sorted together."""
        rest = iter(requests)
        while part := list(islice(rest, self.window)):
            yield part

    def into_file(
        self,
        requests: Iterable[Request],
        output: Path,
        show: Callable[[int, str, Hypothesis], str],
        total: int | None = None,
    ) -> int:
        """Translate texts into a file, going on with what an earlier run of the same job left behind.

        Args:
            requests: what to translate.
            output: the file; it appears when all is done.
            show: what stands in it.
            total: how many texts there are, for the progress bar.

        Returns:
            How many lines were there from before.
        """
        from seshat.inference.opening import fingerprint
        from seshat.inference.partial import translate_file

        if not self.ray:
            _ = self.translator  # what is wrong with it shows before anything is written
        name = fingerprint(self.project, self.model, self.direction, seconds=self.seconds)
        with task(f"translating {self.direction}", total) as advance:
            return translate_file(
                lambda part: self.run(part, advance), requests, output, name, show, window=self.window
            )

    def close(self) -> None:
        """Let go of the model."""
        if "translator" in self.__dict__:
            self.translator.close()
