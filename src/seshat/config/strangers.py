"""Settings that the files of a project may not decide, or only propose: who reaches this machine, whom it contacts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from seshat.config.tree import Node
from seshat.core import trust
from seshat.core.errors import Problem
from seshat.core.trust import is_loopback

VARIABLES = {"serve.host": "SESHAT_HOST", "serve.database": "SESHAT_DATABASE", "serve.api_key_file": "SESHAT_KEY_FILE"}
"""Settings that open the server, name its key or its database, and the environment variables that hold them."""
OURS = (*VARIABLES, "serve.hosts")
"""Settings of the command line and the environment alone."""
OUTSIDE = ("command line", "environment")
"""How the places begin that are no file."""
_CONTACTS = re.compile(r"translate\.server\.url|augment\..*server|translate\.ray\.address|tracking\.uri|sweep\.storage")


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
