"""The curves of training runs by epoch. Reached as `plots.training_curves`."""

import numpy as np

from .figure import COLOURS, MARKERS, subplots


def training_curves(histories, metric="accuracy", alt=None):
    """Loss by epoch and, where the histories have it, the metric beside it.

    histories: one History; a list of them (the same run from several seeds); or a
        dict, label -> History or list. Of several seeds it draws the mean and a
        band from the lowest to the highest, over the epochs that all of them reached.
    metric: the column `train_<metric>` and `validation_<metric>` of `.epochs`.
    Training is dashed, validation solid. Returns the picture.
    """
    groups = histories if isinstance(histories, dict) else {"": histories}
    groups = {
        label: list(group) if isinstance(group, list | tuple) else [group]
        for label, group in groups.items()
    }
    if not groups or not all(groups.values()):
        raise ValueError("no histories: give at least one History for each label")
    curves = {
        (label, part, name): curve
        for label, group in groups.items()
        for name in dict.fromkeys(["loss", metric])
        for part in ("train", "validation")
        if (curve := _column(group, f"{part}_{name}")) is not None
    }
    names = list(dict.fromkeys(name for _, _, name in curves))
    if "loss" not in names or (metric not in names and metric != "accuracy"):
        have = sorted({key for g in groups.values() for h in g for key in h.epochs})
        raise ValueError(f"no train_{metric} or no train_loss: the columns are {have}")
    fig, axes = subplots(1, len(names), alt=alt or _say_curves(curves))
    for ax, name in zip(np.ravel(axes), names, strict=True):
        for i, label in enumerate(groups):
            for part in ("train", "validation"):
                if (label, part, name) in curves:
                    text = f"{label}, {part}" if label else part
                    _curve(ax, *curves[label, part, name], part, text, i)
        ax.set(xlabel="epoch", ylabel=name)
        ax.xaxis.get_major_locator().set_params(integer=True)
    lines = sorted(
        np.ravel(axes)[0].lines, key=lambda line: line.get_linestyle() == "-"
    )
    fig.legend(handles=lines, loc="outside upper center", ncols=min(2, len(lines)))
    return fig


def _column(group, key):
    """(epochs (E,), values (seeds, E)) of one column; None if no run recorded it."""
    runs = [h.epochs for h in group if len(h.epochs.get(key) or ())]
    if not runs:
        return None
    if len(runs) < len(group):
        raise ValueError(f"only {len(runs)} of {len(group)} seeds have {key!r}")
    length = min(len(run[key]) for run in runs)
    values = np.array([run[key][:length] for run in runs], dtype=float)
    epochs = np.asarray(runs[0].get("epoch") or range(1, length + 1))[:length]
    return None if np.isnan(values).all() else (epochs, values)


def _curve(ax, epochs, values, part, label, i):
    """Draw one column: a line, and a band where there are several seeds."""
    colour = COLOURS[i % len(COLOURS)]
    every = max(1, len(epochs) // 8)
    ax.plot(
        epochs,
        values.mean(0),
        color=colour,
        linestyle="--" if part == "train" else "-",
        marker=MARKERS[i % len(MARKERS)],
        markevery=every,
        markersize=4.5,
        label=label,
    )
    if len(values) > 1:
        ends = values.min(0), values.max(0)
        ax.fill_between(epochs, *ends, color=colour, alpha=0.2, linewidth=0)


def _say_curves(curves):
    """A sentence with the last value of every curve."""
    said = []
    for (label, part, name), (epochs, values) in curves.items():
        last = values[:, -1]
        text = f"{label + ': ' if label else ''}{part} {name} {last.mean():.3g}"
        if len(last) > 1:
            text += f" (from {last.min():.3g} to {last.max():.3g}, {len(last)} seeds)"
        said.append(f"{text} after epoch {epochs[-1]:g}")
    return "Curves by epoch. " + "; ".join(said) + "."
