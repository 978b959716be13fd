"""Regions that a network learns. Reached as ``explorers.decision_boundary``."""

import numpy as np
import pandas as pd

from course_utils.explorer import Explorer
from course_utils.explorer_words import controls_of, require, spread
from course_utils.figure import BLUE, ORANGE
from course_utils.marks import Control, Heat, Line, Panel, Points, Rule


def decision_boundary(
    runs, cells, points, *, name="decision-boundary", train=None, defaults=None
):
    """The regions of two classes while a network learns them.

    Args:
        runs: what ``sweep`` returns, with a column ``data`` if there are several sets.
        cells: the same settings, then ``epoch`` (from 0, a part of them), ``x``, ``y``
            and ``p``, the probability of class 1 there, of one seed.
        points: ``data``, ``x``, ``y`` and ``class``, 0 or 1: training examples.
        name, train, defaults: as in ``training_curves``.
    """
    require(runs, "seed", "epoch", "train_loss", "validation_loss", "diverged")
    names = list(runs)[: list(runs).index("seed")]
    controls = controls_of(runs, names)
    require(cells, *(control.name for control in controls), "epoch", "x", "y", "p")
    require(points, "x", "y", "class")
    epochs = np.sort(cells["epoch"].unique())
    curves = runs.rename(columns={"epoch": "passed"})
    now = pd.DataFrame({"epoch": epochs, "now": epochs})
    classes = points.assign(**{"class": "class " + points["class"].astype(str)})
    tables = {"runs": curves, "cells": cells, "now": now}
    dots = []
    for label, colour in (("class 0", ORANGE), ("class 1", BLUE)):
        tables[label] = classes[classes["class"] == label]
        dots.append(Points(label, "x", "y", label=label, colour=colour))
    lines = (
        Line("runs", "passed", "train_loss", "training", ORANGE, dashed=True),
        Line("runs", "passed", "validation_loss", "validation"),
        Rule("now", x="now", label="this epoch"),
    )
    losses = runs["validation_loss"][np.isfinite(runs["validation_loss"])]
    high = min(float(losses.max()), 2.0)
    low = min(max(float(losses.min()), 1e-2), high / 10)
    panels = [
        Panel("feature 1 (s.d.)", "feature 2 (s.d.)",
              (Heat("cells", "x", "y", "p", middle=0.5), *dots),
              x_range=_reach(cells["x"]), y_range=_reach(cells["y"]), square=True),
        Panel("epoch", "loss (nats)", lines, log_y=True, y_range=(low, high)),
    ]  # fmt: skip
    controls.append(Control("epoch", "Epoch", play=True))
    last = {"epoch": int(epochs[-1])} | dict(defaults or {})
    return Explorer(name, tables, controls, panels, say_boundary, train, last)


def _reach(centres) -> tuple[float, float]:
    """From the first to the last edge of the cells around evenly spaced centres."""
    centres = np.unique(centres)
    half = (centres[-1] - centres[0]) / max(1, len(centres) - 1) / 2
    return float(centres[0] - half), float(centres[-1] + half)


def say_boundary(rows) -> str:
    """What class 1 holds of the map at the epoch shown, and how good the runs are."""
    runs, now = rows["runs"], int(rows["now"]["now"].iloc[0])
    if runs["diverged"].any():
        return "A seed diverged: its loss stopped being a number."
    share = (rows["cells"]["p"].to_numpy() > 0.5).mean()
    said = f"After epoch {now} class 1 holds {share:.0%} of the map"
    here = runs["passed"].to_numpy() == now
    if not here.any():
        return said + ", before any training."
    names = "validation_accuracy", "validation_loss"
    accuracy, loss = (runs[name].to_numpy()[here] for name in names)
    return (
        f"{said}; validation accuracy {spread(accuracy, '{:.1%}')}, "
        f"loss {spread(loss)}, over {here.sum()} seeds."
    )
