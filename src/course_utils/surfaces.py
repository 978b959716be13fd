"""Surfaces by name, and the paths that optimisers take on them.

All paths of one call are stepped together. Knows nothing of pictures.
"""

from functools import cache
from itertools import product

import contourpy
import numpy as np
import pandas as pd

from course_utils.landscapes import (
    CURVATURE,
    WINDOW,
    Surface,
    grid,
    network_slice,
    quadratic,
    rosenbrock,
)
from course_utils.reference import OPTIMIZERS, optimizer_step

NAMES = ("bowl", "ravine", "Rosenbrock", "network slice")
FAR = 1e6 * WINDOW[1]  # beyond it a path has diverged
RULES = {
    "gradient descent": "sgd",
    "momentum": "momentum",
    "RMSprop": "rmsprop",
    "Adam": "adam",
}
SETTING = ["surface", "optimizer", "learning_rate", "momentum", "start"]


@cache
def find(name: str) -> Surface:
    """One of ``NAMES``; the network behind the slice is trained when first asked for.

    Raises:
        ValueError: for another name.
    """
    along = np.deg2rad(120)  # of the ravine's floor
    floor = (1.6 * np.cos(along), 1.6 * np.sin(along))
    if name == "bowl":
        return quadratic(
            (CURVATURE, 5.0), 0, {"left": (-1.6, 1.2), "right": (1.7, 0.6)}
        )
    if name == "ravine":
        return quadratic((CURVATURE, 0.4), 30, {"left": (-1.8, 0.5), "right": floor})
    if name == "Rosenbrock":
        return rosenbrock(10.0, {"left": (-1.2, 1.2), "right": (1.7, -1.5)})
    if name == "network slice":
        return network_slice({"left": (-0.2, 1.6), "right": (0.3, -1.7)})
    raise ValueError(f"no surface {name!r}: there are {list(NAMES)}")


def paths(
    surface, optimizer, learning_rate, momentum, start=("left",), steps=60
) -> pd.DataFrame:
    """The path of every combination of settings.

    Args:
        surface, optimizer, learning_rate, momentum, start: lists of ``NAMES``,
            of keys of ``RULES``, of η, of β (of momentum, and β1 of Adam; the other
            two do not use it), and of names of starts.
        steps: updates of each path.

    Returns:
        columns surface, optimizer, learning_rate, momentum, start, step (from 0), x,
        y, loss, ``sharpness``, the largest eigenvalue of the Hessian after the
        optimiser's scaling of each parameter, and ``limit``, the sharpness above
        which its steps would grow on a quadratic. A path that left is NaN.

    Sources: Polyak (1964) for momentum; for RMSprop and Adam, whose scaling changes
    slowly, the limit is an approximation, Cohen et al. (2022).
    """
    unknown = set(optimizer) - set(RULES)
    if unknown:
        raise ValueError(f"unknown optimizer {unknown}: choose from {list(RULES)}")
    tables = []
    for name, rule in product(surface, optimizer):
        table = pd.DataFrame(
            product([name], [rule], learning_rate, momentum, start), columns=SETTING
        )
        used = rule in ("momentum", "Adam")
        runs = table if used else table.drop_duplicates(["learning_rate", "start"])
        path = _path(find(name), RULES[rule], runs, steps)
        if not used:
            path = table.merge(path.drop(columns="momentum"), on=_without_momentum())
        tables.append(path)
    return pd.concat(tables, ignore_index=True)


def _without_momentum():
    return [name for name in SETTING if name != "momentum"]


def _path(on: Surface, rule, runs, steps) -> pd.DataFrame:
    """All the runs of one rule on one surface, stepped together."""
    rate, beta = (
        runs[n].to_numpy(float)[:, None] for n in ("learning_rate", "momentum")
    )
    changes = {"momentum": {"momentum": beta}, "adam": {"beta_1": beta}}.get(rule, {})
    limit = _limit(rule, rate, beta)[:, 0]  # (P,)
    theta = np.array([on.starts[name] for name in runs["start"]], float)  # (P, 2)
    state, parts = {}, []
    for step in range(steps + 1):
        gone = ~(np.abs(theta) < FAR).all(1)
        theta = np.where(gone[:, None], 0.0, theta)
        g = on.gradient(theta)
        after = optimizer_step(rule, theta, g, state, rate, **changes)
        scaled = on.hessian(theta) * _scaling(rule, state, beta)
        columns = {
            "x": theta[:, 0], "y": theta[:, 1], "loss": on.value(theta),
            "sharpness": np.linalg.eigvalsh(scaled)[:, -1], "limit": limit,
        }  # fmt: skip
        part = runs.assign(step=step, **columns)
        part.loc[gone, ["x", "y", "loss", "sharpness"]] = np.nan
        parts.append(part)
        theta = np.where(gone[:, None], np.inf, after)
    return pd.concat(parts).sort_values([*SETTING, "step"], kind="stable")


def _scaling(rule, state, beta):
    """What makes D^-½ H D^-½ of the Hessian H, D dividing a step: (P, 2, 2) or 1."""
    if rule in ("sgd", "momentum"):
        return 1.0
    options, mean, early = OPTIMIZERS[rule], state["s"], 1.0
    if rule == "adam":
        mean = mean / (1 - options["beta_2"] ** state["t"])
        early = 1 - beta ** state["t"]  # its bias correction makes first steps larger
    root = (early * (np.sqrt(mean) + options["epsilon"])) ** -0.5  # (P, 2)
    return root[:, :, None] * root[:, None, :]


def _limit(rule, rate, beta):
    """Curvature above which steps grow on a quadratic, (P, 1)."""
    if rule == "momentum":
        return 2 * (1 + beta) / rate
    if rule == "adam":  # its mean of gradients takes only 1 - β1 of each
        return 2 * (1 + beta) / ((1 - beta) * rate)
    return 2 / rate


def contours(surface, levels=9) -> pd.DataFrame:
    """Lines of equal loss on the window: columns surface, level, piece, x, y.

    The levels lie at equal shares of the window's area.
    """
    rows = []
    axis, points = grid(81)
    for name in surface:
        values = find(name).value(points)
        generator = contourpy.contour_generator(axis, axis, values.reshape(81, 81))
        for level in np.quantile(values, np.linspace(0.02, 0.95, levels)):
            for piece in generator.lines(level):
                number = len(rows)
                part = {"surface": name, "level": level, "piece": number}
                rows.append(
                    pd.DataFrame(part | {"x": piece[::2, 0], "y": piece[::2, 1]})
                )
    return pd.concat(rows, ignore_index=True)
