"""Losses of two parameters with their derivatives.

Each is multiplied by a constant that makes the largest curvature at its minimum 10,
so that gradient descent is stable there below a learning rate of 2 / 10 on all.
Points come in rows, (P, 2). Knows nothing of optimisers' paths.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from course_utils import data
from course_utils.reference import mlp_gradients, optimizer_step

CURVATURE = 10.0  # largest at the minimum of every surface
DECAY = 1e-2  # weight decay of the network behind the slice
WINDOW = (-2.0, 2.0)  # of both parameters


@dataclass(frozen=True)
class Surface:
    """A loss of two parameters with its derivatives.

    ``value`` maps points (P, 2) to (P,), ``gradient`` to (P, 2), ``hessian`` to
    (P, 2, 2). ``starts`` are points by name, the same names on every surface.
    """

    value: Callable
    gradient: Callable
    hessian: Callable
    starts: dict[str, tuple[float, float]]


def quadratic(curvatures, angle, starts) -> Surface:
    """½ θᵀ H θ with the given eigenvalues of H, the first along ``angle`` degrees."""
    turn = np.deg2rad(angle)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    h = axes @ np.diag(curvatures) @ axes.T  # (2, 2)
    return Surface(
        lambda p: ((p @ h) * p).sum(1) / 2,
        lambda p: p @ h,
        lambda p: np.broadcast_to(h, (len(p), 2, 2)),
        starts,
    )


def rosenbrock(steepness, starts) -> Surface:
    """(1 - x)² + steepness (y + 1 - x²)², scaled; its minimum is at (1, 0).

    Source: Rosenbrock (1960), with steepness 100 and one unit higher.
    """
    b = steepness
    at_minimum = np.array([[2 + 8 * b, -4 * b], [-4 * b, 2 * b]])
    scale = CURVATURE / np.linalg.eigvalsh(at_minimum)[-1]

    def value(p):
        x, y = p.T
        return scale * ((1 - x) ** 2 + b * (y + 1 - x**2) ** 2)

    def gradient(p):
        x, y = p.T
        above = y + 1 - x**2
        return scale * np.stack([2 * (x - 1) - 4 * b * x * above, 2 * b * above], 1)

    def hessian(p):
        x, y = p.T
        xx, xy = 2 + 12 * b * x**2 - 4 * b * (y + 1), -4 * b * x
        rows = [[xx, xy], [xy, np.full_like(x, 2 * b)]]
        return scale * np.moveaxis(np.array(rows), 2, 0)  # (P, 2, 2)

    return Surface(value, gradient, hessian, starts)


def _solution(x, y, generator, hidden=4, steps=300):
    """Weights of a tanh network x (n, d) -> logits (n, 2) that tells the classes."""
    sizes = (x.shape[1], hidden, 2)
    weights = []
    for d_in, d_out in zip(sizes[:-1], sizes[1:], strict=True):
        weights += [generator.normal(0, d_in**-0.5, (d_in, d_out)), np.zeros(d_out)]
    states = [{} for _ in weights]
    for _ in range(steps):
        _, gradients = mlp_gradients(x, y, weights, activation="tanh")
        weights = [
            optimizer_step("momentum", w, g + DECAY * w, state, 0.1)
            for w, g, state in zip(weights, gradients, states, strict=True)
        ]
    return weights


def _plane(n, seed):
    """The data behind the slice and the plane's two directions.

    Returns:
        x (n, d), the sign of each label (n,), the trained [w1, b1, w2, b2], and a
        random direction for w1 and w2 of the same length, unit by unit.
    """
    split = data.digits().train
    keep = np.flatnonzero(np.isin(split.y, (3, 8)))[:n]
    x, y = split.x[keep].astype(float), (split.y[keep] == 8).astype(int)
    generator = np.random.default_rng(seed)
    weights = w1, _, w2, _ = _solution(x, y, generator)
    d1, d2 = generator.normal(size=w1.shape), generator.normal(size=w2.shape)
    d1 *= np.linalg.norm(w1, axis=0) / np.linalg.norm(d1, axis=0)
    d2 *= (np.linalg.norm(w2, axis=1) / np.linalg.norm(d2, axis=1))[:, None]
    return x, np.where(y == 1, 1.0, -1.0), weights, (d1, d2)


def network_slice(starts, n=200, seed=6) -> Surface:
    """Loss of a 64-4-2 network that tells 3 from 8, in a plane of its parameters.

    The plane holds a trained network at (1, 0), the equal one with the signs of all
    hidden units turned at (-1, 0), and a random direction of the same length, unit
    by unit. The loss is the mean cross-entropy over n packaged digits with a weight
    decay of ``DECAY``, scaled. Source of the view: Li et al. (2018).
    """
    x, sign, (w1, b1, w2, b2), (d1, d2) = _plane(n, seed)
    # The first layer is linear in the plane's coordinates: two products serve all.
    into = x @ w1 + b1, x @ d1  # (n, h) each
    out = w2, d2  # (h, 2) each
    vectors = [[*w1.flat, *b1, *w2.flat], [*d1.flat, *(0 * b1), *d2.flat]]
    gram = DECAY * np.inner(vectors, vectors)  # (2, 2)

    def forward(p):
        a1 = np.tanh(np.tensordot(p, into, 1))  # (P, n, h)
        outer = np.tensordot(p, out, 1)  # (P, h, 2)
        logits = a1 @ outer + b2  # (P, n, 2)
        return a1, outer, sign * (logits[..., 1] - logits[..., 0])  # margin (P, n)

    def value(p):
        fit = np.logaddexp(0, -forward(p)[2]).mean(1)
        return scale * (fit + ((p @ gram) * p).sum(1) / 2)

    def gradient(p):
        a1, outer, margin = forward(p)
        slope = -sign / (1 + np.exp(np.clip(margin, -500, 500))) / len(sign)  # (P, n)
        delta = np.stack([-slope, slope], 2)  # (P, n, 2)
        back = (delta @ outer.mT) * (1 - a1**2)  # (P, n, h)
        of_out = a1.mT @ delta  # (P, h, 2)
        fit = [
            (back * i).sum((1, 2)) + (of_out * o).sum((1, 2))
            for i, o in zip(into, out, strict=True)
        ]
        return scale * (np.stack(fit, 1) + p @ gram)

    scale = 1.0
    lowest = _minimum(value, gradient)
    scale = CURVATURE / np.linalg.eigvalsh(_slopes(gradient, lowest))[0, -1]
    return Surface(value, gradient, lambda p: _slopes(gradient, p), starts)


def _slopes(gradient, p, h=1e-5):
    """The Hessian (P, 2, 2) by central differences of the gradient."""
    steps = (np.array([h, 0]), np.array([0, h]))
    found = [(gradient(p + s) - gradient(p - s)) / (2 * h) for s in steps]
    found = np.stack(found, 1)
    return (found + found.mT) / 2


def grid(points):
    """An axis (points,) of the window, and all its points, (points², 2)."""
    axis = np.linspace(*WINDOW, points)
    return axis, np.stack(np.meshgrid(axis, axis), 2).reshape(-1, 2)  # (points², 2)


def _minimum(value, gradient):
    """The lowest point (1, 2), searched from the best of a grid on the window."""
    points = grid(81)[1]
    best = points[value(points).argmin()]
    found = minimize(
        lambda p: value(p[None])[0], best, jac=lambda p: gradient(p[None])[0], tol=1e-12
    )
    return found.x[None]
