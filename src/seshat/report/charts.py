"""Small charts as inline SVG: no script, no network, and colours that follow the page.

Every function returns one ``<svg>`` that is safe to put into a page: all text in it is escaped. Colours are classes
(``c0``, ``c1`` …) that the style sheet of the page defines, so that light, dark and paper each have their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

_WIDTH = 460
_LABELS = 128
_ROW = 34
_HEIGHT = 200
_LEFT = 44
_TOP = 12
_COLOURS = 4


class Bar(NamedTuple):
    """A value with its interval."""

    label: str
    value: float
    low: float
    high: float
    strong: bool
    """Drawn in the main colour."""


def bars(rows: Sequence[Bar], title: str, top: float | None = None) -> Markup:
    """Horizontal bars, each with its interval as a whisker.

    Args:
        rows: the bars, from top to bottom.
        title: what is shown, for people who do not see it.
        top: the value at the right edge; the highest interval when not given.
    """
    return grouped_bars([("", rows)], title, top)


def grouped_bars(groups: Sequence[tuple[str, Sequence[Bar]]], title: str, top: float | None = None) -> Markup:
    """Horizontal bars in groups, all on one scale.

    Args:
        groups: a heading (or nothing) and its bars, from top to bottom.
        title: what is shown, for people who do not see it.
        top: the value at the right edge; the highest interval when not given.
    """
    limit = top or nice_limit(max((row.high for _, rows in groups for row in rows), default=1.0))
    parts = []
    y = 6
    for heading, rows in groups:
        if heading:
            parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(_LABELS, y + 15, heading))
            y += _ROW - 6
        for row in rows:
            parts.append(_bar(row, y, limit))
            y += _ROW
    return _svg(parts, y, title)


def _bar(row: Bar, y: int, limit: float) -> Markup:
    span = _WIDTH - _LABELS - 52
    low, high = (_LABELS + span * value / limit for value in (row.low, row.high))
    middle = y + 10
    return Markup(
        '<text x="{}" y="{}" text-anchor="end">{}</text>'
        '<rect class="{}" x="{}" y="{}" width="{:.1f}" height="20" rx="2"/>'
        '<path class="whisker" d="M{:.1f} {}H{:.1f}M{:.1f} {}v10M{:.1f} {}v10"/>'
        '<text class="value" x="{:.1f}" y="{}">{:.1f}</text>'
    ).format(
        _LABELS - 8, y + 15, _short(row.label),
        "c0" if row.strong else "quiet", _LABELS, y, max(span * row.value / limit, 1.0),
        low, middle, high, low, middle - 5, high, middle - 5, high + 6, y + 15, row.value,
    )  # fmt: skip


def histogram(
    edges: Sequence[float], shares: Mapping[str, Sequence[float]], title: str, unit: str, of: str = "% of texts"
) -> Markup:
    """How often values fall where, one step line per series.

    Args:
        edges: the edges of the bins, one more than bins.
        shares: per series, the part of its values in each bin, 0 to 1.
        title: what is shown, for people who do not see it.
        unit: what the values count, under the axis.
        of: what the shares are of.
    """
    lines = {
        name: [
            point for n, share in enumerate(found) for point in ((edges[n], 100 * share), (edges[n + 1], 100 * share))
        ]
        for name, found in shares.items()
    }
    return lines_chart(lines, title, unit, of, from_zero=True)


def lines_chart(
    series: Mapping[str, Sequence[tuple[float, float]]],
    title: str,
    x_name: str,
    y_name: str,
    *,
    from_zero: bool = False,
) -> Markup:
    """Lines through points, one per series, with a legend.

    Args:
        series: points (x, y) by name, in the order of x.
        title: what is shown, for people who do not see it.
        x_name: name of the horizontal axis.
        y_name: name of the vertical axis.
        from_zero: let the vertical axis begin at 0.
    """
    points = [point for found in series.values() for point in found if all(map(math.isfinite, point))]
    if not points:
        return _svg([], 20, title)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x_low, x_high = min(xs), max(xs)
    ticks = _ticks(0.0 if from_zero else min(ys), max(ys))
    y_low, y_high = ticks[0], ticks[-1]
    right, bottom = _WIDTH - 12, _TOP + _HEIGHT

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low) if x_high > x_low else 0.5
        return _LEFT + (right - _LEFT) * across, bottom - _HEIGHT * (y - y_low) / (y_high - y_low)

    parts = [_grid_line(tick, place(x_low, tick)[1], right) for tick in ticks]
    parts += [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            place(x, y_low)[0], bottom + 16, anchor, _number(x)
        )
        for x, anchor in ((x_low, "start"), ((x_low + x_high) / 2, "middle"), (x_high, "end"))
    ]
    parts.append(
        Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{} · {}</text>').format(
            (_LEFT + right) // 2, bottom + 34, x_name, y_name
        )
    )
    # The first of several is what the others are read against: it is drawn quietly.
    for number, (name, found) in enumerate(series.items(), start=0 if len(series) > 1 else 1):
        path = "L".join("{:.1f} {:.1f}".format(*place(*point)) for point in found if all(map(math.isfinite, point)))
        parts.append(Markup('<path class="line s{}" d="M{}"/>').format(number % _COLOURS, path))
        y = bottom + 54 + (number if len(series) > 1 else 0) * 18
        parts.append(
            Markup('<path class="line s{}" d="M{} {}h24"/><text x="{}" y="{}">{}</text>').format(
                number % _COLOURS, _LEFT, y - 4, _LEFT + 32, y, _short(name, 46)
            )
        )
    return _svg(parts, bottom + 48 + 18 * len(series), title)


def nice_limit(value: float) -> float:
    """The next round number: a multiple of half the power of ten below."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    step = 10.0 ** math.floor(math.log10(value)) / 2
    return float(math.ceil(value / step) * step)


def _ticks(low: float, high: float) -> list[float]:
    """Four or so round values that hold ``low`` and ``high`` between them."""
    span = high - low or abs(high) or 1.0
    rough = span / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _grid_line(value: float, y: float, right: int) -> Markup:
    return Markup(
        '<path class="grid" d="M{} {:.1f}H{}"/><text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
    ).format(_LEFT, y, right, _LEFT - 6, y + 4, _number(value))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _short(text: str, longest: int = 17) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _svg(parts: Sequence[Markup], height: int, title: str) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>').format(
        _WIDTH, height, escape(title), title, Markup("").join(parts)
    )
