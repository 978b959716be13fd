"""Signals from layer to layer. Reached as ``explorers.signal_by_depth``."""

import numpy as np

from course_utils.explorer import Explorer
from course_utils.explorer_words import controls_of, require
from course_utils.figure import BLUE, GREEN, ORANGE
from course_utils.marks import Line, Panel

LEAST, MOST = 1e-16, 1e4  # beyond these a panel shows nothing more
CLEAR = 0.95  # a factor from here on is read as such, below it as a division
COLOURS = {"activation": BLUE, "gradient": GREEN}
POWER = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def signal_by_depth(table, *, name="signal-by-depth", train=None, defaults=None):
    """Size of activations and of gradients from layer to layer.

    Args:
        table: columns that become controls, then ``seed``, ``layer`` (from 1),
            ``activation_size`` and ``gradient_size``, root mean squares; a column
            that is missing has no panel. ``activation_predicted`` and
            ``gradient_predicted``, where there, are drawn dashed.
        name, train, defaults: as in ``training_curves``.
    """
    require(table, "seed", "layer")
    columns = list(table)
    panels = [_panel(table, what) for what in COLOURS if f"{what}_size" in table]
    if not panels:
        sizes = [f"{what}_size" for what in COLOURS]
        raise ValueError(f"the table has none of {sizes}: it has {columns}")
    controls = controls_of(table, columns[: columns.index("seed")])
    tables = {"layers": table}
    return Explorer(name, tables, controls, panels, say_signal, train, defaults)


def _panel(table, what) -> Panel:
    """The measured size by layer and, where there is one, the predicted size."""
    size, theory = f"{what}_size", f"{what}_predicted"
    sizes = table[size][np.isfinite(table[size])]
    limits = max(sizes.min(), LEAST), min(sizes.max(), MOST)
    word = "measured" if theory in table else ""
    marks = [Line("layers", "layer", size, label=word, colour=COLOURS[what])]
    if theory in table:
        marks.append(Line("layers", "layer", theory, "predicted", ORANGE, dashed=True))
    label = f"root mean square of the {what}"
    return Panel("layer", label, tuple(marks), log_y=True, y_range=limits)


def say_signal(rows) -> str:
    """How much a signal changes on its way through the layers."""
    layers, said = rows["layers"], []
    depth = layers["layer"].max()
    first, last = (
        layers[layers["layer"] == layer].set_index("seed")
        for layer in (layers["layer"].min(), depth)
    )
    for what, ways, start, end in (
        ("activation", f"from the first layer to layer {depth}", first, last),
        ("gradient", f"from layer {depth} back to the first", last, first),
    ):
        if f"{what}_size" not in layers:
            continue
        factor = end[f"{what}_size"] / start[f"{what}_size"]
        shrinks = factor.max() < CLEAR
        verb = "divided" if shrinks else "multiplied"
        said.append(f"{ways} the {what}s are {verb} by {_spread(factor, shrinks)}")
        if f"{what}_predicted" in layers:
            theory = end[f"{what}_predicted"] / start[f"{what}_predicted"]
            said[-1] += f", in theory by {_spread(theory, shrinks)}"
    text = ", and ".join(said)
    return f"{text[0].upper()}{text[1:]}, over {len(last)} networks."


def _spread(factor, shrinks) -> str:
    """Mean and extremes of what a signal is multiplied by, or divided by."""
    factor = 1 / factor if shrinks else factor
    mean, low, high = map(_number, (factor.mean(), factor.min(), factor.max()))
    return mean if low == high else f"{mean} ({low} to {high})"


def _number(value) -> str:
    """Three digits of a number: 0.52, 45.3, 37,700, 8.9 × 10¹²."""
    if not np.isfinite(value) or 1e-3 < abs(value) < 999.5:
        return f"{value:.3g}"
    if 1 < abs(value) < 1e6:
        return f"{float(f'{value:.3g}'):,.0f}"
    digits, power = f"{value:.2e}".split("e")
    return f"{float(digits):g} × 10{str(int(power)).translate(POWER)}"
