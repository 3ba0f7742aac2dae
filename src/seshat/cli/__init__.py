"""The command line: verbs that parse, call and print. Everything else is below.

``main`` is the entry point. ``common`` holds what all verbs share, ``pipeline`` the stages, ``tools`` the verbs around
them, ``translate`` the translator.
"""

from __future__ import annotations


def main() -> None:
    """Run ``seshat`` with the arguments of the process; leaves through :class:`SystemExit`."""
    from seshat.cli.app import app

    app()


__all__ = ["main"]
