"""Twins of ``models_torch`` and ``models_tf`` agree; wrong shapes are refused."""

import numpy as np
import pytest
import torch
from frameworks import BOTH, TF, TORCH

from course_utils import models_torch, reference

X = np.random.default_rng(0).normal(size=(9, 64)).astype("float32")
MAKERS = {
    "relu": lambda m, seed=0: m.mlp((64, 20, 10, 5), seed=seed),
    "gelu": lambda m, seed=0: m.mlp((64, 20, 5), "gelu", seed=seed),
    "tanh": lambda m, seed=0: m.mlp((64, 20, 5), "tanh", dropout=0.5, seed=seed),
    "sigmoid": lambda m, seed=0: m.mlp((64, 20, 5), "sigmoid", seed=seed),
    "cnn": lambda m, seed=0: m.cnn((8, 8), 5, seed=seed),
    "cnn rgb": lambda m, seed=0: m.cnn((4, 4, 4), 5, seed=seed),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_twins_start_alike(make):
    ours, theirs = (f.training.predict(make(f.models), X) for f in BOTH)
    assert ours.shape == (9, 5)
    assert np.abs(ours - theirs).max() < 1e-5
    for framework in BOTH:
        model = make(framework.models)
        size = sum(map(np.size, framework.models.get_weights(model)))
        assert framework.models.count_parameters(model) == size


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("source, target", [(TORCH, TF), (TF, TORCH)])
def test_weights_copy_across(source, target, make):
    other, copy = make(source.models, seed=1), make(target.models)
    before = target.training.predict(copy, X)
    target.models.set_weights(copy, source.models.get_weights(other))
    after = target.training.predict(copy, X)
    assert np.abs(after - source.training.predict(other, X)).max() < 1e-5
    assert np.abs(after - before).max() > 1e-2


def test_mlp_is_the_reference_network():
    weights = reference.initial_weights((64, 20, 10, 5))
    expected, _, _ = reference.mlp_forward(X, weights)
    for framework in BOTH:
        ours = framework.training.predict(MAKERS["relu"](framework.models), X)
        assert np.abs(ours - expected).max() < 1e-5


@pytest.mark.parametrize("framework", BOTH, ids=lambda f: f.name)
def test_bad_arguments_are_refused(framework):
    with pytest.raises(ValueError, match="swish"):
        framework.models.mlp((3, 2, 1), "swish")
    with pytest.raises(ValueError, match="input and output"):
        framework.models.mlp((3,))
    model = framework.models.mlp((3, 2))
    with pytest.raises(ValueError):
        framework.models.set_weights(model, [np.zeros((2, 2)), np.zeros(2)])
    with pytest.raises(ValueError):
        framework.models.set_weights(model, [np.zeros((3, 2))])


def test_layers_without_a_twin_are_refused():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    with pytest.raises(TypeError, match="BatchNorm1d"):
        TORCH.models.get_weights(model)


def test_random_shift_moves_each_image_whole_and_in_training_only():
    images = torch.zeros(200, 49)
    images[:, 24] = 1.0  # the middle of 7 by 7
    layer = models_torch.RandomShift(2, fill=-1)
    moved = layer(images)
    assert (moved.sum(1) == (moved == 1).sum(1) - (moved == -1).sum(1)).all()
    rows, columns = np.divmod(moved.argmax(1).numpy(), 7)
    assert set(rows) == set(columns) == {1, 2, 3, 4, 5}
    assert len(set(zip(rows, columns, strict=True))) > 15  # both ways by themselves
    assert torch.equal(layer.eval()(images), images)


def test_random_shift_refuses_rows_that_are_no_square():
    with pytest.raises(ValueError, match="no square image"):
        models_torch.RandomShift(2, 0)(torch.zeros(3, 50))
