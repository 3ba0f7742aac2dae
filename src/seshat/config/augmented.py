"""What section ``augment`` asks for that does not fit the rest of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from seshat.config.known import project_languages, unknown_language, unknown_source

if TYPE_CHECKING:
    from seshat.config.schema import Config

Found = Iterator[tuple[tuple[str | int, ...], str]]


def names(config: Config) -> Found:
    """What the stage makes is a source too: its names are its own, and it reads sources that there are."""
    section = config.augment
    known = {source.name for source in config.ingest.sources}
    for part in ("pages", "extractor", "drills", "back_translation", "pseudo_labels"):
        value = getattr(section, part)
        if value is not None and value.name in known:
            yield ("augment", part, "name"), f"'{value.name}' is the name of a source; call it otherwise"
    for part in ("back_translation", "pseudo_labels"):
        value = getattr(section, part)
        for name in value.sources if value else ():
            if name not in known:
                yield ("augment", part, "sources"), unknown_source(name, config)


def circles(config: Config) -> Found:
    """A model cannot learn from what it makes itself: the data would change with every training."""
    section, trained = config.augment, PurePosixPath("models", config.train.name)
    for part in ("back_translation", "pseudo_labels"):
        value = getattr(section, part)
        for key, endpoint in (("model", value), ("back", value and value.back)):
            if endpoint and endpoint.server is None and PurePosixPath(endpoint.model or "") == trained:
                yield (
                    ("augment", part, key),
                    f"{trained} is the model that `train` writes, from data that would depend on it; keep the model "
                    "that translates under another name (train.name)",
                )


def languages(config: Config) -> Found:
    """Templates are in the languages of the project."""
    drills = config.augment.drills
    for index, template in enumerate(drills.templates if drills else ()):
        for tag in template.texts:
            if tag not in project_languages(config):
                yield ("augment", "drills", "templates", index, "texts", tag), unknown_language(tag, config)
