"""Costs of code whose cost is known."""

import subprocess
import sys

import pytest
import torch

from course_utils import costs_torch as costs


def test_the_longest_operation_comes_first():
    a, b = torch.ones(300, 300), torch.ones(300)
    table = costs.by_operation(lambda: (a @ a, a @ a, b + b), repeats=5)
    assert table.index[0] == "aten::mm" and table.loc["aten::mm", "calls"] == 2
    assert table.loc["aten::add", "calls"] == 1
    assert table["share"].sum() == pytest.approx(1) and table["share"].iloc[0] > 0.5


def test_profiling_prints_nothing():
    code = "import torch; from course_utils.costs_torch import by_operation as f; "
    code += "f(lambda: torch.ones(2) + 1, repeats=2)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_throughput_counts_examples(monkeypatch):
    """By a clock that only the step moves: 2 ms an example and 10 ms a call."""
    now = [0.0]
    monkeypatch.setattr(costs, "perf_counter", lambda: now[0])

    def step(size):
        now[0] += 0.01 + 0.002 * size

    rates = costs.examples_per_second(step, [1, 20], seconds=0.1)
    assert rates[1] == pytest.approx(1 / 0.012)
    assert rates[20] == pytest.approx(20 / 0.05)


def test_what_a_forward_pass_keeps():
    """A dense layer keeps its input; the sine of it keeps the output as well."""
    x, w = torch.ones(10, 20), torch.ones(20, 30, requires_grad=True)
    assert costs.kept_bytes(lambda: x @ w) == 4 * 10 * 20
    assert costs.kept_bytes(lambda: (x @ w).sin()) == 4 * (10 * 20 + 10 * 30)
    assert costs.kept_bytes(lambda: w * w) == 4 * 20 * 30  # kept twice, counts once
    with torch.no_grad():
        assert costs.kept_bytes(lambda: (x @ w).sin()) == 0


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        costs.by_operation(lambda: None, repeats=0)
    with pytest.raises(ValueError, match="cannot be measured"):
        costs.examples_per_second(lambda size: None, [0])
