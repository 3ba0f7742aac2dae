"""Section ``download``: where the raw files come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from seshat.config.base import Mistake, RawPath, Section


def web_address(url: str) -> str:
    """An address of the web; anything else is refused."""
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"'{url}' does not start with https:// (or http://)")
    return url


class DownloadFile(Section):
    """One file to fetch into ``data/raw``."""

    path: RawPath
    """Where it goes, below data/raw."""
    url: Annotated[str, AfterValidator(web_address)]
    """Where it is."""
    local: RawPath | None = None
    """Its name below the folder given with `seshat download --from`; default: the last part of the URL."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
    """Refuse the file when its hash is another."""


class KaggleSource(Section):
    """Files of a Kaggle competition or dataset."""

    competition: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    """Name of the competition: the last part of its address. Its rules must have been accepted."""
    dataset: str | None = Field(default=None, pattern=r"^[\w-]+/[\w-]+$")
    """OWNER/NAME of a dataset."""
    files: dict[str, RawPath] = Field(default_factory=dict)
    """File there -> where it goes, below data/raw. None: everything, into `path`."""
    path: RawPath = "kaggle"
    """Folder below data/raw for everything."""
    max_gigabytes: float = Field(default=20.0, gt=0)
    """An archive that would unpack to more is refused."""

    @property
    def most_bytes(self) -> int:
        """The limit in bytes."""
        return int(self.max_gigabytes * 1e9)

    def mistakes(self) -> Iterator[Mistake]:
        """Neither of the two, or both."""
        if (self.competition is None) == (self.dataset is None):
            yield Mistake((), "give either `competition: NAME` or `dataset: OWNER/NAME`")


class DownloadSection(Section):
    """The fetch recipe: run with `seshat download`, never by itself."""

    files: tuple[DownloadFile, ...] = ()
    """Files to fetch."""
    kaggle: tuple[KaggleSource, ...] = ()
    """Competitions and datasets on Kaggle; credentials come from the environment or ~/.kaggle."""
    licence: str | None = None
    """Licence or terms of the data, shown with every fetch."""
    citation: str | None = None
    """What to cite."""

    def mistakes(self) -> Iterator[Mistake]:
        """Two files in one place."""
        seen: set[str] = set()
        for index, file in enumerate(self.files):
            if file.path in seen:
                yield Mistake(("files", index, "path"), f"two files would be written to data/raw/{file.path}")
            seen.add(file.path)
