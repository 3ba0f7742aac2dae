"""The command line: verbs that parse, call and print. Everything else is below.

``main`` is the entry point. ``common`` holds what all verbs share, ``pipeline`` the stages, ``tools`` the verbs around
them, ``translate`` the translator.
"""

from __future__ import annotations

import gc


def main() -> None:
    """Run ``seshat`` with the arguments of the process; leaves through :class:`SystemExit`."""
    # At Python's own 700 objects, importing torch and Transformers makes the collector go over all of them seven times,
    # which is a seventh of the wait.
    gc.set_threshold(10_000)
    from seshat.cli.app import app

    app()


__all__ = ["main"]
