"""Exceptions to messages and exit codes.

0 all went well; 1 something is wrong with the data or the machine; 2 with the command line or the configuration;
130 stopped by Ctrl-C; 141 the reader of our output went away.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import typer

from seshat.core.errors import SeshatError

INTERRUPTED = 130
PIPE_CLOSED = 141


def guard(work: Callable[[], None], *, debug: Callable[[], bool], root: Callable[[], Path | None]) -> int:
    """Do the work of a verb; returns the exit code and says on standard error what went wrong.

    Args:
        work: the verb.
        debug: whether a mistake of ours is shown with its traceback; asked after the work.
        root: the project folder, where known, to save that traceback in; asked after the work.
    """
    try:
        work()
        sys.stdout.flush()
    except typer.Exit as wanted:
        return wanted.exit_code
    except SeshatError as error:
        say(f"seshat: {error.message}", error=True)
        if error.hint:
            say(error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        say("\nseshat: stopped; run the same command again to go on")
        return INTERRUPTED
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        if debug():
            traceback.print_exc()
        else:
            say(f"seshat: unexpected {type(error).__name__}: {error}", error=True)
            say(f"This is a mistake in Seshat. The full story is in {save_crash(root())}: please report it with that.")
        return 1
    return 0


def save_crash(root: Path | None) -> Path:
    """Write the traceback of the exception being handled to a file; returns the file."""
    folder = root / ".seshat" if root else Path(tempfile.gettempdir())
    name = time.strftime("crash-%Y%m%d-%H%M%S.txt")
    for place in (folder, Path(tempfile.gettempdir())):
        try:
            place.mkdir(parents=True, exist_ok=True)
            path = place / name
            path.write_text(f"seshat {' '.join(sys.argv[1:])}\n\n{traceback.format_exc()}", encoding="utf-8")
        except OSError:
            continue
        return path
    return folder / name


def say(message: str, *, error: bool = False) -> None:
    """A line of text on standard error; an error is red on a terminal, unless NO_COLOR is set."""
    if error and sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        message = typer.style(message, fg="red")
    print(message, file=sys.stderr, flush=True)  # noqa: T201
