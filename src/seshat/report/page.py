"""Pages as single files: no script, no network, colours that follow the reader's, everything escaped."""

from __future__ import annotations

from typing import Any

from seshat.report.differences import compare
from seshat.report.results import Against
from seshat.scores.significance import SIGNIFICANT
from seshat.scores.table import Difference


def page(template: str, **values: Any) -> str:
    """A page.

    Args:
        template: its name below ``report/templates``.
        values: what it shows.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seshat.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marks"] = significance_marks
    environment.globals["compare"] = compare
    return environment.get_template(template).render(level=SIGNIFICANT, **values).rstrip() + "\n"


def significance_marks(difference: Difference | Against, low_is_better: bool = False) -> str:
    """``↑`` significantly better than the reference system, ``↓`` worse, ``≈`` not told apart."""
    if difference.p >= SIGNIFICANT:
        return "≈"
    return "↑" if (difference.score > 0) != low_is_better else "↓"
