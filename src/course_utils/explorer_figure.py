"""The picture of an explorer at one setting, drawn with matplotlib.

It stands where scripts are off, in JupyterLab and in the tests. Pure: the same
frames give the same picture.
"""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba

from course_utils.figure import BLUE, GREY, INK, ORANGE, Picture, subplots
from course_utils.frames import extent, labels, ranges
from course_utils.marks import FAINT, STRONG, Heat, Line, Panel, Points, Rule, pins

WIDTH, HEIGHT = 7.0, 3.5  # inches; a page is 7 wide


def draw(panels, frames, pinned, tables, alt) -> Picture:
    """Draw the panels side by side.

    Args:
        panels: list of ``Panel``.
        frames: one list of frames a panel, in the order of its marks.
        pinned: the same for a setting to compare with, or None.
        tables: all rows, from which the axes take their ranges.
        alt: the sentence that says what the picture shows.
    """
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    fig, axes = subplots(rows, columns, alt=alt, size=(WIDTH, rows * HEIGHT))
    for ax in np.ravel(axes)[len(panels) :]:
        ax.remove()
    for i, (ax, panel) in enumerate(zip(np.ravel(axes), panels, strict=False)):
        styles = labels(panel, tables)
        _axes(ax, panel, ranges(panel, tables))
        if pinned:
            for mark, frame in zip(panel.marks, pinned[i], strict=True):
                if pins(mark):
                    _line(ax, mark, frame, {}, GREY)
        for mark, frame in zip(panel.marks, frames[i], strict=True):
            _mark(ax, mark, frame, styles, tables)
        handles, names = ax.get_legend_handles_labels()
        unique = dict(zip(names, handles, strict=True))
        if unique:
            place = {
                "loc": "lower left",
                "bbox_to_anchor": (0, 1),
                "borderaxespad": 0.3,
            }
            ax.legend(unique.values(), unique, ncols=2, **place)
    return fig


def _axes(ax, panel: Panel, limits) -> None:
    ax.set(xlabel=panel.x_label, ylabel=panel.y_label)
    if panel.square:
        ax.set_aspect("equal")
    if panel.log_x:
        ax.set_xscale("log")
    if panel.log_y:
        ax.set_yscale("log")
    if limits["x"]:
        ax.set_xlim(*limits["x"])
    if limits["y"]:
        ax.set_ylim(*limits["y"])
    else:  # words are read from the top
        ax.invert_yaxis()


def _mark(ax, mark, frame, styles, tables) -> None:
    if isinstance(mark, Line):
        _line(ax, mark, frame, styles, mark.colour)
    elif isinstance(mark, Points):
        for name, part in frame.groupby("s", sort=False):
            colour = styles.get(name, (mark.colour,))[0]
            dot = {"s": 14, "linewidths": 0.4, "edgecolors": INK, "zorder": 3}
            ax.scatter(part["x"], part["y"], color=colour, label=name or None, **dot)
    elif isinstance(mark, Rule) and len(frame):
        across = ax.axvline if mark.x else ax.axhline
        value = frame.iloc[0, 0]
        if np.isfinite(value):
            across(value, color=mark.colour, linestyle="--", label=mark.label or None)
    elif isinstance(mark, Heat):
        _heat(ax, mark, frame, *extent(mark, tables))


def _line(ax, mark, frame, styles, colour) -> None:
    for name, part in frame.groupby("s", sort=False):
        own, dashed = styles.get(name, (colour, mark.dashed))
        own = colour if not styles else own
        ax.plot(
            part["x"],
            part["y"],
            color=own,
            linestyle="--" if dashed else "-",
            linewidth=0.8 if mark.thin else 1.8,
            alpha=0.7 if mark.thin else 1,
            label=name if styles and name else None,
        )
        if "low" in part and (part["high"] > part["low"]).any():
            band = {"color": own, "alpha": 0.2, "linewidth": 0}
            ax.fill_between(part["x"], part["low"], part["high"], **band)


def _heat(ax, mark, frame, low, high) -> None:
    if frame.empty:
        return
    grid = frame.pivot(index="y", columns="x", values="v")  # (rows, columns)
    values = grid.to_numpy(float)
    edges = [_edges(np.asarray(axis)) for axis in (grid.columns, grid.index)]
    cells = _colours(mark, values, low, high)
    ax.pcolormesh(*edges, cells, linewidth=0, rasterized=True)
    ax.grid(False)
    for axis, names in ((ax.xaxis, grid.columns), (ax.yaxis, grid.index)):
        if not pd.api.types.is_numeric_dtype(names):
            axis.set_ticks(range(len(names)), names)


def _edges(centres):
    """Edges of cells around evenly spaced centres; words stand at 0, 1, 2 …"""
    if centres.dtype.kind not in "iuf":
        centres = np.arange(len(centres))
    half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
    return np.append(centres - half, centres[-1] + half)


def _colours(mark: Heat, values, low, high):
    """Colours (…, 4) of cells: the page's background shows through the faint ones."""
    middle = low if mark.middle is None else mark.middle
    span = max(high - middle, middle - low) or 1.0
    rgba = np.empty((*values.shape, 4))
    rgba[...] = to_rgba(BLUE)
    rgba[values < middle] = to_rgba(ORANGE)
    most = STRONG if mark.middle is None else FAINT
    rgba[..., 3] = np.nan_to_num(most * np.abs(values - middle) / span)
    return rgba
