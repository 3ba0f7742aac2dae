"""What is shared by everything that calls Thot."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Sequence
from types import ModuleType

from seshat.core.errors import SeshatError

Pair = tuple[Sequence[str], Sequence[str]]
"""Tokens of a source and of a target text."""


def thot_module(name: str) -> ModuleType:
    """``thot.alignment``, ``thot.common`` or ``thot.translation``.

    Raises:
        SeshatError: Thot is not installed, as on Linux on Arm, for which it has no package.
    """
    try:
        return importlib.import_module(f"thot.{name}")
    except ModuleNotFoundError as error:
        raise SeshatError(
            "The statistical family needs the package 'sil-thot', which is not installed here "
            f"({platform.system()} {platform.machine()}).",
            "It has packages for Linux x86-64, macOS arm64 and Windows (pip install sil-thot), none for Linux on Arm. "
            "There, train again: the word-by-word model stands in.",
        ) from error
