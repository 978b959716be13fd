"""Signals from layer to layer. Reached as ``explorers.signal_by_depth``."""

import numpy as np

from course_utils.explorer import Explorer
from course_utils.explorer_words import controls_of, require, spread
from course_utils.figure import BLUE, GREEN
from course_utils.marks import Line, Panel

LEAST, MOST = 1e-8, 1e4  # beyond these a panel shows nothing more


def signal_by_depth(table, *, name="signal-by-depth", train=None, defaults=None):
    """Size of activations and of gradients from layer to layer.

    Args:
        table: columns that become controls, then ``seed``, ``layer`` (from 1),
            ``activation_size`` and ``gradient_size``, root mean squares; a column
            that is missing has no panel.
        name, train, defaults: as in ``training_curves``.
    """
    require(table, "seed", "layer")
    columns = list(table)
    kinds = {
        "activation_size": ("activation", BLUE),
        "gradient_size": ("gradient", GREEN),
    }
    panels = []
    for column, (what, colour) in kinds.items():
        if column in table:
            sizes = table[column][np.isfinite(table[column])]
            limits = max(sizes.min(), LEAST), min(sizes.max(), MOST)
            curve = Line("layers", "layer", column, colour=colour)
            label = f"root mean square of the {what}"
            panels.append(Panel("layer", label, (curve,), log_y=True, y_range=limits))
    if not panels:
        raise ValueError(f"the table has none of {list(kinds)}: it has {columns}")
    controls = controls_of(table, columns[: columns.index("seed")])
    tables = {"layers": table}
    return Explorer(name, tables, controls, panels, say_signal, train, defaults)


def say_signal(rows) -> str:
    """How much a signal changes on its way through the layers."""
    layers, said = rows["layers"], []
    depth = layers["layer"].max()
    first, last = (
        layers[layers["layer"] == layer].set_index("seed")
        for layer in (layers["layer"].min(), depth)
    )
    if "activation_size" in layers:
        factor = last["activation_size"] / first["activation_size"]
        said.append(
            f"From the first layer to layer {depth} the activations are multiplied "
            f"by {spread(factor)}"
        )
    if "gradient_size" in layers:
        factor = first["gradient_size"] / last["gradient_size"]
        said.append(
            f"from layer {depth} back to the first the gradients are multiplied "
            f"by {spread(factor)}"
        )
    text = ", and ".join(said)
    return f"{text[0].upper()}{text[1:]}, over {len(last)} networks."
