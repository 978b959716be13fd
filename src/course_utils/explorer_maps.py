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
    limits = max(float(losses.min()), 1e-3), min(float(losses.max()), 2.0)
    panels = [
        Panel("feature 1 (s.d.)", "feature 2 (s.d.)",
              (Heat("cells", "x", "y", "p", middle=0.5), *dots)),
        Panel("epoch", "loss (nats)", lines, log_y=True, y_range=limits),
    ]  # fmt: skip
    controls.append(Control("epoch", "Epoch", play=True))
    last = {"epoch": int(epochs[-1])} | dict(defaults or {})
    return Explorer(name, tables, controls, panels, say_boundary, train, last)


def say_boundary(rows) -> str:
    """How many points lie on their side by the epoch shown, and at the end."""
    runs, now = rows["runs"], int(rows["now"]["now"].iloc[0])
    if runs.groupby("seed")["diverged"].any().any():
        return "A seed diverged: its loss stopped being a number."
    at = runs[runs["passed"] == now]
    share = (rows["cells"]["p"] > 0.5).mean()
    said = f"After epoch {now} class 1 holds {share:.0%} of the map"
    if len(at):
        said += ", and the validation accuracy is "
        said += spread(at["validation_accuracy"], "{:.1%}")
        said += f" with a loss of {spread(at['validation_loss'])} over {len(at)} seeds"
    else:
        said += ", before any training"
    return said + "."
