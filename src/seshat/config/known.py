"""Names that settings may refer to, and what to say of one that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seshat.config.explain import did_you_mean

if TYPE_CHECKING:
    from seshat.config.schema import Config

DECIDED = ("corrections", "induced")
"""Sources that `ingest` reads without being told: corrected translations, accepted word pairs."""


def project_languages(config: Config) -> list[str]:
    """Tags of the languages that the project names."""
    project = config.project
    return list(dict.fromkeys((project.language, project.pivot, *project.languages)))


def unknown_language(tag: str, config: Config) -> str:
    """What to say of a tag that is none of them."""
    known = project_languages(config)
    return (
        f"'{tag}' is no language of this project ({', '.join(known)})"
        f"{did_you_mean(tag, known) or '; add it to project.languages if it is meant'}"
    )


def known_sources(config: Config) -> list[str]:
    """Names of the sources: those that are read, what people wrote since, and those that `align` and `augment` make."""
    read = [source.name for source in config.ingest.sources]
    return [*read, *DECIDED, *(starts.name for starts in config.align.starts), *config.augment.names]


def unknown_source(name: str, config: Config) -> str:
    """What to say of a name that no source has."""
    known = known_sources(config)
    return f"there is no source '{name}' in ingest.sources{did_you_mean(name, known)}"
