"""What is searched: settings by full name, and the values that each may take."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seshat.config import Config
from seshat.config.load import Loaded, load_config, load_with_places
from seshat.config.sweep import RangeSection
from seshat.core.errors import ConfigError, Problem

Values = dict[str, Any]
"""A value per setting that is searched."""
SECTIONS = ("train", "model", "prompt", "format", "tokenizer")
"""Sections whose settings can be searched. The others change the validation set, or nothing that a model learns."""
FIXED = ("train.name", "train.directions", "model.download")
"""Settings that mean another model or another measure, not a better one."""
PROFILE = "sweep"
_METRICS = "the masked family has the loss, the others are judged by their translations"


@dataclass(frozen=True)
class Source:
    """Where the configuration of a search is read from; each trial reads it anew, with its own settings on top."""

    root: Path
    profiles: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    def config(self, values: Mapping[str, Any] | None = None) -> Config:
        """The configuration, with these settings on top.

        Raises:
            ConfigError: something is wrong with it.
        """
        return load_config(self.root, self.profiles, [*self.overrides, *overrides(values or {})])


def overrides(values: Mapping[str, Any]) -> list[str]:
    """Settings as they would stand on the command line."""
    return [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]


def open_source(root: Path, profiles: Sequence[str], given: Sequence[str]) -> tuple[Source, Loaded]:
    """The configuration of a search; without parameters of its own it is that of ``profiles/sweep.yaml``.

    Raises:
        ConfigError: it is wrong, or nothing says what to search.
    """
    source = Source(root, tuple(profiles), tuple(given))
    loaded = load_with_places(root, profiles, given)
    if not loaded.config.sweep.parameters and PROFILE not in profiles and (root / f"profiles/{PROFILE}.yaml").is_file():
        source = Source(root, (PROFILE, *profiles), tuple(given))
        loaded = load_with_places(root, source.profiles, given)
    if not loaded.config.sweep.parameters:
        place = loaded.places.get("sweep", str(root / "profiles" / f"{PROFILE}.yaml"))
        raise ConfigError(
            [Problem(place, "sweep.parameters: nothing says which settings to search")],
            "Write for example: sweep: {parameters: {train.statistical.lm_order: [2, 3, 4]}}",
        )
    return source, loaded


def check(source: Source, loaded: Loaded) -> None:
    """Make sure, before anything runs, that every setting exists and takes every value that it may get.

    Raises:
        ConfigError: with all problems, each at its place.
    """
    section = loaded.config.sweep
    problems: list[Problem] = []
    if loaded.config.train.kind.translates == (section.metric == "loss"):
        place = loaded.places.get("sweep.metric", loaded.places.get("sweep", "sweep"))
        problems.append(Problem(place, f"sweep.metric: '{section.metric}' is not known of this family: {_METRICS}"))
    for name, values in section.parameters.items():
        place = loaded.places.get(f"sweep.parameters.{name}", "sweep.parameters")
        problems += [Problem(place, f"sweep.parameters: {problem}") for problem in _of_setting(name, values, section)]
        if problems and problems[-1].where == place:
            continue
        for value in (values.low, values.high) if isinstance(values, RangeSection) else values:
            problems += _of_value(source, {name: _whole(values, value)}, place)
    if not problems and section.sampler == "grid":
        place = loaded.places.get("sweep.parameters", "sweep.parameters")
        for combination in grid(section.parameters)[: section.trials]:
            problems += _of_value(source, combination, place)
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))


def _of_setting(name: str, values: Any, section: Any) -> list[str]:
    """What is wrong with a setting that is to be searched, whatever its values."""
    top = name.partition(".")[0]
    if top in Config.model_fields and (top not in SECTIONS or name in FIXED):
        return [
            f"'{name}' cannot be searched: {'its results could not be compared' if top in SECTIONS else _why(top)}; "
            f"settings of {', '.join(SECTIONS[:-1])} and {SECTIONS[-1]} can"
        ]
    if not isinstance(values, RangeSection):
        return [] if values else [f"'{name}' has no values"]
    if section.sampler == "grid":
        return [f"'{name}' is a range, and a grid needs a list of values; or write sampler: random, or tpe"]
    if values.low >= values.high:
        return [f"'{name}': low ({values.low:g}) must be below high ({values.high:g})"]
    if values.log and values.low <= 0:
        return [f"'{name}': a range that is drawn by its logarithm begins above 0"]
    if values.whole and (values.low != int(values.low) or values.high != int(values.high)):
        return [f"'{name}': the ends of a range of whole numbers must be whole"]
    return []


def _why(section: str) -> str:
    if section in ("project", "ingest", "clean", "align", "split"):
        return "the validation set would be another one in every trial"
    return "it changes nothing that a model learns"


def _of_value(source: Source, values: Values, place: str) -> list[Problem]:
    try:
        source.config(values)
    except ConfigError as error:
        return [Problem(place, f"sweep.parameters: {problem.message}") for problem in error.problems]
    return []


def _whole(values: Any, value: Any) -> Any:
    return int(value) if isinstance(values, RangeSection) and values.whole else value


def grid(parameters: Mapping[str, tuple[Any, ...] | RangeSection]) -> list[Values]:
    """All combinations of the listed values; the last setting changes fastest."""
    lists = [tuple(values) for values in parameters.values() if not isinstance(values, RangeSection)]
    return [dict(zip(parameters, combination, strict=True)) for combination in itertools.product(*lists)]


def encode(values: Mapping[str, Any], parameters: Mapping[str, Any]) -> Values:
    """Values as Optuna keeps them: what is chosen from a list stands there as JSON, lists and nothing included."""
    return {
        name: value if isinstance(parameters[name], RangeSection) else json.dumps(value, ensure_ascii=False)
        for name, value in values.items()
    }


def decode(params: Mapping[str, Any], parameters: Mapping[str, Any]) -> Values:
    """The reverse of :func:`encode`, in the order of the configuration."""
    return {
        name: params[name] if isinstance(kind, RangeSection) else json.loads(params[name])
        for name, kind in parameters.items()
        if name in params
    }


def suggest(trial: Any, parameters: Mapping[str, tuple[Any, ...] | RangeSection]) -> Values:
    """Let Optuna choose a value for every setting."""
    for name, values in parameters.items():
        if not isinstance(values, RangeSection):
            trial.suggest_categorical(name, [json.dumps(value, ensure_ascii=False) for value in values])
        elif values.whole:
            trial.suggest_int(name, int(values.low), int(values.high), log=values.log)
        else:
            trial.suggest_float(name, values.low, values.high, log=values.log)
    return decode(trial.params, parameters)
