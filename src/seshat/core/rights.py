"""What archives and communities say about who may see and use something, in terms that the gate knows.

The codes of archives are those of the lists that lameta ships (https://github.com/onset/lameta, accessProtocols.csv,
MIT) and of the archives' own pages. The labels are those of Local Contexts (https://localcontexts.org/labels/): they
are carried unchanged, and some of them close a record by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from seshat.core.records import Access

_COMMON = {
    "open": Access.PUBLIC,
    "public": Access.PUBLIC,
    "unrestricted": Access.PUBLIC,
    "unrestricted access": Access.PUBLIC,
    "protected": Access.REGISTERED,
    "registered": Access.REGISTERED,
    "users": Access.REGISTERED,
    "community": Access.COMMUNITY,
    "restricted": Access.RESTRICTED,
    "closed": Access.SEALED,
    "sealed": Access.SEALED,
}
"""Words that several archives use alike."""
ARCHIVES: dict[str, dict[str, Access]] = {
    # Endangered Languages Archive: open, users, subscribers; older: user, researcher, community, subscriber.
    "elar": {
        "o": Access.PUBLIC,
        "u": Access.REGISTERED,
        "user": Access.REGISTERED,
        "r": Access.REGISTERED,
        "researcher": Access.REGISTERED,
        "c": Access.COMMUNITY,
        "s": Access.RESTRICTED,
        "subscriber": Access.RESTRICTED,
    },
    # Archive of the Indigenous Languages of Latin America: public, password, time limit, control by the depositor.
    "ailla": {
        "1": Access.PUBLIC,
        "level 1": Access.PUBLIC,
        "l1": Access.PUBLIC,
        "2": Access.RESTRICTED,
        "level 2": Access.RESTRICTED,
        "l2": Access.RESTRICTED,
        "3": Access.SEALED,
        "level 3": Access.SEALED,
        "l3": Access.SEALED,
        "4": Access.SEALED,
        "level 4": Access.SEALED,
        "l4": Access.SEALED,
    },
    # Pacific and Regional Archive for Digital Sources in Endangered Cultures.
    "paradisec": {"o": Access.PUBLIC, "c": Access.RESTRICTED},
    # Alaska Native Language Archive; "no access until" a date is an embargo, closed until somebody gives the date.
    "anla": {"no access until": Access.SEALED, "no access": Access.SEALED},
    # The Language Archive (Nijmegen).
    "tla": {
        "level 1": Access.PUBLIC,
        "level 2": Access.REGISTERED,
        "level 3": Access.RESTRICTED,
        "level 4": Access.SEALED,
    },
    # Archive of Indigenous Languages and Cultures (AILCA): free, users, researchers and community, community, special.
    "ailca": {
        "f": Access.PUBLIC,
        "u": Access.REGISTERED,
        "rc": Access.COMMUNITY,
        "c": Access.COMMUNITY,
        "s": Access.SEALED,
        "unspecified": Access.SEALED,
    },
}
"""Archive -> its code in lower case -> level, beside :data:`_COMMON`."""
LABELS: dict[str, Access] = {
    "TK SS": Access.SEALED,  # secret or sacred
    "TK MR": Access.RESTRICTED,  # men restricted
    "TK WR": Access.RESTRICTED,  # women restricted
    "TK CS": Access.RESTRICTED,  # culturally sensitive
    "TK CO": Access.COMMUNITY,  # community use only
}
"""Labels of Local Contexts that close a record, and how far. Others are carried, and close nothing."""


def level(text: str, archive: str | None = None) -> Access | None:
    """The level of a code; ``None`` for one that is not known, which reads as restricted.

    Args:
        text: one of Seshat's levels, or a word or code of the archive.
        archive: a key of :data:`ARCHIVES`; without it only words that mean the same everywhere are known.
    """
    code = " ".join(text.split()).casefold()
    return ARCHIVES.get(archive or "", {}).get(code) or _COMMON.get(code)


def closed_by(labels: Iterable[str]) -> Access:
    """How far labels close a record by default; public where none does."""
    found = (LABELS.get(" ".join(label.split()).upper(), Access.PUBLIC) for label in labels)
    return max(found, key=lambda one: one.level, default=Access.PUBLIC)


def parts(text: str | Iterable[str]) -> tuple[str, ...]:
    """A list as cells write it, parted by commas, semicolons or bars; a list stays one."""
    if not isinstance(text, str):
        return tuple(text)
    for sign in ",|":
        text = text.replace(sign, ";")
    return tuple(part.strip() for part in text.split(";") if part.strip())


def later(first: str | None, second: str | None) -> str | None:
    """The stricter of two embargoes (ISO 8601 dates); one that is no date never ends."""
    both = [one.strip() for one in (first, second) if one and one.strip()]
    return max(both, key=until, default=None)


def until(embargo: str) -> date:
    """The first day on which something may be used; far away for what is no date."""
    try:
        return date.fromisoformat(embargo.strip())
    except ValueError:
        return date.max


def common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """The purposes that two lists both allow; an empty list allows all, ``("none",)`` nothing."""
    if not first or not second:
        return first or second
    return tuple(one for one in first if one in second) or ("none",)
