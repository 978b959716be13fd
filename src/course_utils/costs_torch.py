"""What PyTorch code costs: time by operation, examples a second, memory kept.

Knows nothing of models: each function takes a function to measure.
"""

import os
from time import perf_counter

import pandas as pd
import torch
from torch.profiler import ProfilerActivity, profile

# Otherwise the profiler's library prints a line at each start and stop.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")


def by_operation(function, repeats=50) -> pd.DataFrame:
    """Where the time of a call goes, by PyTorch's profiler.

    Args:
        function: called without arguments, once before the measurement.
        repeats: how many calls are measured.

    Returns:
        a row an operation, the longest first: ``ms`` of the processor in one call,
        without what the operation calls in its turn, ``share`` of all, and ``calls``.

    Raises:
        ValueError: on less than one repeat.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")
    function()
    with profile(activities=[ProfilerActivity.CPU]) as found:
        for _ in range(repeats):
            function()
    rows = [
        (event.key, event.self_cpu_time_total / 1e3 / repeats, event.count / repeats)
        for event in found.key_averages()
    ]
    table = pd.DataFrame(rows, columns=["operation", "ms", "calls"])
    table.insert(2, "share", table["ms"] / table["ms"].sum())
    return table.sort_values("ms", ascending=False).set_index("operation")


def examples_per_second(step, sizes, seconds=0.2) -> pd.Series:
    """Throughput of a step at several batch sizes.

    Args:
        step: called with a batch size B, works on B examples.
        sizes: the batch sizes.
        seconds: how long each size is measured; the first call does not count.

    Raises:
        ValueError: on a batch size below 1 or a time that is not positive.
    """
    if min(sizes) < 1 or seconds <= 0:
        raise ValueError(f"sizes {list(sizes)} or {seconds} seconds cannot be measured")
    found = {}
    for size in sizes:
        step(size)
        _wait()
        calls, start = 0, perf_counter()
        while perf_counter() - start < seconds:
            step(size)
            _wait()
            calls += 1
        found[size] = calls * size / (perf_counter() - start)
    return pd.Series(found, name="examples per second").rename_axis("batch size")


def kept_bytes(function) -> int:
    """Bytes that a forward pass keeps for its backward pass, parameters included.

    A tensor that several operations keep counts once.
    """
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = function()  # kept alive until all addresses are noted
    del result
    return sum(kept.values())


def _wait():
    """A GPU's call returns before its work is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
