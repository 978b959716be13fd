"""One seed for every source of chance that the course uses.

`set_seed` seeds Python, NumPy and whichever framework is already imported;
`batches` draws the very batches that both training loops use, so that a run in
PyTorch and a run in TensorFlow see the same examples in the same order.
This module imports no framework and knows nothing of models or data.
"""

import operator
import random
import sys

import numpy as np

LARGEST_SEED = 2**32 - 1  # NumPy's legacy generator accepts no larger one


def set_seed(seed: int) -> int:
    """Seed Python's `random`, NumPy's legacy generator and imported frameworks.

    PyTorch and TensorFlow are seeded only if they are already imported: this
    function never imports them.

    Parameters: `seed`, a whole number in 0 .. 2**32 - 1.
    Returns the seed as an int.
    Raises TypeError if it is not a whole number, ValueError if out of range.
    """
    seed = _whole_number("seed", seed)
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(
            f"seed must lie in 0 .. {LARGEST_SEED}, got {seed}: choose a "
            "non-negative number below 2**32"
        )
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)  # the CPU and every GPU
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(seed)
    return seed


def batches(n: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Shuffle the indices 0 .. n-1 for one epoch and cut them into batches.

    The order depends on `seed` and `epoch` alone, whatever was drawn before, so
    a resumed run meets the same batches as an uninterrupted one.

    Parameters: `n` examples; `batch_size` in 1 .. n; `seed` and `epoch`, whole
    numbers >= 0.
    Returns int64 index arrays of shape (batch_size,); the last one is shorter
    where `batch_size` does not divide `n`. Each index occurs exactly once.
    Raises TypeError if an argument is not a whole number, ValueError if one is
    out of range.
    """
    n = _whole_number("n", n)
    size = _whole_number("batch_size", batch_size)
    seed, epoch = _whole_number("seed", seed), _whole_number("epoch", epoch)
    if n < 1:
        raise ValueError(f"there are no examples to draw batches from (n = {n})")
    if size < 1:
        raise ValueError(f"batch_size must be at least 1, got {size}")
    if size > n:
        raise ValueError(
            f"batch_size {size} is larger than the {n} examples: choose a "
            f"batch_size of at most {n}, or use more data"
        )
    if seed < 0 or epoch < 0:
        raise ValueError(
            f"seed and epoch must not be negative, got seed {seed}, epoch {epoch}"
        )
    order = np.random.default_rng([seed, epoch]).permutation(n)  # (n,)
    return [order[start : start + size] for start in range(0, n, size)]


def _whole_number(name: str, value) -> int:
    """Return `value` as an int; True, 1.5 and "1" are refused."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        message = f"{name} must be a whole number, got {value!r}"
        raise TypeError(message) from None
