"""Seshat: from a folder of materials in a low-resource language to a measured translator.

    import seshat

    project = seshat.open("projects/sample")
    project.run(until="evaluate")                       # what `seshat run` does
    translator = seshat.load(project, "qlm-es")
    print(translator.translate(["Dawanri tirenkero."])[0])
    train = seshat.read(project, "train").to_pandas()
    print(seshat.evaluate(hypotheses, references))

What stands in ``__all__`` is the public face: it keeps its names. Everything else may change with any release. Errors
that Seshat raises on purpose are a :class:`SeshatError`; the tree stands in :mod:`seshat.core.errors`. Nothing heavy is
imported before it is needed.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for true; `typing` costs half of what this module does
if TYPE_CHECKING:
    from typing import Any

    from seshat.core.errors import (
        CheckFailed,
        ConfigError,
        DataError,
        MissingPackage,
        ProjectBusy,
        PromptMismatch,
        SeshatError,
        UsageError,
    )
    from seshat.face import Evaluation, Loaded, Opened, Records, Score, Translation, evaluate, load, open, read  # noqa: A004

__version__ = "0.1.0"
__all__ = [
    "CheckFailed",
    "ConfigError",
    "DataError",
    "Evaluation",
    "Loaded",
    "MissingPackage",
    "Opened",
    "ProjectBusy",
    "PromptMismatch",
    "Records",
    "Score",
    "SeshatError",
    "Translation",
    "UsageError",
    "__version__",
    "evaluate",
    "load",
    "open",
    "read",
]
_FACE = {"Evaluation", "Loaded", "Opened", "Records", "Score", "Translation", "evaluate", "load", "open", "read"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'seshat' has no attribute '{name}'")
    return getattr(import_module("seshat.face" if name in _FACE else "seshat.core.errors"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
