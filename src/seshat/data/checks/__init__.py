"""What ``seshat check`` looks at: one module per group of checks, one class per check.

:data:`CHECKS` lists them in the order of the report. ``docs/check.md`` says what each finding means.
"""

from seshat.data.checks.base import Check, Finding, Level, View
from seshat.data.checks.characters import Characters, Forms, Lookalikes, ScriptMix
from seshat.data.checks.counts import Counts, Rejects
from seshat.data.checks.duplicates import Duplicates, Leaks
from seshat.data.checks.gate import Gate, Profiles, Tags
from seshat.data.checks.sides import Copied, Lengths, OneSided, Swapped
from seshat.data.checks.unseen import Unseen

CHECKS: tuple[type[Check], ...] = (
    Counts,
    Rejects,
    Profiles,
    OneSided,
    Swapped,
    Copied,
    Lengths,
    Forms,
    ScriptMix,
    Lookalikes,
    Characters,
    Duplicates,
    Leaks,
    Unseen,
    Tags,
    Gate,
)

__all__ = ["CHECKS", "Check", "Finding", "Level", "View"]
