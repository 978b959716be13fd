"""What a run of a sweep can be set to, and the data that it then trains on.

Knows no framework, and nothing of how runs are trained.
"""

from dataclasses import replace
from itertools import product
from numbers import Integral

import numpy as np

from course_utils import runs
from course_utils.dataset import Dataset, Split
from course_utils.reference import ACTIVATIONS, OPTIMIZERS, RECTIFIERS

NAMES = list(dict.fromkeys([*ACTIVATIONS, *RECTIFIERS]))
NOISE = 1_000_003  # keeps the draws of label noise apart from those of the batches


def _whole(value, least):
    return isinstance(value, Integral) and value >= least


#: setting -> (test of one value, what it must be)
RULES = {
    "learning_rate": (lambda v: 0 < v < np.inf, "a number above 0"),
    "optimizer": (lambda v: v in OPTIMIZERS, f"one of {list(OPTIMIZERS)}"),
    "momentum": (lambda v: 0 <= v < 1, "a number in [0, 1)"),
    "weight_decay": (lambda v: 0 <= v < np.inf, "a number of at least 0"),
    "initial_scale": (lambda v: 0 <= v < np.inf, "a number of at least 0"),
    "label_noise": (lambda v: 0 <= v <= 1, "a share in [0, 1]"),
    "train_size": (lambda v: v is None or _whole(v, 1), "a whole number above 0"),
    "width": (lambda v: _whole(v, 1), "a whole number above 0"),
    "depth": (lambda v: _whole(v, 0), "a whole number of at least 0"),
    "activation": (lambda v: v in NAMES, f"one of {NAMES}"),
}


def prepare(dataset: Dataset, train_size, label_noise, seed) -> Dataset:
    """The data that a run of a sweep trains on.

    Args:
        dataset: the whole.
        train_size: training examples to keep (``Dataset.subset``), None for all.
        label_noise: share in [0, 1] of the training labels that are replaced by
            another class. With one seed, a higher share replaces the same and more.
        seed: of the choice of examples, of labels, and of the other class.

    Returns:
        the data set with another training split; validation and test stay.

    Raises:
        ValueError: on sizes ``subset`` refuses; on label noise without classes.
    """
    if train_size is not None:
        dataset = dataset.subset(train_size, seed)
    if label_noise == 0:
        return dataset
    if dataset.n_classes < 2:
        raise ValueError(f"label_noise needs classes, and {dataset.name!r} has none")
    x, y = dataset.train.x, dataset.train.y.copy()
    generator = np.random.default_rng([seed, NOISE])
    chosen = generator.permutation(len(y))[: round(label_noise * len(y))]
    shift = generator.integers(1, dataset.n_classes, len(y))  # never to itself
    y[chosen] = (y[chosen] + shift[chosen]) % dataset.n_classes
    y.setflags(write=False)
    return replace(dataset, train=Split(x, y))


def listed(value) -> bool:
    """Whether a setting is given as several values, an axis of the grid."""
    return isinstance(value, (list, tuple, range, np.ndarray))


def grid(values: dict) -> list[dict]:
    """Every combination of settings: name -> value or list of values."""
    lists = [list(v) if listed(v) else [v] for v in values.values()]
    return [dict(zip(values, row, strict=True)) for row in product(*lists)]


def check(
    values, seeds, dataset, *, loss, epochs, batch_size, probe, dtype, memory, **_
) -> None:
    """Refuse what cannot be trained, before anything is trained.

    Args:
        values: setting -> value or list of values.
        seeds: whole numbers.
        dataset, loss, epochs, batch_size, probe, dtype, memory: as in ``sweep``.

    Raises:
        ValueError: saying which argument is wrong and what to give instead.
    """
    rules = {
        **RULES,
        "seeds": (lambda v: _whole(v, 0), "whole numbers from 0 on"),
        "dtype": (lambda v: v in ("float32", "float64"), "float32 or float64"),
        "memory": (lambda v: v > 0, "a number of bytes above 0"),
    }
    for name in rules:
        given = {**values, "seeds": seeds, "dtype": dtype, "memory": memory}[name]
        given = list(given) if listed(given) else [given]
        if not given:
            raise ValueError(f"{name} is an empty list: there is nothing to train")
        for value in given:
            if not _holds(rules[name][0], value):
                raise ValueError(f"{name} must be {rules[name][1]}, not {value!r}")
    shape, width = np.shape(probe), dataset.n_features
    if probe is not None and (len(shape) != 2 or shape[1] != width):
        raise ValueError(f"probe must be points (m, {width}), not {shape}")
    # Every size and noise that occurs must leave data that can be trained on.
    for setting in grid({n: values[n] for n in ("train_size", "label_noise")}):
        data = prepare(dataset, **setting, seed=seeds[0])
        runs.check_run(data, loss, "sgd", 1.0, epochs, batch_size)


def _holds(rule, value) -> bool:
    try:
        return bool(rule(value))
    except TypeError:  # a word for a number, a list in a list
        return False
