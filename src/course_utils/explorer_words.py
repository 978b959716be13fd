"""Settings of a run and numbers over seeds, in a reader's words."""

from dataclasses import replace

import numpy as np

from course_utils.marks import Control

STEPPED = ("momentum", "adam", "Adam")  # the optimisers that have a momentum

#: the columns that a sweep may have, as a reader sees them
SETTINGS = {
    c.name: c
    for c in (
        Control("optimizer", "Optimiser"),
        Control("learning_rate", "Learning rate η", log=True),
        Control("momentum", "Momentum β", only={"optimizer": STEPPED}),
        Control("weight_decay", "Weight decay γ", log=True),
        Control("initial_scale", "Initial scale", log=True),
        Control("label_noise", "Labels made wrong"),
        Control("train_size", "Training examples", log=True),
        Control("width", "Width", unit="neurons a layer", log=True),
        Control("depth", "Hidden layers"),
        Control("activation", "Activation"),
        Control("data", "Data"),
        Control("surface", "Surface"),
        Control("start", "Start"),
    )
}


def require(table, *columns) -> None:
    """Raise a ValueError where a table is empty or lacks a column."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(f"the table lacks {missing}: it has {list(table)}")
    if table.empty:
        raise ValueError("the table is empty: train something first")


def controls_of(table, names) -> list[Control]:
    """Controls for those of the named columns that have more than one value."""
    found = []
    for name in names:
        values = table[name].unique().tolist()
        if len(values) < 2:
            continue
        control = SETTINGS.get(name, Control(name, name.replace("_", " ").capitalize()))
        only = {
            other: tuple(v for v in allowed if v in set(table[other]))
            for other, allowed in control.only.items()
            if other in table and table[other].nunique() > 1
        }
        found.append(replace(control, only=only))
    return found


def spread(values, form="{:.3g}") -> str:
    """ "0.21 (0.20 to 0.23)": mean and extremes; the mean alone if they agree."""
    mean, low, high = (form.format(f(values)) for f in (np.mean, np.min, np.max))
    return mean if low == high else f"{mean} ({low} to {high})"
