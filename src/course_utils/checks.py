"""What a training loop demands of its data, said before the first step.

`check_split` looks at one pair of inputs and answers, `check` at a data set.
Both raise ValueError with a message that says what to do. This module knows
arrays only, neither where data come from nor what is trained on them.
"""

import numpy as np


def check_split(split, n_classes: int | None = None, name: str = "split") -> None:
    """Refuse inputs `split.x` and answers `split.y` that cannot be learnt from.

    Demanded: `x` (n, d) or more dimensions, n >= 1, every number finite; `y` as
    long as `x`. With `n_classes`, `y` must be whole numbers (n,) in
    0 .. n_classes - 1. Without, `y` is labels (n,) or finite reals (n, k).
    Raises ValueError naming `name`, what is wrong and what to do.
    """
    x, y = np.asarray(split.x), np.asarray(split.y)
    if x.ndim < 2:
        raise ValueError(
            f"{name}: x must have one row per example, (n, d), got shape {x.shape}: "
            "reshape a single column with x.reshape(-1, 1)"
        )
    if len(x) == 0:
        raise ValueError(
            f"{name}: empty split: it holds no examples; give it a larger share"
        )
    if y.shape[:1] != x.shape[:1]:
        raise ValueError(
            f"{name}: x has {len(x)} rows but y has shape {y.shape}: give one "
            "answer per example"
        )
    _check_finite(x, f"{name}: x")
    whole = y.ndim == 1 and y.dtype.kind in "iu"
    if n_classes is not None or whole or y.dtype.kind not in "fiu":
        _check_labels(y, n_classes, name)  # also tells how to number names
    elif y.ndim != 2 or y.dtype.kind != "f":
        raise ValueError(
            f"{name}: answers must be labels, whole numbers (n,), or targets, real "
            f"numbers (n, k), got shape {y.shape} of {y.dtype}: reshape a single "
            "target with y.reshape(-1, 1)"
        )
    else:
        _check_finite(y, f"{name}: y")


def check(dataset) -> None:
    """Refuse a data set that cannot be trained on and validated.

    Raises ValueError, saying what to do, where `check_split` does so for
    `dataset.train` or `dataset.validation`, or where their columns differ.
    """
    n_classes = dataset.n_classes or None
    for part in ("train", "validation"):
        check_split(getattr(dataset, part), n_classes, f"{dataset.name}, {part}")
    train, validation = dataset.train.x.shape[1:], dataset.validation.x.shape[1:]
    if train != validation:
        raise ValueError(
            f"{dataset.name}: an input of train has shape {train}, one of "
            f"validation {validation}: give both the same columns"
        )


def _check_finite(a: np.ndarray, name: str) -> None:
    if a.dtype.kind not in "fiu":
        raise ValueError(
            f"{name} must be numbers, got {a.dtype}: encode text and categories as "
            "numbers first"
        )
    bad = np.size(a) - np.count_nonzero(np.isfinite(a))
    if bad:
        row = int(np.argwhere(~np.isfinite(a))[0][0])
        raise ValueError(
            f"{name} holds {bad} non-finite numbers (NaN or infinity), the first "
            f"in row {row}: remove these rows or fill in the missing values"
        )


def _check_labels(y: np.ndarray, n_classes: int | None, name: str) -> None:
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: labels must be whole numbers of shape (n,), got shape "
            f"{y.shape} of {y.dtype}: turn names into numbers with "
            "np.unique(y, return_inverse=True)"
        )
    top = f"{n_classes - 1}" if n_classes else "K-1"
    if y.min() < 0 or (n_classes and y.max() >= n_classes):
        raise ValueError(
            f"{name}: labels out of range: they must lie in 0 .. {top}, got "
            f"{y.min()} .. {y.max()}: renumber them with "
            "np.unique(y, return_inverse=True)"
        )
