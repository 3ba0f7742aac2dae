"""A large model that was not trained on the language, asked with all that the project knows about a text.

Beside the text stand examples that cover it, dictionary entries, grammar notes of the user's, and on request a draft
by the project's own model; a second question may repair the first answer. What is the same in every question comes
first, so that a server can keep it (prompt caching).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from seshat.core.errors import DataError
from seshat.core.paths import inside
from seshat.inference.chain import Chain
from seshat.inference.engines.openai import ServerTranslator
from seshat.inference.load import normaliser
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.prompt.coverage import CoverageRetriever
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.config import Direction
    from seshat.project.folder import Project

_ENTRIES = 60
"""Dictionary entries beside a text: more than a sentence has words."""


class InContext(Translator):
    """A server with drafts before and repairs behind.

    Args:
        server: asked about each text.
        draft: translates each text first; its answer is shown.
        repair: ask again, with the first answer as the draft.
    """

    samples = True

    def __init__(self, server: ServerTranslator, draft: Chain | None = None, repair: bool = False) -> None:
        self._server, self._draft, self._repair = server, draft, repair
        self.direction, self.name = server.direction, f"in-context {server.name}"
        self.context, self.batch_size = server.context, server.batch_size

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch."""
        said = self._server.translate(self._drafted(requests))
        if not self._repair:
            return said
        again = [replace(request, draft=one.text) for request, one in zip(requests, said, strict=True)]
        return self._server.translate(again)

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch, without the repair."""
        return self._server.sample(self._drafted(requests), count, temperature=temperature, top_p=top_p, seed=seed)

    def _drafted(self, requests: Sequence[Request]) -> list[Request]:
        if self._draft is None:
            return list(requests)
        drafts = self._draft.translate([Request(one.text, before=one.before) for one in requests])
        return [replace(request, draft=one.text) for request, one in zip(requests, drafts, strict=True)]

    @property
    def usage(self) -> tuple[int, int]:
        """Tokens sent and received until now, as the server counts them."""
        return self._server.usage

    def close(self) -> None:
        """Let go of the server and of the model that drafts."""
        self._server.close()
        if self._draft is not None:
            self._draft.close()


def open_in_context(project: Project, direction: Direction, draft: Chain | None) -> Chain:
    """The server of a project behind its orthography, with what it may see of the project.

    Args:
        project: its training files passed the gate; what is shown is asked again.
        direction: from what into what.
        draft: the model of ``translate.in_context.draft``, opened.

    Raises:
        DataError: the file of ``translate.in_context.notes`` cannot be read.
        UsageError: what :class:`ServerTranslator` says.
    """
    settings = project.config.translate
    own = Prompt.of(project)
    parts = [own.system, _notes(project)]
    prompt = own.model_copy(
        update={"system": "\n\n".join(part for part in parts if part), "hints": _ENTRIES, "shots": 1}
    )
    seed = project.config.project.seed
    server = ServerTranslator(settings.server, direction, prompt, prompt.decoding.changed(settings.decoding), seed)
    lookups = CoverageRetriever(prompt, project.pairs("train"), project.entries(), settings.in_context.tokens)
    return Chain(
        InContext(server, draft, settings.in_context.repair),
        normalise=normaliser(prompt.normalisation, direction.source),
        retrieve=lookups,
    )


def _notes(project: Project) -> str:
    """What the user wrote about the grammar; empty without a file."""
    name = project.config.translate.in_context.notes
    if name is None:
        return ""
    try:
        return inside(project.root / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{project.root / name}: cannot read the notes of translate.in_context.notes: {error}.",
            "Name a text file, from the project folder.",
        ) from error
