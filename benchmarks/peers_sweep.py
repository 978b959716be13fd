"""The two sides of the sweep's benchmark: one batched model, and a plain loop.

Both make the same steps of the same runs, without metrics, and give the loss of the
last step. The plain loop is what one writes by hand in PyTorch: ``nn.Sequential``,
autograd and ``torch.optim`` (fused where it can be), one run after another.
"""

import dataclasses
import time

import numpy as np
import torch
from torch.nn import functional as F

from course_utils import data, models_torch
from course_utils.device import find_device
from course_utils.epochs_torch import steps, tensors
from course_utils.jobs_torch import Common, jobs
from course_utils.reference import OPTIMIZERS
from course_utils.seed import batches
from course_utils.settings import grid

BATCH, SEEDS, SAMPLE = 64, range(3), 12
SETTINGS = grid(  # 4 × 10 × 5 = 200
    {
        "optimizer": list(OPTIMIZERS),
        "learning_rate": np.logspace(-4, -1.5, 10).tolist(),
        "weight_decay": [0.0, 1e-5, 1e-4, 1e-3, 1e-2],
        "momentum": 0.9,
        "initial_scale": 1.0,
        "label_noise": 0.0,
        "train_size": None,
        "activation": "relu",
    }
)
CASES = {  # bench -> data, hidden layers, epochs
    "sweep-digits": (data.digits, {"width": 32, "depth": 1}, 5),
    "sweep-moons": (data.two_moons, {"width": 16, "depth": 2}, 15),
}


def problem(case):
    """The runs of a case and what they share."""
    load, shape, epochs = CASES[case]
    device = dataclasses.replace(find_device("torch"), kind="cpu")
    common = Common(
        load(), "cross_entropy", epochs, BATCH, None, None, device, 2**30, "float32"
    )
    return [({**s, **shape}, seed) for s in SETTINGS for seed in SEEDS], common


def batched(runs, common):
    """Seconds for all runs as the sweep trains them, and each run's last loss."""
    started, last = time.perf_counter(), {}
    for job in jobs(runs, common):
        networks, splits, which, seeds, _ = job.networks()
        splits = [tensors(split, networks.rate) for split in splits]
        which = torch.as_tensor(which)
        for epoch in range(common.epochs):
            for batch in steps(splits, which, seeds, BATCH, epoch):
                losses, _ = networks.step(*batch)
        last.update(zip(map(key, job.runs), losses.tolist(), strict=True))
    return time.perf_counter() - started, last


def plain(runs, common):
    """Seconds for all runs one after another, from a sample, and its last losses.

    Three runs of each optimiser, spread over rates and decays, stand for all.
    """
    every = len(runs) // SAMPLE
    sample, last = runs[every // 2 :: every], {}
    started = time.perf_counter()
    for setting, seed in sample:
        model = models_torch.mlp(common.sizes(setting), seed=seed)
        optimizer = make(setting, model.parameters())
        x = torch.tensor(common.dataset.train.x)
        y = torch.tensor(common.dataset.train.y)
        for epoch in range(common.epochs):
            for indices in batches(len(x), BATCH, seed, epoch):
                indices = torch.from_numpy(indices)
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[indices]), y[indices])
                loss.backward()
                optimizer.step()
        last[key((setting, seed))] = loss.item()
    return (time.perf_counter() - started) / len(sample) * len(runs), last


def make(setting, parameters):
    given = {"lr": setting["learning_rate"], "weight_decay": setting["weight_decay"]}
    name = setting["optimizer"]
    if name == "sgd":
        return torch.optim.SGD(parameters, **given, fused=True)
    if name == "momentum":
        return torch.optim.SGD(parameters, **given, momentum=0.9, fused=True)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, **given, alpha=0.9)
    return torch.optim.Adam(parameters, **given, fused=True)


def key(run):
    setting, seed = run
    names = "optimizer", "learning_rate", "weight_decay"
    return (*(setting[name] for name in names), seed)


SIDES = {"batched": batched, "plain": plain}
