"""What an explorer is made of: controls, marks on panels, and the rows they choose.

A control moves through the values of one column. A mark draws some columns of one
table; where the table has a column named as a control, only the rows at the
control's value are drawn. Knows no renderer: ``frame`` gives every one the same data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from course_utils.figure import BLUE, COLOURS, RED

STRONG, FAINT = 0.8, 0.45  # opacity of the strongest cells: of one colour, of two
SEED = "seed"  # rows that differ only here are one curve with a band


@dataclass(frozen=True)
class Control:
    """A slider over numbers, or a list of words.

    Attributes:
        name: the column that it moves through.
        label, unit: as the reader sees them.
        log: numbers between two grid points are geometric means.
        play: the page offers a button that steps through the values.
        only: control -> values with which this one has any effect.
    """

    name: str
    label: str
    unit: str = ""
    log: bool = False
    play: bool = False
    only: Mapping[str, tuple] = field(default_factory=dict)

    def text(self, value) -> str:
        """A value as the reader sees it, with its unit."""
        word = value if isinstance(value, str) else f"{float(f'{value:.4g}'):,.8g}"
        return f"{word} {self.unit}".strip()


@dataclass(frozen=True)
class Line:
    """A curve through the rows in their order, a band where there are seeds.

    ``series``: column with one labelled curve a value. ``pieces``: column with one
    unlabelled part a value, such as the parts of a contour.
    """

    table: str
    x: str
    y: str
    label: str = ""
    colour: str = BLUE
    dashed: bool = False
    thin: bool = False
    series: str = ""
    pieces: str = ""


@dataclass(frozen=True)
class Points:
    """A dot a row; ``series``: column whose values have a colour each."""

    table: str
    x: str
    y: str
    label: str = ""
    colour: str = BLUE
    series: str = ""


@dataclass(frozen=True)
class Heat:
    """Cells of a regular grid, coloured by ``value``.

    With ``middle``, values below and above it have a colour each (orange, blue) that
    fades towards it; without, cells are the stronger the larger the value.
    """

    table: str
    x: str
    y: str
    value: str
    middle: float | None = None


@dataclass(frozen=True)
class Rule:
    """A straight line across the panel at the column ``x``, or at ``y``."""

    table: str
    x: str = ""
    y: str = ""
    label: str = ""
    colour: str = RED


@dataclass(frozen=True)
class Panel:
    """One pair of axes; a range is (low, high), else taken from the data."""

    x_label: str
    y_label: str
    marks: tuple
    log_x: bool = False
    log_y: bool = False
    x_range: tuple | None = None
    y_range: tuple | None = None


def frame(mark, rows: pd.DataFrame) -> pd.DataFrame:
    """What a mark draws of the chosen rows.

    Returns:
        columns x, y, and by kind: ``low`` and ``high`` over the seeds of a line,
        ``s``, the label of a curve or dot, ``v``, the value of a cell. A row of NaN
        lies between the parts of a broken line.
    """
    if isinstance(mark, Rule):
        column = mark.x or mark.y
        return pd.DataFrame({"x" if mark.x else "y": rows[column].iloc[:1]})
    columns = {"x": rows[mark.x].to_numpy(), "y": rows[mark.y].to_numpy()}
    if isinstance(mark, Heat):
        table = pd.DataFrame({**columns, "v": rows[mark.value].to_numpy()})
        if SEED in rows:
            table = table.groupby(["y", "x"], as_index=False).mean()
        return table.sort_values(["y", "x"])
    table = pd.DataFrame({**columns, "s": _labels(mark, rows)})
    if getattr(mark, "pieces", ""):
        return _parted(table, rows[mark.pieces])
    if isinstance(mark, Points) or SEED not in rows:
        return table
    groups = table.groupby(["s", "x"], sort=False)["y"]
    drawn = groups.agg(y="mean", low="min", high="max").reset_index()
    return drawn[["x", "y", "low", "high", "s"]]


def _labels(mark, rows):
    if mark.series:
        words = rows[mark.series].map(lambda v: v if isinstance(v, str) else f"{v:g}")
        return words.to_numpy()
    return mark.label


def _parted(table, piece):
    """The table with a row of NaN after each piece, so that lines break there."""
    if table.empty:
        return table
    parts = [part for _, part in table.groupby(piece.to_numpy(), sort=False)]
    gap = pd.DataFrame({"x": [np.nan], "y": [np.nan], "s": table["s"].iloc[:1].values})
    return pd.concat([p for part in parts for p in (part, gap)], ignore_index=True)


def labels(panel: Panel, tables: Mapping) -> dict[str, tuple[str, bool]]:
    """Label of every named curve of a panel -> (colour, dashed), in order."""
    found = {}
    for mark in panel.marks:
        if getattr(mark, "series", ""):
            values = dict.fromkeys(_labels(mark, tables[mark.table]))
            for i, value in enumerate(values):
                found[value] = COLOURS[i % len(COLOURS)], i % 2 == 1
        elif getattr(mark, "label", ""):
            dashed = isinstance(mark, Rule) or getattr(mark, "dashed", False)
            found[mark.label] = mark.colour, dashed
    return found


def ranges(panel: Panel, tables: Mapping) -> dict[str, tuple[float, float] | None]:
    """(low, high) of x and y over all settings; None for an axis of words."""
    found = {}
    for axis, given, log in (
        ("x", panel.x_range, panel.log_x),
        ("y", panel.y_range, panel.log_y),
    ):
        columns = [
            tables[mark.table][getattr(mark, axis)]
            for mark in panel.marks
            if getattr(mark, axis)
        ]
        if given or any(not pd.api.types.is_numeric_dtype(c) for c in columns):
            found[axis] = given
            continue
        values = np.concatenate([np.asarray(c, float) for c in columns])
        values = values[np.isfinite(values) & ((values > 0) | (not log))]
        if not len(values):
            raise ValueError(f"{panel.y_label!r}: no finite number for its {axis} axis")
        low, high = values.min(), values.max()
        edge = 0 if log or axis == "x" else 0.04 * (high - low)
        found[axis] = (float(low - edge), float(high + edge or 1))
    return found


def extent(mark: Heat, tables: Mapping) -> tuple[float, float]:
    """(low, high) between which the cells of all settings lie."""
    values = tables[mark.table][mark.value]
    return float(values.min()), float(values.max())
