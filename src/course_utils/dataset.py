"""What every data set of the course is: a frozen `Dataset` of three `Split`s.

Arrays in, `Dataset` out: `from_arrays` draws a stratified split, `from_splits`
keeps a given one, and both normalise with statistics of the training examples
alone. This module knows neither where data come from nor what learns from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from course_utils.checks import check, check_split


@dataclass(frozen=True, eq=False)
class Split:
    """Inputs `x` (n, d) float32; answers `y`, labels (n,) int64 or reals (n, k)."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train, validation and test examples, normalised and read-only.

    `x` is (n, n_features) float32. In classification `y` is (n,) int64 and
    `class_names` names the classes; in regression `y` is (n, k) float32 and
    `class_names` is empty. `mean` and `std`, each of shape () or (n_features,),
    are the training statistics that were used to normalise, in the units of the
    raw data. `image_shape` (height, width[, channels]) is None for tables.
    `truth` holds what was planted in generated data; None for real data.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...] | None
    mean: np.ndarray
    std: np.ndarray
    source: str = ""
    licence: str = ""
    truth: Mapping | None = None

    @property
    def n_features(self) -> int:
        """Number of columns of `x`."""
        return self.train.x.shape[1]

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 in regression."""
        return len(self.class_names)

    def raw(self, x) -> np.ndarray:
        """Undo the normalisation of `x` (..., n_features): back to raw units."""
        return np.asarray(x) * self.std + self.mean

    def subset(self, n: int, seed: int = 0) -> "Dataset":
        """Keep `n` training examples, drawn at random, each class by its share.

        Validation, test and the normalisation stay as they are. Raises
        ValueError unless max(1, n_classes) <= n <= len(train).
        """
        least, most = max(1, self.n_classes), len(self.train)
        if not least <= n <= most:
            raise ValueError(
                f"{self.name}: a subset holds {least} to {most} training "
                f"examples, got n = {n}"
            )
        order, rank, size = ranks(self.train.y, seed)
        keep = order[np.sort(np.argsort(rank / size, kind="stable")[:n])]  # (n,)
        split = Split(_frozen(self.train.x[keep]), _frozen(self.train.y[keep]))
        return replace(self, train=split)


def from_arrays(
    name, x, y, class_names=(), image_shape=None, fractions=(0.7, 0.15, 0.15),
    seed=0, source="", licence="", truth=None,
) -> Dataset:  # fmt: skip
    """Turn any arrays into a `Dataset`: a seeded, stratified, normalised split.

    Parameters: `x` (n, d), or (n, height, width[, channels]), which is flattened
    and sets `image_shape`; `y`, whole numbers (n,) for classification or real
    numbers (n,) or (n, k) for regression; `fractions`, the shares of train,
    validation and test, summing to 1; `seed` of the split. Images are normalised
    by one mean and one standard deviation, tables column by column.
    Raises ValueError, saying what to do: wrong shapes, non-finite inputs, labels
    out of range, an empty split, too few examples of a class.
    """
    x, y, image_shape = _arrays(name, x, y, image_shape)
    if y.ndim == 1 and not len(class_names):
        class_names = [str(label) for label in range(int(y.max()) + 1)]
    part = _parts(name, y, fractions, seed, class_names)
    pairs = [(x[rows], y[rows]) for rows in part]
    return from_splits(name, *pairs, class_names, image_shape, source, licence, truth)


def from_splits(
    name, train, validation, test, class_names=(), image_shape=None, source="",
    licence="", truth=None,
) -> Dataset:  # fmt: skip
    """Turn three given (x, y) pairs into a `Dataset`, normalised by the first.

    Shapes, normalisation and errors as in `from_arrays`, except that labels need
    `class_names`; use it where a data set comes with its own test examples.
    """
    pairs = [_arrays(name, *pair, image_shape) for pair in (train, validation, test)]
    image_shape = pairs[0][2]
    for part, (x, y, _) in zip(("train", "validation", "test"), pairs, strict=True):
        check_split(Split(x, y), len(class_names) or None, f"{name}, {part}")
    mean, std = _statistics(pairs[0][0], None if image_shape else 0)
    splits = [Split(_frozen((x - mean) / std), _frozen(y)) for x, y, _ in pairs]
    dataset = Dataset(
        name, *splits, tuple(class_names), image_shape, mean, std, source, licence,
        truth,
    )  # fmt: skip
    check(dataset)
    return dataset


def _arrays(name, x, y, image_shape):
    """Bring x to (n, d) float32, y to (n,) int64 or (n, k) float32."""
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim > 2 and image_shape is None:
        image_shape = x.shape[1:]
    if image_shape is not None:
        image_shape = tuple(image_shape)
        if len(x) and x[0].size != np.prod(image_shape):
            raise ValueError(
                f"{name}: an input has {x[0].size} numbers, image_shape "
                f"{image_shape} needs {np.prod(image_shape)}: correct image_shape"
            )
        x = x.reshape(len(x), int(np.prod(image_shape)))
    if y.dtype.kind == "f" and y.ndim == 1:
        y = y[:, None]  # (n, 1)
    y = y.astype(np.int64) if y.dtype.kind in "iub" and y.ndim == 1 else y
    check_split(Split(x, y), None, name)
    return x.astype(np.float32), y.astype(np.float32) if y.ndim > 1 else y, image_shape


def ranks(y, seed):
    """Shuffle examples; rank each within its class.

    Returns order, rank and class size, each (n,): example order[i] is number
    rank[i] of the size[i] examples of its class. Targets (n, k) are one class.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    group = y[order] if y.ndim == 1 else np.zeros(len(y), np.int64)
    by_class = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(y), np.int64)
    rank[by_class] = np.arange(len(y)) - starts[group[by_class]]
    return order, rank, sizes[group]


def _parts(name, y, fractions, seed, class_names):
    """Cut the shuffled examples of each class by `fractions`; three index arrays."""
    shares = np.asarray(fractions, float)
    if shares.shape != (3,) or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            f"{name}: empty split: fractions must be three positive numbers that "
            f"sum to 1, got {fractions}"
        )
    order, rank, size = ranks(y, seed)
    part = np.searchsorted(np.cumsum(shares)[:2], (rank + 0.5) / size, side="right")
    # Late ranks come late in the order, rare classes first: shuffle once more.
    again = np.random.default_rng([seed, 1]).permutation(len(y))
    order, part = order[again], part[again]
    parts = [order[part == k] for k in range(3)]
    for label in range(max(1, len(class_names))):
        counts = [np.sum(y[p] == label) if y.ndim == 1 else len(p) for p in parts]
        if min(counts) == 0:
            what = f"class {class_names[label]!r}" if y.ndim == 1 else "the data"
            raise ValueError(
                f"{name}: too few examples: {what} has {sum(counts)}, but each split "
                f"of {fractions} needs one: add examples, merge classes, or renumber "
                "labels without gaps by np.unique(y, return_inverse=True)"
            )
    return parts


def _statistics(x, axis):
    """Mean and standard deviation of x (n, d) along `axis`; 1 where constant."""
    mean = np.asarray(x.mean(axis=axis, dtype=np.float64), np.float32)
    std = np.asarray(x.std(axis=axis, dtype=np.float64), np.float32)
    return _frozen(mean), _frozen(np.where(std > 0, std, np.float32(1)))


def _frozen(a):
    a = np.asarray(a)  # fresh arrays only: the caller's own stay writable
    a.setflags(write=False)
    return a
