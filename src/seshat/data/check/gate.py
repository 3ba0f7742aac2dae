"""What keeps records out of training, and whether the normalisation profiles do what their examples say."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from seshat.core.records import Meta, Segment
from seshat.data.check.base import Check, Finding, Places, percent
from seshat.text.normalise import profile_failures

_MANY = 0.1

_TAGS = {
    "clean:too-short": "clean.filters.min_characters",
    "clean:too-long": "clean.filters.max_characters",
    "clean:length-ratio": "clean.filters.max_length_ratio",
    "clean:wrong-script": "clean.filters.min_script_share",
    "clean:copied": "clean.filters.max_copied_share",
    "clean:repetition": "clean.filters.max_repetition",
    "clean:other-language": "clean.filters.max_foreign_words",
    "align:low-confidence": "align.min_confidence",
}
"""Tag -> the setting that decides it."""


class Profiles(Check):
    """The tests of the normalisation profiles."""

    name = "profiles"

    def findings(self) -> Iterator[Finding]:
        clean = self.view.config.clean
        for tag, profile in clean.profiles.items():
            for failure in profile_failures(profile, clean.placeholders):
                yield self.found(
                    "error",
                    f"A test of the normalisation profile of '{tag}' fails: {failure}.",
                    Places(1, [f"seshat.yaml, clean.profiles.{tag}.tests"]),
                    "Mend the rule, or the test if it asks for the wrong thing.",
                )
            if profile.rules and not profile.tests:
                yield self.found(
                    "info",
                    f"The normalisation profile of '{tag}' has rules and no tests.",
                    advice="Three lines of `tests: [{in: …, out: …}]` keep a later rule from breaking an earlier one.",
                )

    def stats(self) -> dict[str, Any]:
        return {tag: len(profile.tests) for tag, profile in self.view.config.clean.profiles.items()}


class Tags(Check):
    """What the filters dislike, and what the split leaves out."""

    name = "tags"

    def start(self) -> None:
        self.tags: dict[str, Places] = defaultdict(Places)
        self.total = 0
        self.left_out: Counter[str] = Counter()

    def segment(self, segment: Segment) -> None:
        self.total += 1
        for tag in segment.meta.tags:
            self.tags[tag].add(segment.meta)

    def findings(self) -> Iterator[Finding]:
        for tag, places in sorted(self.tags.items(), key=lambda item: (-item[1].count, item[0])):
            consequence = (
                "left out of training"
                if self.view.config.split.excludes(tag)
                else "kept: split.exclude_tags does not name it"
            )
            setting = f"; the threshold is {_TAGS[tag]}" if tag in _TAGS else ""
            yield self.found(
                "warning" if places.count > _MANY * self.total else "info",
                f"{places.count} segments ({percent(places.count, self.total)}) are tagged {tag}, {consequence}.",
                places,
                f"Look at some of them{setting}.",
            )
        yield from self._split()

    def _split(self) -> Iterator[Finding]:
        path = self.view.project.processed / "report.json"
        if path.exists():
            report = json.loads(path.read_text(encoding="utf-8"))
            self.left_out.update(report.get("excluded", {}))
            for warning in report.get("warnings", ()):
                yield self.found("warning", warning)

    def stats(self) -> dict[str, Any]:
        return {
            "tagged": {tag: places.count for tag, places in sorted(self.tags.items())},
            "left_out_by_split": dict(sorted(self.left_out.items())),
        }


class Levels(Check):
    """Access levels and methods that keep records out of this run."""

    name = "access"

    def start(self) -> None:
        self.levels: Counter[str] = Counter()
        self.closed: dict[tuple[str, str], Places] = defaultdict(Places)

    def meta(self, meta: Meta, refusal: str | None) -> None:
        self.levels[meta.access] += 1
        if refusal is not None:
            self.closed[meta.source or "unknown", meta.access].add(meta)

    def findings(self) -> Iterator[Finding]:
        most = self.view.config.project.max_access
        closed = sum(places.count for places in self.closed.values())
        if closed and closed == self.levels.total():
            yield self.found(
                "error",
                f"Every record is less open than project.max_access ({most}): nothing is left to train on.",
                advice="Give each source its `access` (unknown reads as restricted), or raise project.max_access if "
                "this run may use them.",
            )
        for (source, level), places in sorted(self.closed.items()):
            yield self.found(
                "info",
                f"{places.count} records of '{source}' are {level} and stay out (project.max_access: {most}).",
                places,
            )

    def stats(self) -> dict[str, Any]:
        return {str(level): count for level, count in sorted(self.levels.items())}
