"""The life of an explorer in a page without a kernel: data, marks and sentences.

``element`` gives the HTML that the book's ``explorer.js`` brings to life. Without
scripts it is a picture, a sentence and a table. The numbers of all settings stand in
it once each, in columns; what is the same at two settings is stored once.
"""

import itertools
import json
from html import escape

import numpy as np
import pandas as pd

from course_utils.explorer_spec import spec
from course_utils.figure import BLUE, ORANGE
from course_utils.frames import extent, labels, ranges
from course_utils.marks import FAINT, STRONG, Heat, Rule, pins

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NOTHING = "."  # a cell without a number is not drawn


def element(explorer) -> str:
    """The explorer as an HTML element, with everything that its script needs."""
    settings = explorer.defaults
    data = json.dumps(payload(explorer), separators=(",", ":"), allow_nan=False)
    data = data.replace("<", r"\u003c")  # a tag in a string could end the element
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(said)}</td></tr>"
        for name, said in table(explorer)
    )
    return (
        f'<div class="explorer" id="explorer-{explorer.name}">'
        f'<div class="explorer-still">{explorer.draw().svg()}</div>'
        f'<p class="explorer-says">{escape(explorer.say(settings))}</p>'
        f'<details class="explorer-table"><summary>The same as a table</summary>'
        f"<table><thead><tr><th scope='col'>Setting</th>"
        f"<th scope='col'>What is seen</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></details>"
        f'<script type="application/json">{data}</script></div>'
    )


def table(explorer):
    """(setting, sentence) at the default, and with one control moved at a time."""
    default = explorer.defaults
    yield explorer.title(default), explorer.say(default)
    for control in explorer.controls:
        values = explorer.values[control.name]
        ends = values if len(values) <= 12 else [values[0], values[-1]]
        for value in ends:
            if value != default[control.name]:
                settings = default | {control.name: value}
                yield f"{control.label}: {control.text(value)}", explorer.say(settings)


def payload(explorer) -> dict:
    """All that the page's script needs, as what JSON can hold."""
    names = [control.name for control in explorer.controls]
    controls = [
        {
            "name": c.name,
            "label": c.label,
            "unit": c.unit,
            "texts": [c.text(v) for v in explorer.values[c.name]],
            "words": isinstance(explorer.values[c.name][0], str),
            "play": c.play,
            "only": _only(c, explorer.values, names),
            "start": explorer.values[c.name].index(explorer.defaults[c.name]),
        }
        for c in explorer.controls
    ]
    pool = {}  # a column as text -> its place among the columns of the page
    panels = [
        {
            "spec": spec(panel, explorer.tables),
            "square": panel.square,
            "named": max(map(len, labels(panel, explorer.tables)), default=0),
            "worded": None in ranges(panel, explorer.tables).values(),
            "marks": [_drawn(explorer, mark, pool) for mark in panel.marks],
        }
        for panel in explorer.panels
    ]
    said = _choices(explorer, names, explorer.say)
    return {
        "name": explorer.name,
        "controls": controls,
        "panels": panels,
        "columns": [json.loads(text) for text in pool],
        "says": said,
    }


def _only(control, values, names):
    """Index of another control -> indices of its values with which this one works."""
    return {
        names.index(other): [values[other].index(v) for v in allowed]
        for other, allowed in control.only.items()
    }


def _choices(explorer, names, at) -> dict:
    """What ``at`` gives at every choice of the named controls, each thing once.

    Returns:
        by: indices of the controls; index: for every choice, the last control
        running fastest, the place of its item in ``items``.
    """
    every = [control.name for control in explorer.controls]
    places, index = {}, []
    for values in itertools.product(*(explorer.values[name] for name in names)):
        settings = explorer.defaults | dict(zip(names, values, strict=True))
        text = json.dumps(at(settings), allow_nan=False)
        index.append(places.setdefault(text, len(places)))
    return {
        "by": [every.index(name) for name in names],
        "index": index,
        "items": [json.loads(text) for text in places],
    }


def _drawn(explorer, mark, pool) -> dict:
    """The frames of a mark by choice, their columns as places in the pool."""
    names = explorer.chosen_by(mark.table)
    span = extent(mark, explorer.tables) if isinstance(mark, Heat) else None

    def places(settings):
        columns = _columns(explorer, mark, settings, span)
        texts = {name: json.dumps(column) for name, column in columns.items()}
        return {name: pool.setdefault(text, len(pool)) for name, text in texts.items()}

    found = _choices(explorer, names, places) | {"pins": pins(mark)}
    if span:
        middle = span[0] if mark.middle is None else mark.middle
        found["heat"] = {
            "span": span,
            "middle": middle,
            "colours": [ORANGE, BLUE],
            "opacity": STRONG if mark.middle is None else FAINT,
        }
    return found


def _columns(explorer, mark, settings, span) -> dict:
    frame = explorer.frame(mark, settings)
    if span is None:
        columns = {name: _short(frame[name]) for name in frame}
        if isinstance(mark, Rule):
            columns["s"] = mark.label
        return columns
    low, high = span
    share = (frame["v"].to_numpy(float) - low) / ((high - low) or 1)
    cells = np.rint(np.nan_to_num(share) * (len(DIGITS) - 1)).astype(int)
    axes = {axis: _short(pd.Series(frame[axis].unique())) for axis in "xy"}
    drawn = zip(cells, np.isfinite(share), strict=True)
    return axes | {"v": "".join(DIGITS[c] if there else NOTHING for c, there in drawn)}


def _short(column) -> list | str:
    """Numbers with four digits, NaN and infinity as null; one word if all are it."""
    if not pd.api.types.is_numeric_dtype(column):
        words = column.astype(str).tolist()
        return words[0] if len(set(words)) == 1 else words
    numbers = (float(f"{v:.4g}") if np.isfinite(v) else None for v in column)
    return [int(n) if n is not None and n == int(n) else n for n in numbers]
