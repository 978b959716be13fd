"""Panels and marks as Vega-Lite, through Altair; the page's script brings the data.

The data of mark i are called ``m<i>``, those of a pinned setting ``p<i>``.
"""

import altair as alt
import numpy as np

from course_utils.figure import GREY
from course_utils.frames import labels, ranges
from course_utils.marks import Heat, Line, Panel, Points, Rule, pins

# Labels of a logarithmic axis: plain numbers where these are short.
POWERS = (
    "abs(log(datum.value)) < log(2e4) ? format(datum.value, '~g')"
    " : format(datum.value, '~e')"
)


def spec(panel: Panel, tables) -> dict:
    """The Vega-Lite specification of a panel; its data come from the page's script."""
    styles = labels(panel, tables)
    limits = ranges(panel, tables)
    layers = [
        layer
        for pinned in (True, False)
        for i, mark in enumerate(panel.marks)
        for layer in _layers(
            mark, f"{'p' if pinned else 'm'}{i}", panel, limits, styles
        )
        if not pinned or pins(mark)
    ]
    chart = alt.layer(*layers).properties(
        width="container", height="container", autosize=alt.AutoSizeParams(type="fit")
    )
    found = chart.to_dict()
    # The page's script has a configuration for light and dark, and asks nobody else.
    del found["config"], found["$schema"]
    return found


def _axis(kind, axis, panel, limits):
    """The x or y channel of a panel."""
    log = panel.log_x if axis == "x" else panel.log_y
    title = panel.x_label if axis == "x" else panel.y_label
    if limits[axis] is None:
        # Words stand in the order of the rows, also where a setting brings new ones.
        order = alt.EncodingSortField(field="i", op="min")
        return kind(f"{axis}:N", title=title, sort=order)
    shape = {"type": "log"} if log else {"zero": False}
    scale = alt.Scale(domain=limits[axis], nice=False, **shape)
    ticks = {}
    if log:
        ticks["axis"] = alt.Axis(labelExpr=POWERS, values=_ticks(*limits[axis]))
    return kind(f"{axis}:Q", title=title, scale=scale, **ticks)


def _ticks(low, high) -> list[float]:
    """Where a logarithmic axis is labelled: powers of ten, and 2 and 5 if few."""
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    few = len(decades) <= 4
    every = max(1, len(decades) // 6)
    digits = (1, 2, 5) if few else (1,)
    ticks = [d * 10.0**power for power in decades[::every] for d in digits]
    return [float(f"{tick:.1g}") for tick in ticks if low <= tick <= high]


def _layers(mark, source, panel, limits, styles):
    """The Altair charts of one mark, reading the data called ``source``."""
    chart = alt.Chart(alt.NamedData(source))
    x, y = _axis(alt.X, "x", panel, limits), _axis(alt.Y, "y", panel, limits)
    if isinstance(mark, Heat):
        # The script gives each cell its edges, its colour and how strong it is.
        place = {"x": x, "y": y}
        for axis in place.copy():
            if limits[axis]:
                place[axis] = _at(place[axis], f"{axis}0")
                place[f"{axis}2"] = f"{axis}1"
        colour, strength = alt.Fill("c:N", scale=None), alt.Opacity("o:Q", scale=None)
        yield chart.mark_rect(clip=True).encode(fill=colour, opacity=strength, **place)
        return
    named = getattr(mark, "label", "") or getattr(mark, "series", "")
    pinned = source[0] == "p"
    style = _named(styles, panel) if named and not pinned else {}
    style.setdefault("color", alt.value(GREY if pinned else mark.colour))
    if isinstance(mark, Line):
        if not mark.thin:
            band = {"x": x, "y": _at(y, "low"), "y2": "high", "color": style["color"]}
            yield chart.mark_area(opacity=0.2, clip=True).encode(detail="s:N", **band)
        line = chart.mark_line(strokeWidth=1 if mark.thin else 2, clip=True)
        yield line.encode(x=x, y=y, order="i:Q", detail="s:N", **style)
    elif isinstance(mark, Points):
        style.pop("strokeDash", None)
        dots = chart.mark_circle(
            size=28, opacity=1, stroke="currentColor", strokeWidth=0.5, clip=True
        )
        yield dots.encode(x=x, y=y, **style)
    elif isinstance(mark, Rule):
        where = {"x": x} if mark.x else {"y": y}
        style.setdefault("strokeDash", alt.value([5, 3]))
        yield chart.mark_rule(strokeWidth=1.5, clip=True).encode(**where, **style)


def _at(channel, field):
    """The same axis, reading another field."""
    other = channel.copy()
    other.shorthand = f"{field}:Q"
    return other


def _named(styles, panel) -> dict:
    """Channels that give labelled curves their colour, dashes and legend."""
    names = list(styles)
    curves = any(
        isinstance(mark, (Line, Rule)) and (mark.label or getattr(mark, "series", ""))
        for mark in panel.marks
    )
    symbol = {"symbolType": "stroke", "symbolSize": 300} if curves else {}
    legend = alt.Legend(title=None, orient="top", columnPadding=18, **symbol)
    colours = [colour for colour, _ in styles.values()]
    dashes = [[5, 3] if dashed else [1, 0] for _, dashed in styles.values()]
    palette = alt.Scale(domain=names, range=colours)
    strokes = alt.Scale(domain=names, range=dashes)
    return {
        "color": alt.Color("s:N", scale=palette, legend=legend),
        "strokeDash": alt.StrokeDash("s:N", scale=strokes, legend=legend),
    }
