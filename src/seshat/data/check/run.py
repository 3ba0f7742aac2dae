"""The data doctor: what is wrong with the data of a project, in plain words, with file and line.

Works on whatever is there: raw files (read for the purpose), ingested, cleaned or split records. Nothing is written.
What each finding means stands in ``docs/check.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from seshat.core.errors import DataError
from seshat.core.progress import track
from seshat.data.check import CHECKS, View
from seshat.data.check.base import show
from seshat.project.folder import Project
from seshat.report.page import page

_ORDER = {"error": 0, "warning": 1, "info": 2}


def run(project: Project) -> dict[str, Any]:
    """Look over the data.

    Returns:
        ``stage`` (what was looked at), ``failed`` (whether there is an error), ``levels`` (findings per level),
        ``findings`` (see :class:`seshat.data.check.Finding`, errors first) and ``stats`` (figures per check).

    Raises:
        DataError: there is nothing to look at.
    """
    view = View(project)
    if view.stage == "raw" and not project.config.ingest.sources:
        raise DataError(
            "there is nothing to check: ingest.sources is empty.",
            f"Put files below {project.raw} and name them in seshat.yaml, under ingest: sources:",
        )
    checks = [kind(view) for kind in CHECKS if not kind.two_sided or len(view.languages) > 1]
    for record in track(view.records(), "checking"):
        show(record, checks, project.gate)
    findings = [finding for check in checks for finding in check.findings()]
    findings.sort(key=lambda finding: _ORDER[finding.level])
    levels = Counter(finding.level for finding in findings)
    return {
        "stage": view.stage,
        "failed": levels["error"] > 0,
        "levels": {level: levels[level] for level in ("error", "warning", "info")},
        "findings": [finding.as_dict() for finding in findings],
        "stats": {check.name: stats for check in checks if (stats := check.stats())},
    }


def page_of(report: Mapping[str, Any], project: Project) -> str:
    """The findings as a page. As in the terminal, places are named, and no text is quoted."""
    return page("check.html.j2", report=report, project=project.config.project.name)


def text(report: Mapping[str, Any]) -> Iterator[str]:
    """The findings of a report for people, one paragraph each, without markup."""
    for finding in report["findings"]:
        yield f"{finding['level'].upper():7} {finding['check']}: {finding['message']}"
        if finding["where"]:
            more = ", …" if finding["count"] > len(finding["where"]) else ""
            yield f"        at {', '.join(finding['where'])}{more}"
        if finding["advice"]:
            yield f"        {finding['advice']}"
    levels = report["levels"]
    yield f"{levels['error']} errors, {levels['warning']} warnings, {levels['info']} remarks."
