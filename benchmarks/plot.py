"""Two kinds of pictures as SVG, readable on light and on dark pages: bars beside each other, and lines over sizes.

A picture embedded by ``<img>`` cannot see the page's colours: its own are of middle lightness, readable on both sides,
and become brighter where the reader's system prefers dark pages.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH: Final = 720
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
MIDDLE: Final = ("#2f81f7", "#c96a10", "#2da44e", "#9a67f0", "#e0483f", "#768390", "#1594a5")
DARK: Final = ("#79b8ff", "#f0a35e", "#7ee787", "#d2a8ff", "#ff9b93", "#b1bac4", "#66d9e8")
SHAPES: Final = ("", "6 3", "2 3", "8 3 2 3", "12 4", "1 4", "4 4")
"""Dashes, so that colour is not all that tells the lines apart."""


def _style() -> str:
    def rules(ink: str, faint: str, colours: Sequence[str]) -> str:
        series = "".join(
            f".f{number}{{fill:{colour}}}.s{number}{{stroke:{colour}}}" for number, colour in enumerate(colours)
        )
        return f"text{{fill:{ink}}}.grid{{stroke:{faint}}}{series}"

    return (
        f"<style>text{{font:13px {FONT}}}.title{{font-size:15px;font-weight:600}}.grid{{stroke-width:1}}"
        f"path{{fill:none;stroke-width:2}}{rules('#6b7280', '#9aa3ad55', MIDDLE)}"
        f"@media (prefers-color-scheme:dark){{{rules('#c9d1d9', '#8b949e55', DARK)}}}</style>"
    )


def _picture(title: str, height: float, parts: Sequence[str]) -> str:
    name = escape(title)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" role="img" aria-label="{name}"><title>{name}</title>'
    )
    return "\n".join([head, _style(), _text(0, 18, title, "title"), *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="grid"/>'


def short(value: float) -> str:
    """Return *value* with about three figures."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - what a reader takes in


def bars(title: str, values: Mapping[str, float], ours: str, unit: str = "") -> str:
    """Draw one bar a value; those whose name begins with *ours* stand out."""
    left, right, step, top = 290, 90, 26, 36
    scale = (WIDTH - left - right) / max([*values.values(), 1e-9])
    parts = []
    for place, (name, value) in enumerate(values.items()):
        y = top + place * step
        length = max(value, 0) * scale
        colour = 0 if name.startswith(ours) else 5
        parts += [
            _text(left - 10, y + 14, name, anchor="end"),
            f'<rect x="{left}" y="{y}" width="{length:.1f}" height="18" rx="2" class="f{colour}"/>',
            _text(left + length + 6, y + 14, f"{short(value)} {unit}".strip()),
        ]
    return _picture(title, top + len(values) * step + 8, parts)


def lines(title: str, series: Mapping[str, Mapping[int, float]], x_unit: Mapping[int, str]) -> str:
    """Draw a line a series over the keys of *x_unit*, both axes logarithmic."""
    left, right, top, bottom, height = 80, 210, 40, 40, 380
    xs = sorted(x_unit)
    ys = [value for points in series.values() for value in points.values() if value > 0]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def x_of(x: int) -> float:
        return left + (math.log10(x / xs[0]) / math.log10(xs[-1] / xs[0])) * (WIDTH - left - right)

    def y_of(y: float) -> float:
        return height - bottom - (math.log10(y) - low) / max(high - low, 1) * (height - top - bottom)

    parts: list[str] = []
    for power in range(low, high + 1):
        y = y_of(10**power)
        label = f"{10**power:,}" if power >= 0 else f"{10**power:g}"
        parts += [_line(left, y, WIDTH - right, y), _text(left - 8, y + 4, label, anchor="end")]
    parts += [_text(x_of(x), height - bottom + 20, label, anchor="middle") for x, label in x_unit.items()]
    ends: list[float] = []
    for number, (name, points) in sorted(
        enumerate(series.items()), key=lambda item: -y_of(max(item[1][1][max(item[1][1])], 1e-9)), reverse=True
    ):
        drawn = [(x_of(x), y_of(y)) for x, y in sorted(points.items()) if y > 0]
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in drawn)
        dashes = f' stroke-dasharray="{SHAPES[number % len(SHAPES)]}"' if SHAPES[number % len(SHAPES)] else ""
        parts.append(f'<path d="M{path}" class="s{number % len(MIDDLE)}"{dashes}/>')
        # Names stand at the ends of the lines, pushed apart where lines end together.
        y = max(drawn[-1][1] + 4, ends[-1] + 16 if ends else 0)
        ends.append(y)
        parts.append(_text(drawn[-1][0] + 8, y, name, f"f{number % len(MIDDLE)}"))
    return _picture(title, max(height, max(ends) + 12), parts)
