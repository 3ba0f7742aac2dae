"""``python -m benchmarks list`` and ``python -m benchmarks run NAME``."""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def summaries() -> dict[str, str]:
    """Name and summary of every benchmark, read without running it."""
    found: dict[str, str] = {}
    for path in sorted(HERE.glob("*.py")):
        summary = _summary(path)
        if summary is not None:
            found[path.stem] = summary
    return found


def _summary(path: Path) -> str | None:
    """The value of ``SUMMARY`` in a module; ``None`` when it has none and so is no benchmark."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "SUMMARY" for target in targets):
                return str(ast.literal_eval(node.value))
    return None


def run(name: str) -> Path:
    """Run a benchmark and write its figures; returns the file."""
    module = importlib.import_module(f"benchmarks.{name}")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with machine.Meter() as meter:
        figures: dict[str, Any] = module.main()
    result = {
        "benchmark": name,
        "summary": module.SUMMARY,
        "figures": figures,
        "run": {"started": started, **meter.figures, "revision": machine.revision(), "machine": machine.describe()},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="what each benchmark compares")
    # A name is optional for the parser only: `make bench` without NAME then gets our own message.
    verbs.add_parser("run", help="run one").add_argument("name", nargs="?", default="")
    given = parser.parse_args(arguments)
    known = summaries()
    if given.verb == "list":
        width = max(map(len, known), default=0)
        for name, summary in known.items():
            print(f"{name:<{width}}  {summary}")
        return 0
    if given.name not in known:
        close = difflib.get_close_matches(given.name, known, n=1)
        what = f"There is no benchmark '{given.name}'." if given.name else "Which benchmark?"
        hint = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(known) or 'none yet'}."
        print(f"{what} {hint}", file=sys.stderr)
        return 2
    print(f"Written: {run(given.name).relative_to(HERE.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
