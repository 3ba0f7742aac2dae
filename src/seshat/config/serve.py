"""Section ``serve``: the API and the web page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seshat.config.base import Language, Mistake, Name, Section
from seshat.core.records import Access


class ServeSection(Section):
    """The API and the web page."""

    removed: ClassVar[dict[str, str]] = {
        "gather": "requests are gathered for 5 ms",
        "stop_seconds": "a server that is stopped finishes what runs for up to 30 seconds",
    }

    host: str = "127.0.0.1"
    """Address to listen on (--host or SESHAT_HOST; no file may open it); others than this machine need an API key."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    access: Access = Access.PUBLIC
    """The least open records that a viewer may see."""
    models: tuple[Name, ...] = ()
    """Names below models/; default: the one of `translate.model`, or of `train`."""
    database: str | None = Field(default=None, pattern=r"^postgres(ql)?://")
    """A PostgreSQL address (postgresql://…) for corrections and searches, in SESHAT_DATABASE or on the command line, in
    no file; default: SQLite files in the project."""
    api_key_file: str | None = None
    """A file with the API key, from the project folder, named in SESHAT_KEY_FILE or on the command line, in no file;
    default: the environment variable SESHAT_API_KEY."""
    learn: bool = True
    """Use corrections at once: as translations of their texts, and in models that can learn from them."""
    language: Language | None = None
    """Language of the web page: en, es, or one with words/TAG.yaml in the project; default: the pivot, or English."""
    hosts: tuple[str, ...] = ()
    """Names under which this server is reached, such as words.example.org, on the command line; others are refused."""
    max_body: int = Field(default=1_000_000, ge=1_000)
    """Bytes of a request."""
    max_batch: int = Field(default=64, ge=1)
    """Texts in a request."""
    max_length: int = Field(default=5_000, ge=1)
    """Characters of a text."""
    max_alternatives: int = Field(default=10, ge=1)
    """Candidates that may be asked for per text."""
    examples: int = Field(default=3, ge=0, le=20)
    """Nearest training examples shown with a translation."""
    results: int = Field(default=100, ge=1, le=1_000)
    """Lines of a concordance or entries of a dictionary in one answer."""
    search_seconds: float = Field(default=2.0, gt=0)
    """Time for one search by regular expression; what was found by then is shown."""
    seconds: float = Field(default=60.0, gt=0)
    """Time for one request, with the waiting."""
    queue: int = Field(default=256, ge=1)
    """Texts that may wait for the translator; beyond that, requests are told to come back later (429)."""

    def mistakes(self) -> Iterator[Mistake]:
        """A request that could never be taken."""
        if self.max_batch > self.queue:
            message = f"a request of max_batch ({self.max_batch}) texts would never fit a queue of {self.queue}"
            yield Mistake((), message)
