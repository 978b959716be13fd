"""Surfaces of two parameters and the paths that optimisers take on them."""

import numpy as np
import pytest
import torch

from course_utils import surfaces
from course_utils.landscapes import CURVATURE, WINDOW, grid
from course_utils.reference import OPTIMIZERS

POINTS = np.random.default_rng(0).uniform(*WINDOW, (7, 2))
STEPS = (np.array([1e-5, 0.0]), np.array([0.0, 1e-5]))
each = pytest.mark.parametrize("name", surfaces.NAMES)


def one(surface="ravine", rule="gradient descent", rate=0.1, beta=0.9, **options):
    """The path of one setting."""
    return surfaces.paths([surface], [rule], [rate], [beta], **options)


@each
def test_gradient_is_the_slope_of_the_value(name):
    on = surfaces.find(name)
    slopes = [(on.value(POINTS + s) - on.value(POINTS - s)) / 2e-5 for s in STEPS]
    assert np.allclose(np.stack(slopes, 1), on.gradient(POINTS), rtol=1e-6, atol=1e-6)


@each
def test_hessian_is_the_slope_of_the_gradient(name):
    on = surfaces.find(name)
    steps = [(on.gradient(POINTS + s) - on.gradient(POINTS - s)) / 2e-5 for s in STEPS]
    found = on.hessian(POINTS)  # (P, 2, 2)
    assert np.allclose(np.stack(steps, 1), found, rtol=1e-5, atol=1e-4)
    assert np.array_equal(found, found.transpose(0, 2, 1))


@each
def test_largest_curvature_at_the_minimum_is_the_same_for_all(name):
    on = surfaces.find(name)
    points = grid(401)[1]
    best = points[on.value(points).argmin()][None]
    assert np.abs(on.gradient(best)).max() < 0.2  # as near as a grid comes
    assert np.linalg.eigvalsh(on.hessian(best))[0, -1] == pytest.approx(CURVATURE, 0.02)


def test_slice_has_two_equal_valleys():
    on = surfaces.find("network slice")
    assert np.allclose(on.value(POINTS), on.value(-POINTS), rtol=1e-12)
    valleys = on.value(np.array([[-1.0, 0], [1, 0], [0, 0]]))
    assert valleys[2] > 5 * valleys[:2].max()


MADE = {
    "gradient descent": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.7),
    "RMSprop": lambda p, lr: torch.optim.RMSprop(
        p, lr, alpha=OPTIMIZERS["rmsprop"]["rho"], eps=1e-8
    ),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr, betas=(0.7, 0.999), eps=1e-8),
}


@pytest.mark.parametrize("rule", surfaces.RULES)
def test_paths_are_those_of_pytorch(rule):
    on, path = surfaces.find("ravine"), one(rule=rule, rate=0.05, beta=0.7, steps=40)
    theta = torch.tensor(on.starts["left"], dtype=torch.float64, requires_grad=True)
    optimizer = MADE[rule]([theta], 0.05)
    for _, row in path.iterrows():
        assert theta.tolist() == pytest.approx([row["x"], row["y"]], abs=1e-10)
        theta.grad = torch.tensor(on.gradient(theta.detach().numpy()[None])[0])
        optimizer.step()


@pytest.mark.parametrize("rule, beta", [("gradient descent", 0), ("momentum", 0.9)])
@pytest.mark.parametrize("name", ["bowl", "ravine"])
def test_limit_parts_runs_that_fall_from_runs_that_grow(name, rule, beta):
    edge = 2 * (1 + beta) / CURVATURE
    for share, falls in ((0.99, True), (1.01, False)):
        path = one(name, rule, share * edge, beta, steps=800)
        stable = path["sharpness"] <= path["limit"]
        assert stable.all() == falls
        last = path.iloc[-1]
        fell = np.isfinite(last["loss"]) and last["loss"] < 1e-2 * path["loss"].iloc[0]
        assert fell == falls


def test_limit_of_adam_with_a_scaling_that_stands_still():
    """On a quadratic whose gradients keep their mean square, 38 / η for β1 = 0.9."""
    beta, eta = 0.9, 0.01
    for share, falls in ((0.98, True), (1.02, False)):
        curvature = share * 2 * (1 + beta) / ((1 - beta) * eta)
        x, mean = 1.0, 0.0
        for _ in range(4000):
            mean = beta * mean + (1 - beta) * curvature * x
            x -= eta * mean  # the divisor of every step is one
        assert (abs(x) < 1e-3) == falls
    limit = one(rule="Adam", rate=eta, beta=beta)["limit"].iloc[0]
    assert limit == pytest.approx(2 * (1 + beta) / ((1 - beta) * eta))


def test_unused_momentum_changes_nothing_and_every_setting_is_there():
    both = surfaces.paths(["bowl"], ["RMSprop", "Adam"], [0.01, 0.1], [0.0, 0.9])
    assert len(both) == 2 * 2 * 2 * 61
    first, second = (
        both[(both["optimizer"] == "RMSprop") & (both["momentum"] == beta)]
        for beta in (0.0, 0.9)
    )
    assert np.array_equal(first["loss"], second["loss"])
    adam = both[both["optimizer"] == "Adam"].groupby("momentum")["loss"].sum()
    assert adam[0.0] != adam[0.9]
    steps = both.groupby(surfaces.SETTING)["step"].apply(list)
    assert all(found == list(range(61)) for found in steps)


def test_path_that_leaves_is_nan_from_then_on():
    path = one(rate=0.4, steps=60)
    gone = path["loss"].isna().to_numpy()
    assert gone[-1] and not gone[0] and (np.diff(gone.astype(int)) >= 0).all()


@each
def test_contours_lie_on_their_level(name):
    lines = surfaces.contours([name])
    values = surfaces.find(name).value(lines[["x", "y"]].to_numpy())
    spread = np.ptp(surfaces.find(name).value(grid(41)[1]))
    assert np.abs(values - lines["level"]).max() < 0.02 * spread
    assert lines["level"].nunique() == 9


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="bowl"):
        surfaces.find("cup")
    with pytest.raises(ValueError, match="RMSprop"):
        one(rule="sgd")
