"""What marks draw of the rows that the controls choose, the same for every renderer."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from course_utils.figure import COLOURS
from course_utils.marks import Heat, Panel, Points, Rule

SEED = "seed"  # rows that differ only here are one curve with a band


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
        columns = {axis: _in_order(column) for axis, column in columns.items()}
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


def _in_order(column):
    """Words that sort as they come; numbers as they are."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    return pd.Categorical(column, categories=pd.unique(column), ordered=True)


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
        drawn = [mark for mark in panel.marks if getattr(mark, axis)]
        columns = [tables[mark.table][getattr(mark, axis)] for mark in drawn]
        if given or any(not pd.api.types.is_numeric_dtype(c) for c in columns):
            found[axis] = given
            continue
        reached = [_reached(m, c) for m, c in zip(drawn, columns, strict=True)]
        values = np.concatenate(reached)
        values = values[np.isfinite(values) & ((values > 0) | (not log))]
        if not len(values):
            raise ValueError(f"{panel.y_label!r}: no finite number for its {axis} axis")
        low, high = values.min(), values.max()
        cells = any(isinstance(mark, Heat) for mark in drawn)
        edge = 0 if log or cells or axis == "x" else 0.04 * (high - low)
        found[axis] = (float(low - edge), float(high + edge or 1))
    return found


def _reached(mark, column):
    """The numbers of an axis, of cells also the outer edges."""
    numbers = np.asarray(column, float)
    if not isinstance(mark, Heat):
        return numbers
    centres = np.unique(numbers[np.isfinite(numbers)])
    half = np.diff(centres).min() / 2 if len(centres) > 1 else 0.5
    return np.append(numbers, [numbers.min() - half, numbers.max() + half])


def extent(mark: Heat, tables: Mapping) -> tuple[float, float]:
    """(low, high) between which the cells of all settings lie."""
    values = tables[mark.table][mark.value]
    return float(values.min()), float(values.max())
