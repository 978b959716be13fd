"""Optimisers on surfaces of two parameters. Reached as ``explorers.loss_path``."""

import numpy as np

from course_utils.explorer import Explorer
from course_utils.explorer_words import controls_of, require
from course_utils.figure import GREY, ORANGE, PURPLE
from course_utils.marks import Line, Panel, Points, Rule

COLUMNS = ["surface", "optimizer", "learning_rate", "momentum", "start"]


def loss_path(paths, contours, *, name="loss-path", train=None, defaults=None):
    """Optimisers on surfaces of two parameters: path, loss, and stability.

    Args:
        paths: what ``surfaces.paths`` returns; contours: ``surfaces.contours``.
        name, train, defaults: as in ``training_curves``.
    """
    require(paths, *COLUMNS, "step", "x", "y", "loss", "sharpness", "limit")
    require(contours, "surface", "piece", "x", "y")
    starts = paths[paths["step"] == 0].drop(columns="step")
    reach = {f"{a}_range": (contours[a].min(), contours[a].max()) for a in "xy"}
    losses = paths["loss"][paths["loss"].between(1e-6, 1e3, inclusive="neither")]
    curved = paths["sharpness"][paths["sharpness"] > 0].quantile([0.02, 0.98])
    limits = paths["limit"].min() / 1.2, paths["limit"].max() * 1.2
    panels = [
        Panel(
            "first parameter",
            "second parameter",
            (
                Line("contours", "x", "y", colour=GREY, thin=True, pieces="piece"),
                Line("paths", "x", "y"),
                Points("paths", "x", "y", label="one step"),
                Points("starts", "x", "y", label="start", colour=ORANGE),
            ),
            **reach,
            square=True,
        ),
        Panel("step", "loss", (Line("paths", "step", "loss"),), log_y=True,
              y_range=(losses.min(), losses.max())),
        Panel(
            "step",
            "largest curvature",
            (
                Line("paths", "step", "sharpness", "along the path", PURPLE),
                Rule("paths", y="limit", label="stable below"),
            ),
            log_y=True,
            y_range=(min(curved.min(), limits[0]), max(curved.max(), limits[1])),
        ),
    ]  # fmt: skip
    tables = {"paths": paths, "contours": contours, "starts": starts}
    controls = controls_of(paths, COLUMNS)
    return Explorer(name, tables, controls, panels, say_path, train, defaults)


def say_path(rows) -> str:
    """Where the path ends, how far the loss fell, and on which side of the limit."""
    path = rows["paths"]
    there = path[np.isfinite(path["loss"])]
    first, last = there.iloc[0], there.iloc[-1]
    if len(there) < len(path) or last["loss"] > 100 * first["loss"]:
        end = f"The run diverged: after {last['step']:.0f} steps its loss was "
        end += f"{last['loss']:.2g}, from {first['loss']:.2g} at the start. "
    else:
        end = f"In {last['step']:.0f} steps the loss went from {first['loss']:.2g} to "
        end += f"{last['loss']:.2g}. "
    beyond = (there["sharpness"] > there["limit"]).mean()
    return end + (
        f"The limit of stability is a curvature of {last['limit']:.3g}; "
        f"the path was above it in {beyond:.0%} of its steps."
    )
