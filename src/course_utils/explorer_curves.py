"""Runs by epoch. Reached as ``explorers.training_curves``."""

import numpy as np

from course_utils.explorer import Explorer
from course_utils.explorer_words import controls_of, require, spread
from course_utils.figure import ORANGE
from course_utils.marks import Line, Panel

EDGE = 1.1  # factor between the outermost loss and the end of its axis


def training_curves(runs, *, name="training-curves", train=None, defaults=None):
    """Loss and accuracy by epoch, of any columns of a sweep.

    Args:
        runs: what ``sweep`` returns; its columns before ``seed`` become controls.
        name: of the explorer in the page's address.
        train: what ``sweep.trainer`` returns, to train values off the grid.
        defaults: control -> value shown first.
    """
    require(runs, "seed", "epoch", "train_loss", "validation_loss", "diverged")
    columns = list(runs)
    columns = columns[: columns.index("seed")]
    losses = runs[["train_loss", "validation_loss"]].to_numpy(float)
    losses = losses[np.isfinite(losses) & (losses > 0)]
    if not len(losses):
        raise ValueError("no run has a finite loss: there is no curve to draw")
    # A few runs on their way to infinity must not flatten all the others.
    high = min(losses.max(), max(np.quantile(losses, 0.95), 30 * np.median(losses)))
    limits = max(losses.min(), 1e-4) / EDGE, high * EDGE
    classes = _scored(runs)
    label = "loss (nats)" if classes else "loss"
    panels = [_by_epoch("loss", label, limits, log=True)]
    if classes:
        lowest = float(runs[["train_accuracy", "validation_accuracy"]].min().min())
        limits = max(min(lowest, 0.9) - 0.02, 0.0), 1.01
        panels.append(_by_epoch("accuracy", "accuracy", limits))
    controls = controls_of(runs, columns)
    return Explorer(
        name, {"runs": runs}, controls, panels, say_training, train, defaults
    )


def _scored(runs) -> bool:
    """Whether the runs classify: those that fit numbers have no accuracy."""
    return "validation_accuracy" in runs and runs["validation_accuracy"].notna().any()


def _by_epoch(metric, label, limits, log=False) -> Panel:
    curves = (
        Line("runs", "epoch", f"train_{metric}", "training", ORANGE, dashed=True),
        Line("runs", "epoch", f"validation_{metric}", "validation"),
    )
    return Panel("epoch", label, curves, log_y=log, y_range=limits)


def say_training(rows) -> str:
    """What the curves of the chosen runs show: end, best epoch, gap, divergence."""
    runs = rows["runs"]
    lost = runs.groupby("seed")["diverged"].any()
    if lost.all():
        first = runs.loc[runs["diverged"], "epoch"].min()
        return f"All {len(lost)} seeds diverged, the first in epoch {first}."
    kept = runs[~runs["seed"].isin(lost.index[lost])]
    last = kept[kept["epoch"] == kept["epoch"].max()]
    epochs = int(last["epoch"].iloc[0])
    said = f"After {epochs} epoch{'s' * (epochs > 1)} the validation loss is "
    said += spread(last["validation_loss"])
    if _scored(last):
        said += f" and the accuracy {spread(last['validation_accuracy'], '{:.1%}')}"
    said += f" over {len(last)} seeds. " if len(last) > 1 else ". "
    mean = kept.groupby("epoch")["validation_loss"].mean()
    gap = (last["validation_loss"] - last["train_loss"]).mean()
    gap = f"{abs(gap):.2g} {'above' if gap > 0 else 'below'} the training loss"
    if mean.idxmin() == mean.index[-1]:
        said += f"The loss is lowest there, and lies {gap}. "
    else:
        risen = mean.iloc[-1] / mean.min() - 1
        said += f"The loss was lowest, {mean.min():.3g}, after epoch {mean.idxmin()}"
        said += f" and has risen by {risen:.0%} since; it lies {gap}. "
    if lost.any():
        return said + f"{lost.sum()} of {len(lost)} seeds diverged."
    return said + "No seed diverged."
