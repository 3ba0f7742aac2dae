"""Chat templates that somebody else wrote: looked at before they are used.

A template is a program in Jinja's sandbox, which keeps it from files and the network, and not from running for ever or
filling the memory. So each is first tried on a short chat in a process of its own, with limits.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys

from seshat.core.errors import DataError

LONGEST = 200_000
"""Characters; the templates of published models have up to some ten thousand."""
SECONDS = 10.0
"""For a chat of three short turns, the start of Python included; a sound template takes milliseconds."""
MEGABYTES = 1_000
"""Of memory that the trial may take."""
_TRAINED = re.compile(r"\{%(-?)\s*(end)?generation\s*(-?)%\}")
_HINT = "Do not use this model, or give it another template: prompt.chat_template."
_TRIAL = """
import json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
except ImportError:  # not on Windows
    pass
from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
environment.filters["tojson"] = lambda value, **options: json.dumps(value)
def refuse(message):
    raise TemplateError(message)
environment.globals.update(raise_exception=refuse, strftime_now=lambda form: "2026")
turns = ("system", "Be brief."), ("user", "What is it?"), ("assistant", "A word.")
messages = [{"role": role, "content": content} for role, content in turns]
try:
    text = environment.from_string(json.load(sys.stdin)).render(
        messages=messages, add_generation_prompt=False, enable_thinking=False, bos_token="", eos_token="", tools=None)
    sys.exit(5 if len(text) > 1_000_000 else 0)
except MemoryError:
    sys.exit(5)
except Exception:
    sys.exit(0)  # whoever uses it says what is wrong with it
"""


@functools.cache
def check_template(template: str) -> None:
    """Try a template; once in a process.

    Raises:
        DataError: it is too long, takes too long, or too much memory.
    """
    if len(template) > LONGEST:
        raise DataError(f"the chat template has {len(template):,} characters, more than {LONGEST:,}.", _HINT)
    command = [sys.executable, "-I", "-c", _TRIAL, str(MEGABYTES * 1_000_000)]
    try:
        done = subprocess.run(
            command, input=json.dumps(portable(template)), text=True, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"the chat template takes longer than {SECONDS:g} s for three short turns.", _HINT) from error
    if done.returncode:
        raise DataError(f"the chat template fills more than {MEGABYTES:,} MB for three short turns.", _HINT)


def portable(template: str) -> str:
    """A chat template without the marks around what is trained.

    ``{% generation %}`` is an extension of Transformers; llama.cpp and others stop at it. A condition that always
    holds takes its place, so that white space is cut as before.
    """
    return _TRAINED.sub(lambda mark: f"{{%{mark[1]} {'endif' if mark[2] else 'if true'} {mark[3]}%}}", template)
