"""The PyTorch loop under ``torchrun``: two processes learn what one does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from frameworks import TORCH, as_float64

from course_utils import data, reference

SIZES = (2, 16, 2)


def learn():
    weights = [w.astype("float64") for w in reference.initial_weights(SIZES)]
    model = as_float64(TORCH, TORCH.models.mlp(SIZES), weights)
    history = TORCH.training.train(
        model, data.two_moons(n=230), optimizer="momentum", batch_size=31, epochs=1
    )
    return TORCH.models.get_weights(model), history


def test_two_processes_equal_one(tmp_path):
    """Uneven shares (31 = 16 + 15, then a last batch of 6) included, to 1e-12."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        "--nproc_per_node=2", __file__, str(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    weights, history = learn()
    for rank in range(2):
        with np.load(tmp_path / f"{rank}.npz") as file:
            theirs = [file[f"arr_{i}"] for i in range(len(weights))]
            losses, accuracy = file["losses"], file["accuracy"]
        for ours, other in zip(weights, theirs, strict=True):
            assert np.abs(ours - other).max() < 1e-12
        assert np.allclose(losses, history.steps["loss"], atol=1e-12, rtol=0)
        assert np.allclose(accuracy, history.steps["accuracy"])
    start = reference.initial_weights(SIZES)
    assert max(np.abs(a - b).max() for a, b in zip(weights, start, strict=True)) > 0.1


if __name__ == "__main__":
    weights, history = learn()
    np.savez(
        Path(sys.argv[1]) / f"{os.environ['RANK']}.npz",
        *weights,
        losses=history.steps["loss"],
        accuracy=history.steps["accuracy"],
    )
