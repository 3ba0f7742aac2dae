"""What ``seshat check`` looks at: one module per group of checks, one class per check.

:data:`CHECKS` lists them in the order of the report. ``docs/check.md`` says what each finding means.
"""

from seshat.data.check.base import Check, Finding, Level, View
from seshat.data.check.characters import Characters, Forms, Lookalikes, ScriptMix
from seshat.data.check.counts import Counts, Rejects
from seshat.data.check.damage import Damaged
from seshat.data.check.duplicates import Duplicates, Leaks
from seshat.data.check.gate import Levels, Profiles, Tags
from seshat.data.check.sides import Copied, Lengths, OneSided, Swapped
from seshat.data.check.unseen import Unseen

CHECKS: tuple[type[Check], ...] = (
    Counts,
    Rejects,
    Profiles,
    OneSided,
    Swapped,
    Copied,
    Lengths,
    Damaged,
    Forms,
    ScriptMix,
    Lookalikes,
    Characters,
    Duplicates,
    Leaks,
    Unseen,
    Tags,
    Levels,
)

__all__ = ["CHECKS", "Check", "Finding", "Level", "View"]
