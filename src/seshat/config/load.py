"""Reading ``seshat.yaml``: what it extends, profiles, overrides, and all mistakes at once.

Order of precedence, weakest first: the defaults of the schema, the preset that ``model.preset`` names, the files named
by ``extends`` in their order, the file itself, profiles in the order given, overrides in the order given. Mappings
merge, everything else is replaced.

Some settings the files of a project may not decide, or only propose: who reaches this machine, whom it contacts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_origin

from pydantic import ValidationError

from seshat.config import presets
from seshat.config.explain import Explainer, did_you_mean
from seshat.config.schema import Config
from seshat.config.slots import Slot, listed
from seshat.config.tree import Node, merge, parse_yaml, read_yaml, replace
from seshat.core import trust
from seshat.core.errors import ConfigError, Problem
from seshat.core.trust import is_loopback

FILE_NAME = "seshat.yaml"
PROFILES = "profiles"
EXTENDS = "extends"
COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Loaded:
    """A configuration and where each of its settings was written."""

    config: Config
    places: dict[str, str]
    """Full name of a setting, such as ``train.name`` or ``ingest.sources[0].path``, to ``file:line``; a setting
    that no file mentions holds its default and is not here."""


def load_config(root: Path, profiles: Sequence[str] = (), overrides: Sequence[str] = ()) -> Config:
    """Read the configuration of a project.

    Args:
        root: the project folder, which holds ``seshat.yaml``.
        profiles: names of files below ``profiles/`` without ``.yaml``, or paths of such files; later ones win.
        overrides: settings as ``section.key=value``, the value in YAML; an item of a list by its index from 0:
            ``ingest.sources.0.path=words.csv``.

    Raises:
        ConfigError: with every problem found, each with its place.
    """
    return load_with_places(root, profiles, overrides).config


def load_with_places(root: Path, profiles: Sequence[str] = (), overrides: Sequence[str] = ()) -> Loaded:
    """As :func:`load_config`, with the place of every setting."""
    files = _Files(root)
    path = root / FILE_NAME
    if not path.is_file():
        raise ConfigError(
            [Problem(str(path), "there is no such file")],
            "Start a project with: seshat init FOLDER, or go to the folder of one.",
        )
    tree = files.read(path)
    for profile in profiles:
        tree = merge(tree, files.profile(profile))
    tree = merge(files.preset(tree, overrides), tree)
    for name, value, where in variables():
        tree = replace(tree, tuple(name.split(".")), Node(value, where))
    for override in overrides:
        tree = files.override(tree, override)
    files.problems += judge(tree)
    config, problems = _validate(tree, files.incomplete)
    if config is None or files.problems:
        raise ConfigError(_sorted([*files.problems, *problems]))
    return Loaded(config, _places(tree))


@dataclass
class _Files:
    """Reads files into trees and collects what is wrong with them."""

    root: Path
    problems: list[Problem] = field(default_factory=list)
    incomplete: bool = False
    """Something that was asked for could not be read: what the settings say together is not known."""

    def name(self, path: Path) -> str:
        """What a file is called in messages: relative to the project."""
        return Path(os.path.relpath(path, self.root)).as_posix()

    def fail(self, where: str, message: str) -> Node:
        self.problems.append(Problem(where, message))
        self.incomplete = True
        return Node({}, where)

    def read(self, path: Path, chain: tuple[Path, ...] = ()) -> Node:
        """A file laid on the files that it extends."""
        chain = (*chain, path.resolve())
        found: list[Problem] = []
        own = read_yaml(path, self.name(path), found)
        self.problems += found
        self.incomplete |= bool(found)
        assert isinstance(own.value, dict)
        extends = own.value.get(EXTENDS)
        own = Node({key: node for key, node in own.value.items() if key != EXTENDS}, own.where)
        tree = Node({}, own.where)
        for item in _items(extends):
            if not isinstance(item.value, str):
                self.fail(item.where, "extends: expected the path of a file, or a list of them")
                continue
            tree = merge(tree, self._extended(path.parent / item.value, item, chain))
        return merge(tree, own)

    def _extended(self, path: Path, item: Node, chain: tuple[Path, ...]) -> Node:
        if not path.is_file():
            others = [file.name for file in sorted(path.parent.glob("*.yaml"))] if path.parent.is_dir() else []
            return self.fail(
                item.where, f"extends: there is no file '{self.name(path)}'{did_you_mean(path.name, others)}"
            )
        if path.resolve() in chain:
            start = chain.index(path.resolve())
            circle = " -> ".join(self.name(step) for step in (*chain[start:], path.resolve()))
            return self.fail(item.where, f"extends: the files extend each other in a circle: {circle}")
        return self.read(path, chain)

    def profile(self, name: str) -> Node:
        """The overlay of a profile: of the project by its name, or any file by its path."""
        folder = self.root / PROFILES
        if name.endswith(".yaml") and Path(name).is_file():
            return self.read(Path(name))
        known = sorted(file.stem for file in folder.glob("*.yaml"))
        if name not in known:
            there = f"there are {listed(known, 'and')}" if known else f"the project has no {PROFILES}/*.yaml"
            where = f"{COMMAND_LINE}: --profile {name}"
            return self.fail(where, f"there is no profile '{name}'; {there}{did_you_mean(name, known)}")
        return self.read(folder / f"{name}.yaml")

    def preset(self, tree: Node, overrides: Sequence[str]) -> Node:
        """The preset that the settings name, or nothing. It may be named on the command line too."""
        trial = _Files(self.root)  # what is wrong with the overrides is said when they are applied
        for override in overrides:
            tree = trial.override(tree, override)
        chosen = tree.at(("model", "preset"))
        if chosen is not tree.at(("model",)) and isinstance(chosen.value, str):
            if chosen.value in presets.names():
                return presets.read(chosen.value)
            known = presets.names()
            meant = did_you_mean(chosen.value, known) or f"; there are {listed(known, 'and')}"
            self.fail(chosen.where, f"model.preset: there is no preset '{chosen.value}'{meant}")
        return Node({}, tree.where)

    def override(self, tree: Node, override: str) -> Node:
        """The tree with one setting from the command line."""
        where = f"{COMMAND_LINE}: {override}"
        key, equals, text = override.partition("=")
        path = tuple(key.strip().split("."))
        if not equals or not all(path):
            self.fail(where, "expected section.key=value, such as train.name=second")
            return tree
        path, slot = _in_schema(path)
        found: list[Problem] = []
        value = parse_yaml(text, where, found, numbered=False)
        if slot is not None and _meant_as_text(value, slot, broken=bool(found), is_list=text.lstrip().startswith("[")):
            value, found = Node(text, where), []
        if found:
            self.problems += found
            self.incomplete = True
            return tree
        try:
            return replace(tree, path, value)
        except LookupError as error:
            self.fail(where, f"{key.strip()}: {error.args[0]}")
            return tree


def _items(extends: Node | None) -> list[Node]:
    if extends is None or extends.value is None:
        return []
    return extends.value if isinstance(extends.value, list) else [extends]


def _meant_as_text(value: Node, slot: Slot, *, broken: bool, is_list: bool) -> bool:
    """Whether the words of an override are text as they stand: quotes on a command line are the shell's."""
    if isinstance(value.value, str):
        return False
    if value.value is None and not broken:
        return slot.is_text and not slot.allows_nothing
    return slot.is_text or (slot.takes_text and not is_list)


def _in_schema(path: tuple[str, ...]) -> tuple[tuple[str, ...], Slot | None]:
    """The path with a key that contains dots (the name of a source) put together, and what stands there."""
    slot: Slot | None = Slot(Config)
    for index, part in enumerate(path):
        assert slot is not None
        below = slot.step(int(part) if part.isdecimal() else part)
        if below is None:
            return path, None
        if get_origin(slot.members[0].annotation) is dict and not below.has_parts:
            return (*path[:index], ".".join(path[index:])), below
        slot = below
    return path, slot


def _validate(tree: Node, incomplete: bool) -> tuple[Config | None, list[Problem]]:
    explainer = Explainer(Config, tree)
    try:
        return Config.model_validate(tree.plain()), []
    except ValidationError as error:
        findings = explainer.explain(error)
    if any(not finding.contradiction for finding in findings) and isinstance(tree.value, dict):
        doubtful = frozenset[str]().union(*(finding.sections for finding in findings))
        sound = {key: node for key, node in tree.value.items() if key not in doubtful and key in Config.model_fields}
        try:
            Config.model_validate(Node(sound, tree.where).plain())
        except ValidationError as error:
            findings += [more for more in explainer.explain(error) if not more.sections & doubtful]
    if incomplete:
        findings = [finding for finding in findings if not finding.contradiction]
    return None, [finding.problem for finding in findings]


def _places(tree: Node, name: str = "") -> dict[str, str]:
    places = {name: tree.where} if name else {}
    if isinstance(tree.value, dict):
        for key, node in tree.value.items():
            places |= _places(node, f"{name}.{key}" if name else key)
    elif isinstance(tree.value, list):
        for index, node in enumerate(tree.value):
            places |= _places(node, f"{name}[{index}]")
    return places


def _sorted(problems: Sequence[Problem]) -> list[Problem]:
    """By file in the order of reading, then by line; the command line last."""

    def line(problem: Problem) -> tuple[str, int]:
        file, _, number = problem.where.rpartition(":")
        return (file, int(number)) if number.isdecimal() else (problem.where, 0)

    def order(problem: Problem) -> tuple[bool, int, int]:
        file, number = line(problem)
        return file.startswith(COMMAND_LINE), files[file], number

    files = {line(problem)[0]: index for index, problem in reversed(list(enumerate(problems)))}
    return sorted(dict.fromkeys(problems), key=order)


VARIABLES = {"serve.host": "SESHAT_HOST", "serve.database": "SESHAT_DATABASE", "serve.api_key_file": "SESHAT_KEY_FILE"}
"""Settings that open the server, name its key or its database, and the environment variables that hold them."""
OURS = (*VARIABLES, "serve.hosts")
"""Settings of the command line and the environment alone."""
OUTSIDE = ("command line", "environment")
"""How the places begin that are no file."""
_CONTACTS = re.compile(
    r"translate\.server\.url|augment\..*server|translate\.ray\.address|tracking\.uri|sweep\.storage"
    r"|crawl\.sources\.\d+\.start\.\d+"
)


def variables() -> Iterator[tuple[str, str, str]]:
    """What the environment sets: dotted name, value, and where it comes from."""
    for name, variable in VARIABLES.items():
        if value := os.environ.get(variable):
            yield name, value, f"environment: {variable}"


def judge(tree: Node, name: str = "") -> Iterator[Problem]:
    """Go over a configuration: what files may not decide is a problem, what they propose is remembered.

    Args:
        tree: the whole, merged, with the places of all values.
        name: where in it, as a dotted name.
    """
    if isinstance(tree.value, dict):
        for key, node in tree.value.items():
            yield from judge(node, f"{name}.{key}" if name else key)
        if name not in OURS:
            return
    from_file = not tree.where.startswith(OUTSIDE)
    if name in OURS and from_file and tree.value and not (name == "serve.host" and is_loopback(str(tree.value))):
        how = f", or in the variable {VARIABLES[name]}" if name in VARIABLES else ""
        yield Problem(
            tree.where,
            f"{name}: no file of a project may set this, which opens this machine to others; give it on the command "
            f"line, as {name}=…{how}",
        )
    if isinstance(tree.value, list):
        for number, node in enumerate(tree.value):
            yield from judge(node, f"{name}.{number}")
    if isinstance(tree.value, str) and _CONTACTS.fullmatch(name):
        if from_file:
            trust.propose(tree.value, tree.where)
        else:
            trust.chosen(tree.value)
