"""Data in, picture out: the drawings that several chapters need.

Every picture has an alternative text and reads in the light and the dark theme.
Knows neither training nor widgets: it draws what it is given.
"""

import numpy as np

from .curves import training_curves
from .figure import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    LINE_STYLES,
    MARKERS,
    ORANGE,
    PURPLE,
    RED,
    Picture,
    subplots,
)
from .grids import confusion_matrix, image_grid, whole_labels

__all__ = [
    "BLUE", "ORANGE", "GREEN", "RED", "PURPLE", "GREY", "COLOURS", "LINE_STYLES",
    "MARKERS", "Picture", "subplots", "training_curves", "decision_boundary",
    "image_grid", "confusion_matrix", "histograms",
]  # fmt: skip


def _scores(predict, points):
    """What predict gives for points (m, 2), as scores (m, K)."""
    scores = np.asarray(predict(points.astype(np.float32)), dtype=float)
    if scores.shape in {(len(points),), (len(points), 1)}:  # one logit: class 1 if > 0
        scores = np.stack([np.zeros(len(points)), scores.ravel()], axis=1)
    if scores.ndim != 2 or len(scores) != len(points):
        raise ValueError(
            f"predict gave shape {scores.shape} for points {points.shape}: "
            "return (m, K) class scores, or (m,) logits of class 1"
        )
    if not np.isfinite(scores).all():
        raise ValueError("predict gave NaN or infinity: look whether training diverged")
    return scores


def decision_boundary(predict, split, ax=None, alt=None):
    """The regions that a classifier gives to each class, and the labelled points.

    predict: function of points (m, 2) that returns logits or class scores (m, K), or
        one logit (m,), positive for class 1 (from a probability subtract 0.5).
    split: has x (n, 2) and integer labels y (n,).
    ax: axes to draw into, then without a legend; else a new picture is made.
    Returns the picture.
    """
    x, y = np.asarray(split.x), np.asarray(split.y)
    if len(x) == 0 or x.shape != (len(y), 2) or y.ndim != 1:
        raise ValueError(
            f"x {x.shape} and y {y.shape}: give two features (n, 2) and labels (n,)"
        )
    y = whole_labels(y)
    low, high = x.min(0), x.max(0)
    edge = 0.08 * (high - low) + 1e-6
    grid = np.meshgrid(*np.linspace(low - edge, high + edge, 160).T)
    scores = _scores(predict, np.stack([g.ravel() for g in grid], axis=1))  # (m, K)
    right = (_scores(predict, x).argmax(1) == y).mean()
    alone = ax is None
    if alone:
        alt = alt or (
            f"Regions of {scores.shape[1]} classes over two features. "
            f"{right:.1%} of the {len(x)} points lie in the region of their class."
        )
        _, ax = subplots(alt=alt, size=(7.0, 4.6))
    for k in range(max(scores.shape[1], int(y.max()) + 1)):
        colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
        if k < scores.shape[1]:
            _region(ax, grid, scores, k, colour)
        points = {"s": 18, "linewidths": 0.4, "edgecolors": INK, "label": f"class {k}"}
        ax.scatter(*x[y == k].T, color=colour, marker=marker, zorder=3, **points)
    ax.grid(False)
    ax.set(xlabel="feature 1", ylabel="feature 2")
    if alone:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), handletextpad=0.2)
    return ax.figure


def _region(ax, grid, scores, k, colour):
    """Fill where class k scores highest, with a line along its border."""
    margin = scores[:, k] - np.delete(scores, k, axis=1).max(1)
    margin = margin.reshape(grid[0].shape)
    if margin.max() > 0:
        levels = [0, margin.max() * 1.01]
        ax.contourf(*grid, margin, levels, colors=[colour], alpha=0.22)
        if margin.min() < 0:
            ax.contour(*grid, margin, [0], colors=[colour], linewidths=1)


def histograms(values, bins=50, ax=None, alt=None, xlabel="value"):
    """The distributions of several arrays over common bins.

    values: dict, label -> array of any shape. The height of a bar is the share of
    the label's values that fall into the bin. Returns the picture.
    """
    values = {label: np.asarray(v, dtype=float).ravel() for label, v in values.items()}
    if not values:
        raise ValueError("nothing to draw: give a dict, label -> array")
    for label, v in values.items():
        if not len(v) or not np.isfinite(v).all():
            raise ValueError(f"{label!r} is empty or holds NaN or infinity: mask those")
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins)
    if ax is None:
        said = "; ".join(
            f"{label}: mean {v.mean():.3g}, standard deviation {v.std():.3g}"
            for label, v in values.items()
        )
        _, ax = subplots(alt=alt or f"Histograms. {said}.")
    for i, (label, v) in enumerate(values.items()):
        share = np.histogram(v, edges)[0] / len(v)
        colour = COLOURS[i % len(COLOURS)]
        line = {"linestyle": LINE_STYLES[i % len(LINE_STYLES)], "linewidth": 1.8}
        ax.stairs(share, edges, fill=True, color=colour, alpha=0.15)
        ax.stairs(share, edges, color=colour, label=label, **line)
    ax.set(xlabel=xlabel, ylabel="share of values", ylim=(0, None))
    ax.legend()
    return ax.figure
