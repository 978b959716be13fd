"""Train every combination of a grid of settings, times several seeds, as one model.

Small multilayer perceptrons that differ in numbers only are trained together
(``batched_torch``); what cannot be batched, or where that does not pay, goes through
the plain loop (``training_torch``) with the same data, batches and starting weights.
Both end in one tidy table. Knows nothing of pictures or controls.
"""

import inspect
from itertools import product
from numbers import Integral

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from course_utils.callbacks import quiet
from course_utils.device import find_device
from course_utils.epochs_torch import SCORES
from course_utils.jobs_torch import Common, jobs
from course_utils.settings import RULES, check, grid, listed, prepare

__all__ = ["prepare", "sweep", "trainer"]


def sweep(
    dataset, *, learning_rate=0.1, optimizer="sgd", momentum=0.9, weight_decay=0.0,
    initial_scale=1.0, label_noise=0.0, train_size=None, width=32, depth=1,
    activation="relu", loss="cross_entropy", epochs=10, batch_size=64, seeds=3,
    model=None, probe=None, device=None, memory=2**30, dtype="float32",
):  # fmt: skip
    """Train a multilayer perceptron for every setting and seed; return one table.

    Each argument up to ``activation`` may be a list: an axis of the grid.

    Args:
        dataset: a ``data.Dataset``.
        learning_rate: the step size η.
        optimizer: "sgd", "momentum", "rmsprop" or "adam".
        momentum: β of "momentum", β1 of "adam"; the other two do not use it, and
            runs that differ in it alone are trained once.
        weight_decay: γ in g + γθ, on all parameters.
        initial_scale: factor on ``reference.initial_weights``.
        label_noise, train_size: see ``prepare``.
        width, depth: units of each hidden layer, and how many such layers.
        activation: "relu", "tanh", "sigmoid" or, one by one, "gelu".
        loss, epochs, batch_size: as in ``training_torch.train``.
        seeds: how many, from 0, or a list of them.
        model: (settings it names, seed) -> ``torch.nn.Module``, in place of the
            perceptron; such runs are trained one by one.
        probe: points (m, d) whose outputs are wanted after every epoch.
        device: from ``find_device``; found if not given.
        memory: bytes that the runs of one batch may take, about.
        dtype: "float32" or "float64".

    Returns:
        a DataFrame with one row a setting, seed and epoch: the settings given as
        lists, in the order above, then seed, epoch, train_loss, train_accuracy (means
        over the epoch's batches before each update), validation_loss,
        validation_accuracy, diverged. From the epoch of its first loss that is not
        finite on, a run has NaN and diverged = True. ``attrs["stopped"]`` says what is
        missing after an interrupt. With ``probe``: the table and an array (runs,
        epochs + 1, m, K) float32, the runs in the table's order, before training first.

    Raises:
        ValueError: on settings that cannot be trained, before anything is.
    """
    plan = _Plan(**locals())
    print(plan.cost())
    return plan.run()


def trainer(dataset, **fixed):
    """A function that trains one setting and shows the table as it grows.

    Args:
        dataset, fixed: as in ``sweep``.

    Returns:
        train(settings), a generator: it trains all seeds together and yields, after
        every epoch, what ``sweep`` would return so far, with ``settings``' keys as
        columns. Closing it stops the training.
    """
    inspect.signature(sweep).bind(dataset, **fixed)  # refuse unknown names at once

    def train(settings: dict):
        given = {**fixed, **{name: [value] for name, value in settings.items()}}
        arguments = inspect.signature(sweep).bind(dataset, **given)
        arguments.apply_defaults()
        return _Plan(**arguments.arguments).grow()

    return train


def _count(number, noun, plural="s") -> str:
    return f"{number} {noun}{plural * (number != 1)}"


class _Plan:
    """The runs of a sweep, the jobs they are cut into, and what came of them."""

    def __init__(self, dataset, seeds, device, **options):
        values = {name: options.pop(name) for name in RULES}
        self.axes = [name for name, value in values.items() if listed(value)]
        self.seeds = list(range(seeds)) if isinstance(seeds, Integral) else list(seeds)
        self.common = Common(dataset, device=device or find_device("torch"), **options)
        check(values, self.seeds, dataset, **options)
        self.common.check(self.axes)
        self.grid = grid(values)
        # Seed by seed, since runs of one seed share their batches.
        runs = [(setting, seed) for seed in self.seeds for setting in self.grid]
        different = {self._key(*run): run for run in reversed(runs)}
        self.jobs = jobs(list(different.values())[::-1], self.common)
        self.kept = {}  # key of a run -> [(scores (4,), outputs (m, K)), …]

    def _key(self, setting, seed):
        """The same for runs that differ only in what they do not use."""
        used = setting["optimizer"] in ("momentum", "adam") or self.common.model
        return (*{**setting, "momentum": used and setting["momentum"]}.values(), seed)

    def cost(self) -> str:
        """The runs, and about how long they take, in one line."""
        trials, seconds, batches = {}, 0.0, sum(job.batched for job in self.jobs)
        for job in self.jobs:
            if job.kind not in trials:
                trials[job.kind] = job.seconds() / len(job.runs)
            seconds += trials[job.kind] * len(job.runs)
        seconds = max(seconds, 0.1)
        singles = len(self.jobs) - batches
        ways = [f"{_count(batches, 'batch', 'es')} of runs"] * (batches > 0)
        ways += [f"{singles} one by one"] * (singles > 0)
        settings, seeds, device = len(self.grid), len(self.seeds), self.common.device
        return (
            f"{_count(settings * seeds, 'run')} ({_count(settings, 'setting')} × "
            f"{_count(seeds, 'seed')}) of {_count(self.common.epochs, 'epoch')}, "
            f"{' and '.join(ways)}: about {seconds:.{1 if seconds < 10 else 0}f} s "
            f"on the {'CPU' if device.kind == 'cpu' else device.name}"
        )

    def run(self):
        """Train all jobs; the result, also after an interrupt."""
        runs = sum(len(job.runs) for job in self.jobs)
        stopped, total = "", runs * self.common.epochs
        with tqdm(total=total, unit="epoch", disable=quiet()) as bar:
            try:
                for job in self.jobs:
                    for number, epoch in enumerate(job.start()):
                        self._keep(job, epoch)
                        bar.update(len(job.runs) * (number > 0))
            except KeyboardInterrupt:
                ended = sum(len(k) > self.common.epochs for k in self.kept.values())
                stopped = f"interrupted with {ended} of {runs} runs finished"
                print(stopped)
        return self._result(stopped)

    def grow(self):
        """The result so far after every epoch, all jobs side by side."""
        starts = [job.start() for job in self.jobs]
        for number, epochs in enumerate(zip(*starts, strict=True)):
            for job, epoch in zip(self.jobs, epochs, strict=True):
                self._keep(job, epoch)
            if number > 0:
                yield self._result()

    def _keep(self, job, epoch):
        for i, run in enumerate(job.runs):
            outputs = None if epoch.outputs is None else epoch.outputs[i]
            kept = self.kept.setdefault(self._key(*run), [])
            kept.append((epoch.scores[:, i], outputs))

    def _result(self, stopped=""):
        rows, outputs, n = [], [], len(self.common.dataset.train)
        for setting, seed in product(self.grid, self.seeds):
            kept = self.kept.get(self._key(setting, seed), [])
            named = {name: setting[name] for name in self.axes}
            if named.get("train_size", n) is None:
                named["train_size"] = n
            for epoch, (scores, _) in enumerate(kept[1:], start=1):
                scores = dict(zip(SCORES, scores.tolist(), strict=True))
                rows.append({**named, "seed": seed, "epoch": epoch, **scores})
            if self.common.probe is not None and len(kept) > 1:
                values = np.stack([values for _, values in kept])  # (epochs + 1, m, K)
                missing = self.common.epochs + 1 - len(kept)
                pad = [(0, missing), (0, 0), (0, 0)]
                outputs.append(np.pad(values, pad, constant_values=np.nan))
        table = pd.DataFrame(rows, columns=[*self.axes, "seed", "epoch", *SCORES])
        table["diverged"] = table["train_loss"].isna()
        table.attrs["stopped"] = stopped
        return table if self.common.probe is None else (table, np.array(outputs))
