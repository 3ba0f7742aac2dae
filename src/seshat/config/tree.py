"""YAML as a tree whose every value remembers the line it comes from.

Files, profiles and overrides are merged as such trees, so that a mistake found after merging still points to the
file and line that made it. YAML 1.2: ``no`` is a word (and the tag of Norwegian), not ``false``.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.core.errors import DataError, Problem
from seshat.core.paths import readable

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode
    from ruamel.yaml.nodes import Node as YamlNode

Scalar = str | int | float | bool | None
MOST_VALUES = 50_000
"""In one file, aliases written out. The largest project of ours has 1,500."""
MOST_BYTES = 2_000_000


@dataclass(frozen=True)
class Node:
    """A value and where it was written: ``file:line`` of its key or list item, or ``command line: …``."""

    value: Scalar | dict[str, Node] | list[Node]
    where: str

    def plain(self) -> Any:
        """The value alone, as dictionaries, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, path: tuple[str | int, ...]) -> Node:
        """The node at ``path``, or the deepest one on the way there that exists."""
        node = self
        for part in path:
            inside = node.value
            if isinstance(inside, dict) and part in inside:
                node = inside[str(part)]
            elif isinstance(inside, list) and part in range(len(inside)):
                node = inside[int(part)]
            else:
                break
        return node


def merge(base: Node, over: Node) -> Node:
    """``over`` laid on ``base``: mappings merge deeply, everything else is replaced.

    A key without a value leaves the mapping below as it is.
    """
    if not isinstance(base.value, dict):
        return over
    if over.value is None:
        return base
    if not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return Node(merged, over.where)


def replace(node: Node, path: tuple[str, ...], new: Node) -> Node:
    """A copy of ``node`` with ``new`` at ``path``; mappings are made on the way, lists are entered by index.

    Raises:
        LookupError: a list has no such item; the message says so.
    """
    if not path:
        return merge(node, new) if isinstance(new.value, dict) else new
    head, rest = path[0], path[1:]
    if isinstance(node.value, list):
        if not head.isdecimal() or int(head) >= len(node.value):
            size = len(node.value)
            has = f"it has {size} item{'' if size == 1 else 's'}, counted from 0" if size else "it is empty"
            raise LookupError(f"there is no item '{head}' in this list: {has}")
        items = list(node.value)
        items[int(head)] = replace(items[int(head)], rest, new)
        return Node(items, node.where)
    if node.value is None and head.isdecimal():
        raise LookupError(f"there is no item '{head}' in this list: it is empty")
    children = dict(node.value) if isinstance(node.value, dict) else {}
    children[head] = replace(children.get(head, Node(None, new.where)), rest, new)
    return Node(children, node.where if isinstance(node.value, dict) else new.where)


def read_yaml(path: Path, name: str, problems: list[Problem]) -> Node:
    """Read one YAML file.

    Args:
        path: the file.
        name: what to call it in places.
        problems: what is wrong with the file is appended here; the tree then holds what could be read.
    """
    try:
        with readable(path).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        problems.append(Problem(name, f"cannot be read: {error.strerror or error}"))
        return Node({}, name)
    except DataError as error:
        problems.append(Problem(name, error.message.partition(": ")[2]))
        return Node({}, name)
    if len(data) > MOST_BYTES:
        problems.append(
            Problem(name, f"is larger than {MOST_BYTES / 1e6:g} MB; put long lists into files of their own")
        )
        return Node({}, name)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.append(Problem(name, "is written in UTF-16; save it as UTF-8"))
        return Node({}, name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        problems.append(Problem(f"{name}:{line}", f"is not UTF-8 (byte 0x{byte:02X}); save the file as UTF-8"))
        return Node({}, name)
    tree = parse_yaml(text, name, problems)
    if tree.value is None:
        return Node({}, tree.where)
    if not isinstance(tree.value, dict):
        problems.append(Problem(tree.where, "the file must be made of sections, such as 'project:'"))
        return Node({}, tree.where)
    return tree


def parse_yaml(text: str, name: str, problems: list[Problem], *, numbered: bool = True) -> Node:
    """Parse YAML text.

    Args:
        text: one YAML document.
        name: the file it comes from; places are ``name:line``.
        problems: syntax errors are appended here; the result is then empty.
        numbered: without, every place is ``name`` (an override has no lines).
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
    from ruamel.yaml.reader import ReaderError

    yaml = YAML(typ="safe", pure=True)

    def place(line: int) -> str:
        return f"{name}:{line + 1}" if numbered else name

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # allowed by YAML: the later anchor counts
            root = yaml.compose(text)
        return _Builder(yaml, place, problems).build(root, place(0)) if root is not None else Node(None, place(0))
    except MarkedYAMLError as error:
        line, message = _plain_words(error, text)
        problems.append(Problem(place(line), message))
    except ReaderError as error:
        character = error.character if isinstance(error.character, int) else ord(error.character)
        where = place(text.count("\n", 0, text.find(chr(character))))
        problems.append(Problem(where, f"an invisible control character (U+{character:04X}); remove it"))
    except _TooMuch as error:
        said = f"more than {MOST_VALUES:,} values by here: aliases (*) that stand for aliases? Write out what is meant"
        problems.append(Problem(str(error), said))
    except RecursionError:
        problems.append(Problem(name, "is nested too deeply"))
    except YAMLError as error:
        problems.append(Problem(name, f"is not YAML: {error}"))
    return Node(None, place(0))


class _TooMuch(Exception):
    """More values than any configuration has; holds the place."""


class _Builder:
    """Turns the nodes of the YAML parser into ours."""

    def __init__(self, yaml: Any, place: Any, problems: list[Problem]) -> None:
        self._construct = yaml.constructor.construct_object
        self._place = place
        self._problems = problems
        self._open: list[YamlNode] = []
        self._built = 0

    def build(self, node: YamlNode, where: str) -> Node:
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        self._built += 1
        if self._built > MOST_VALUES:
            raise _TooMuch(where)
        tag = str(node.tag)
        if not tag.startswith("tag:yaml.org,2002:") or tag.startswith("tag:yaml.org,2002:python"):
            self._problems.append(
                Problem(where, f"the tag {tag} means nothing here; put text that starts with '!' in quotes")
            )
            return Node(None, where)
        if isinstance(node, ScalarNode):
            return Node(self._scalar(node, tag.rpartition(":")[2], where), where)
        if any(node is other for other in self._open):
            self._problems.append(Problem(where, "an alias (*) that contains itself"))
            return Node(None, where)
        self._open.append(node)
        try:
            if isinstance(node, SequenceNode):
                return Node([self.build(item, self._place(item.start_mark.line)) for item in node.value], where)
            assert isinstance(node, MappingNode)
            return Node(self._mapping(node), where)
        finally:
            self._open.pop()

    def _scalar(self, node: Any, kind: str, where: str) -> Scalar:
        if kind not in {"int", "float", "bool", "null"}:
            return str(node.value)
        try:
            value: Scalar = self._construct(node)
        except (ValueError, TypeError):
            self._problems.append(Problem(where, f"'{node.value}' is not a {kind}"))
            return None
        return value

    def _mapping(self, node: MappingNode) -> dict[str, Node]:
        from ruamel.yaml.nodes import ScalarNode

        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for key, value in node.value:
            where = self._place(key.start_mark.line)
            if not isinstance(key, ScalarNode):
                self._problems.append(
                    Problem(
                        where, "a list or mapping stands where a key should; put text that starts with { or [ in quotes"
                    )
                )
                continue
            if key.value == "<<" and not key.style:
                for part in value.value if str(value.tag).endswith(":seq") else [value]:
                    built = self.build(part, where)
                    if isinstance(built.value, dict):
                        merged = {**built.value, **merged}
                    else:
                        self._problems.append(Problem(where, "'<<' needs an alias of a mapping"))
                continue
            name = str(key.value)
            if name in own:
                self._problems.append(
                    Problem(where, f"the key '{name}' stands here a second time; first at {own[name].where}")
                )
                continue
            own[name] = self.build(value, where)
        return {**merged, **own}


_QUOTE = "put the text in quotes"


def _plain_words(error: Any, text: str) -> tuple[int, str]:
    """The line (from 0) and the message of a syntax error, for people who do not know the words of the parser."""
    problem = str(error.problem or error.context or "is not YAML")
    line = error.problem_mark.line if error.problem_mark else 0
    start = error.context_mark.line if error.context_mark else line
    if "'\\t'" in problem:
        return line, "a tab; YAML is indented with spaces"
    if match := re.search(r"character '(.+)' that cannot start", problem):
        return line, f"a value cannot start with {match[1]}; {_QUOTE}"
    if match := re.search(r"undefined alias '(.*)'", problem):
        return line, f"text that starts with '*' must stand in quotes: '*{match[1]}'"
    if "unknown escape character" in problem:
        return line, "a backslash between double quotes must be written twice; use single quotes instead"
    if "quoted scalar" in str(error.context) and "end of stream" in problem:
        return start, "a quote is opened here and never closed"
    if "mapping values are not allowed" in problem:
        return line, f"a second ':' or a wrong indentation; if the ':' belongs to the text, {_QUOTE}"
    if "sequence entries are not allowed" in problem:
        return line, "a list item ('- ') must stand on its own line"
    if "flow" in str(error.context) and "expected" in problem:
        return start, f"a bracket ([ or {{) is opened here and not closed properly; if it belongs to the text, {_QUOTE}"
    if "single document" in str(error.context):
        return line, "a second '---'; the file must hold one document"
    if "expected <block end>" in problem:
        source = text.splitlines()
        shown = source[line] if line < len(source) else ""
        if error.problem_mark.column > len(shown) - len(shown.lstrip()):
            return line, f"'{shown.strip()}' goes on after its value has ended; {_QUOTE}"
        return line, f"'{shown.strip()}' is indented otherwise than the lines it belongs with"
    if "could not find expected ':'" in problem:
        return start, "a key without ':' after it"
    return line, f"is not YAML: {problem}"
