"""seed: the same seed gives the same numbers, and batches cover every example."""

import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import seed


def test_set_seed_repeats_python_and_numpy():
    draws = []
    for _ in range(2):
        seed.set_seed(3)
        draws.append((random.random(), np.random.rand()))
    assert draws[0] == draws[1]
    seed.set_seed(4)
    other = random.random(), np.random.rand()
    assert other[0] != draws[0][0] and other[1] != draws[0][1]


def test_set_seed_seeds_the_frameworks_already_imported(monkeypatch):
    told = {}
    torch = SimpleNamespace(manual_seed=lambda s: told.update(torch=s))
    random_ = SimpleNamespace(set_seed=lambda s: told.update(tensorflow=s))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(random=random_))
    assert seed.set_seed(np.int64(5)) == 5
    assert told == {"torch": 5, "tensorflow": 5}


def test_set_seed_imports_no_framework():
    code = (
        "import sys; from course_utils import seed, data, dataset, originals, device;"
        "seed.set_seed(0); data.xor();"
        "bad = {'torch', 'tensorflow'} & set(sys.modules);"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("bad", [-1, 2**32])
def test_set_seed_out_of_range(bad):
    with pytest.raises(ValueError, match=r"0 \.\. 4294967295.*choose"):
        seed.set_seed(bad)


@pytest.mark.parametrize("bad", [1.5, "1", True, None])
def test_set_seed_not_a_whole_number(bad):
    with pytest.raises(TypeError, match="seed must be a whole number"):
        seed.set_seed(bad)


@pytest.mark.parametrize(("n", "size"), [(10, 3), (10, 5), (10, 10), (7, 1)])
def test_batches_hold_every_index_once(n, size):
    cut = seed.batches(n, size, seed=0, epoch=0)
    np.testing.assert_array_equal(np.sort(np.concatenate(cut)), np.arange(n))
    assert len(cut) == -(-n // size)
    assert {len(b) for b in cut[:-1]} <= {size}
    assert len(cut[-1]) == (n % size or size)


def test_batches_depend_on_seed_and_epoch_alone():
    def order(*settings):
        return np.concatenate(seed.batches(100, 8, *settings)).tolist()

    first = order(0, 0)
    np.random.rand(3)
    assert order(0, 0) == first != list(range(100))
    assert len({tuple(order(s, e)) for s in range(3) for e in range(3)}) == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 11, 0, 0), "batch_size 11 is larger than the 10 examples.*at most 10"),
        ((10, 0, 0, 0), "at least 1, got 0"),
        ((0, 1, 0, 0), "no examples"),
        ((10, 2, -1, 0), "must not be negative"),
        ((10, 2, 0, -1), "must not be negative"),
    ],
)
def test_batches_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        seed.batches(*arguments)


def test_batches_not_whole():
    with pytest.raises(TypeError, match="batch_size must be a whole number"):
        seed.batches(10, 2.5, 0, 0)
