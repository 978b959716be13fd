"""NumPy definitions against finite differences and both frameworks."""

import numpy as np
import pytest
from frameworks import BOTH, TORCH

from course_utils import reference

import tensorflow as tf  # isort: skip
import torch  # isort: skip


def problem(loss, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(5, 4))
    weights = [generator.normal(size=shape) for shape in [(4, 6), (6,), (6, 3), (3,)]]
    y = generator.integers(0, 3, 5)
    return x, (y if loss == "cross_entropy" else generator.normal(size=(5, 3))), weights


@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
@pytest.mark.parametrize("loss", reference.LOSSES)
def test_gradients_equal_finite_differences(loss, activation):
    x, y, weights = problem(loss)
    _, gradients = reference.mlp_gradients(x, y, weights, loss, activation)
    step = 1e-6
    for array, gradient in zip(weights, gradients, strict=True):
        for index in np.ndindex(array.shape):
            values = []
            for sign in (1, -1):
                array[index] += sign * step
                output, _, _ = reference.mlp_forward(x, weights, activation)
                values.append(reference.LOSSES[loss][0](output, y))
                array[index] -= sign * step
            numeric = (values[0] - values[1]) / (2 * step)
            assert gradient[index] == pytest.approx(numeric, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("loss", reference.LOSSES)
def test_losses_equal_both_frameworks(loss):
    x, y, weights = problem(loss)
    output, _, _ = reference.mlp_forward(x, weights)
    value = reference.LOSSES[loss][0](output, y)
    for framework in BOTH:
        tensor = torch.from_numpy if framework is TORCH else tf.constant
        theirs = float(framework.training.LOSSES[loss](tensor(output), tensor(y)))
        assert theirs == pytest.approx(value, rel=1e-12)


def test_softmax_is_stable_and_sums_to_one():
    p = reference.softmax(np.array([[1e4, 0.0], [-1e4, -1e4]]))
    assert np.isfinite(p).all() and np.allclose(p, [[1, 0], [0.5, 0.5]])
    assert reference.sigmoid(np.array([-1e4, 0, 1e4])) == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize("framework", BOTH, ids=lambda f: f.name)
@pytest.mark.parametrize("name", reference.OPTIMIZERS)
def test_optimizer_steps_equal_the_framework(name, framework):
    generator = np.random.default_rng(1)
    theta = generator.normal(size=7)
    gradients = generator.normal(size=(6, 7))
    if framework is TORCH:
        parameter = torch.nn.Parameter(torch.from_numpy(theta.copy()))
        rule = framework.training.make_optimizer(name, [parameter], 0.01)
    else:
        parameter = tf.Variable(theta)
        rule = framework.training.make_optimizer(name, 0.01)
        rule.build([parameter])
    state = {}
    for gradient in gradients:
        theta = reference.optimizer_step(name, theta, gradient, state, 0.01)
        if framework is TORCH:
            parameter.grad = torch.from_numpy(gradient)
            rule.step()
            theirs = parameter.detach().numpy()
        else:
            rule.apply([tf.constant(gradient)], [parameter])
            theirs = parameter.numpy()
        # Keras keeps Adam's 1 - beta in float32, hence not closer over a way of 0.06.
        assert np.allclose(theirs, theta, rtol=0, atol=1e-6)


def test_initial_variance_follows_he_and_glorot():
    he = reference.initial_weights((500, 400), "relu")[0]
    glorot = reference.initial_weights((500, 400), "tanh")[0]
    assert he.var() == pytest.approx(2 / 500, rel=0.02)
    assert glorot.var() == pytest.approx(2 / 900, rel=0.02)
