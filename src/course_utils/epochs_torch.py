"""Two ways to train one epoch at a time: many runs as one, or one in the plain loop.

Both are generators of the same ``Epoch``s, so that ``sweep`` need not know which way
a run goes. Knows nothing of grids and tables.
"""

from typing import NamedTuple

import numpy as np
import torch

from course_utils import training_torch
from course_utils.batched_torch import right
from course_utils.callbacks import DivergedError, Progress
from course_utils.seed import batches

SCORES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


class Epoch(NamedTuple):
    """What one epoch of R runs gave, as NumPy arrays.

    ``losses`` (steps, R) are those before each update, ``scores`` (4, R) in the order
    of ``SCORES``, ``outputs`` (R, m, K) those at the probed points, or None. From the
    epoch of its first loss that is not finite on, a run's scores and outputs are NaN.
    """

    losses: np.ndarray
    scores: np.ndarray
    outputs: np.ndarray | None


def train_batched(
    networks, data, which, seeds, validation, epochs, batch_size, probe=None
):
    """Train R runs as one; yield an ``Epoch`` before the first and after each one.

    Args:
        networks: the R runs.
        data: G training splits of one size.
        which: index of each run's split, (R,).
        seeds: of each split's batches, (G,).
        validation: the split that all runs are scored on.
        epochs, batch_size: as in ``training_torch.train``.
        probe: points (m, d) whose outputs are wanted.
    """
    like, runs = networks.rate, len(networks)
    data = [tensors(split, like) for split in data]
    which = torch.as_tensor(which, device=like.device)
    held_out = [_columns(part[None]) for part in tensors(validation, like)]
    points = None
    if probe is not None:
        points = torch.tensor(np.asarray(probe), dtype=like.dtype, device=like.device)

    def outputs():
        if points is not None:
            values = networks.outputs(points.mT[None]).mT.float().cpu().numpy()
            return np.where(alive[:, None, None], values, np.float32("nan"))

    alive = np.ones(runs, bool)
    yield Epoch(np.empty((0, runs)), np.full((4, runs), np.nan), outputs())
    for epoch in range(epochs):
        order = steps(data, which, seeds, batch_size, epoch)
        losses, trained = _train_epoch(networks, order)
        scores = np.stack([*trained, *_scores(networks, *held_out)])  # (4, R)
        alive &= np.isfinite(losses).all(axis=0)
        yield Epoch(losses, np.where(alive, scores, np.nan), outputs())


def steps(data, which, seeds, batch_size, epoch):
    """Inputs (1 or R, d, B) and labels (1 or R, B) of each step of one epoch.

    Args:
        data: ``tensors`` of each split.
        which, seeds, batch_size: as in ``train_batched``.
        epoch: from 0.
    """
    parts = [batches(len(data[0][0]), batch_size, seed, epoch) for seed in seeds]
    order = [torch.as_tensor(np.concatenate(p), device=which.device) for p in parts]
    shuffled = [
        (x[o], y[o]) for (x, y), o in zip(data, order, strict=True)
    ]  # the whole epoch at once: its batches are then views
    x, y = (_columns(torch.stack(part)) for part in zip(*shuffled, strict=True))
    start = 0
    for part in parts[0]:
        at = slice(start, start := start + len(part))
        inputs, truth = x[..., at], y[..., at]  # (G, d, B), (G, B)
        yield (inputs, truth) if len(data) == 1 else (inputs[which], truth[which])


def _train_epoch(networks, order):
    """Losses (steps, R), and their mean and the accuracy over the epoch, (R,) each."""
    losses, hits, sizes = [], 0, []
    for inputs, truth in order:
        loss, logits = networks.step(inputs, truth)
        losses.append(loss)
        hits = hits + right(logits, truth)
        sizes.append(truth.shape[-1])
    # Results are read once an epoch: reading a number a step would wait for it.
    losses = torch.stack(losses).double().cpu().numpy()
    accuracy = hits.double().cpu().numpy() / sum(sizes)
    return losses, (np.average(losses, axis=0, weights=sizes), accuracy)


def _scores(networks, x, y):
    """Loss and accuracy (R,) of each run on examples (1, d, m), (1, m)."""
    logits = networks.outputs(x)
    losses, hits = networks.loss(logits, y)[0], right(logits, y)
    return losses.double().cpu().numpy(), hits.double().cpu().numpy() / y.shape[-1]


def tensors(split, like):
    """A split on the networks' device, its real numbers in their precision."""
    x, y = (torch.tensor(part, device=like.device) for part in (split.x, split.y))
    return x.to(like.dtype), y.to(like.dtype) if y.is_floating_point() else y


def _columns(rows):
    """Examples as columns: (G, n, d) -> (G, d, n); labels (G, n) stay."""
    return rows.mT if rows.is_floating_point() else rows


class _OneEpoch(Progress):
    """Ends each call of the plain loop after one epoch; the next goes on from there.

    It counts as the progress bar, of which one for every epoch would be too many.
    """

    state = None

    def on_begin(self, run) -> None:
        if self.state is not None:
            run.load_state(self.state)

    def on_epoch_end(self, run) -> None:
        self.state, run.stop = run.state(), "one epoch"

    def on_end(self, run) -> None:
        pass


def train_plain(model, dataset, epochs, probe=None, **options):
    """As ``train_batched``, but one model in ``training_torch.train``.

    Args:
        model, dataset, epochs, options: as there.
        probe: points (m, d) whose outputs are wanted.

    Raises:
        KeyboardInterrupt: which the plain loop itself turns into a short history.
    """

    def outputs():
        if probe is not None:
            values = training_torch.predict(model, probe)[None]  # (1, m, K)
            with np.errstate(over="ignore"):  # float64 outputs of a diverging run
                return values.astype("float32")

    last = outputs()
    nothing = Epoch(np.empty((0, 1)), np.full((4, 1), np.nan), last)
    yield nothing
    pause, diverged = _OneEpoch(), False
    for epoch in range(1, epochs + 1):
        if not diverged:
            try:
                history = training_torch.train(
                    model, dataset, epochs=epochs, callbacks=[pause], **options
                )
            except DivergedError:
                diverged = True
        if diverged:
            yield nothing._replace(outputs=None if last is None else last * np.nan)
            continue
        if history.stopped.startswith("interrupted"):
            raise KeyboardInterrupt
        losses = history.steps["loss"]
        losses = losses[-(len(losses) // epoch) :]  # each epoch has as many
        scores = [[history.last.get(name, np.nan)] for name in SCORES]  # (4, 1)
        yield Epoch(np.array(losses)[:, None], np.array(scores), outputs())


def plain_optimizer(name, momentum, weight_decay):
    """An optimiser factory for the plain loop; the arguments are as in ``sweep``."""

    def make(parameters, learning_rate):
        made = training_torch.make_optimizer(name, parameters, learning_rate)
        for group in made.param_groups:
            group["weight_decay"] = weight_decay
            if name == "momentum":
                group["momentum"] = momentum
            if name == "adam":
                group["betas"] = (momentum, group["betas"][1])
        return made

    return make
