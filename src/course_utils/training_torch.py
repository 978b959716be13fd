"""The training loop in PyTorch; twin of ``training_tf``.

Knows nothing of any particular model: it takes a module that maps a batch of rows
to outputs. Under ``torchrun`` the same call trains on all processes, each with its
share of every batch.
"""

from time import perf_counter

import numpy as np
import torch

from course_utils import callbacks as cb
from course_utils import runs
from course_utils.device import Device, find_device
from course_utils.history import History
from course_utils.rules_torch import LOSSES, ClipGradients, make_optimizer
from course_utils.run_torch import Run, processes
from course_utils.seed import set_seed

__all__ = ["LOSSES", "ClipGradients", "evaluate", "make_optimizer", "predict", "train"]


def train(
    model,
    dataset,
    *,
    loss="cross_entropy",
    optimizer="sgd",
    learning_rate=0.1,
    schedule=None,
    epochs=10,
    batch_size=64,
    device: Device | None = None,
    seed=0,
    callbacks=(),
) -> History:
    """Train a model by mini-batches and return the record of the run.

    Args:
        model: a ``torch.nn.Module``, (B, d) -> (B, K) logits or predictions; it is
            trained in place and left in evaluation mode on ``device``.
        dataset: a ``data.Dataset``.
        loss: "cross_entropy", "squared_error", or a function
            (outputs, targets) -> mean over the batch.
        optimizer: "sgd", "momentum", "rmsprop", "adam", or a function
            (parameters, learning_rate) -> optimiser.
        learning_rate: the step size η at the start.
        schedule: share of training done, in [0, 1) -> factor on the learning rate.
        epochs: passes over the training split.
        batch_size: examples a step, over all processes; the last may be smaller.
        device: from ``find_device``; found if not given.
        seed: of the batches and of dropout.
        callbacks: see ``course_utils.callbacks``.

    Returns:
        the ``History``; after an interrupt, of what was finished until then.

    Raises:
        ValueError: on arguments that cannot be trained.
        callbacks.DivergedError: when the loss is no longer finite.
        MemoryError: when the accelerator's memory is full.
    """
    runs.check_run(dataset, loss, optimizer, learning_rate, epochs, batch_size)
    device = device or find_device("torch")
    callbacks = runs.with_progress(callbacks)
    with processes(device.kind) as (rank, world):
        runs.check_share(len(dataset.train), batch_size, world)
        set_seed(seed + rank)
        run = Run(
            model,
            device,
            LOSSES.get(loss, loss),
            lambda parameters: make_optimizer(optimizer, parameters, learning_rate),
            epochs,
            rank,
            world,
        )
        run.history.settings = runs.settings(
            "torch", device, loss, optimizer, learning_rate, batch_size, seed
        )
        splits = run.tensors(dataset.train), run.tensors(dataset.validation)
        with runs.reported_memory(torch.OutOfMemoryError, device):
            runs.check_output(_forward(run, splits[0][0][:1]).shape, dataset, loss)
            plan = runs.Plan(learning_rate, schedule, epochs, batch_size, seed)
            _loop(run, *splits, plan, callbacks)
    model.eval()
    return run.history


def _loop(run, training, validation, plan, callbacks) -> None:
    """All epochs, until the last one, a callback or the reader stops the run."""
    classifies = not training[1].is_floating_point()
    for callback in callbacks:
        callback.on_begin(run)
    try:
        while run.epoch < run.epochs and not run.stop:
            started = perf_counter()
            order, rates = plan.epoch(run.epoch, len(training[0]))
            losses, right = _train_epoch(
                run, *training, order, rates, callbacks, classifies
            )
            seconds = perf_counter() - started
            runs.record_epoch(run.history, losses, right, order, rates, seconds)
            scores = _scores(run, *validation, run.loss, classifies)
            seconds = perf_counter() - started
            runs.record_validation(run.history, scores, rates[-1], seconds)
            run.epoch += 1
            for callback in callbacks:
                callback.on_epoch_end(run)
    except KeyboardInterrupt:
        run.stop = f"interrupted after {run.epoch} of {run.epochs} epochs"
    finally:
        run.history.stopped = run.stop
        for callback in callbacks:
            callback.on_end(run)


def _train_epoch(run, x, y, order, rates, callbacks, classifies):
    """One pass over the batches ``order`` with the learning rates ``rates``.

    Returns:
        losses (steps,) and, for classifiers, right answers of each step (steps,).
    """
    editors = [c for c in callbacks if cb.edits_gradients(c)]
    losses, outputs, targets = [], [], []
    run.model.train()
    for indices, rate in zip(order, rates.tolist(), strict=True):
        mine = torch.from_numpy(indices[run.rank :: run.world]).to(x.device)
        inputs, truth = x.index_select(0, mine), y.index_select(0, mine)
        with run.autocast():
            output = run.wrapped(inputs)  # (B, K)
            value = run.loss(output, truth)
        # Processes average their means; weigh each by its share of the batch.
        value = value * (len(mine) * run.world / len(indices))
        run.update(value, rate, editors)
        losses.append(value.detach())
        outputs.append(output.detach())
        targets.append(truth)
    # Results are read once an epoch: reading a number a step would wait for it.
    losses = run.mean(torch.stack(losses)).double().cpu().numpy()  # (steps,)
    if not classifies:
        return losses, None
    hits = (torch.cat(outputs).argmax(1) == torch.cat(targets)).double()
    counts = torch.stack([part.sum() for part in hits.split([*map(len, targets)])])
    return losses, (run.mean(counts) * run.world).cpu().numpy()


def _forward(run, x, batch_size=1024) -> torch.Tensor:
    """Outputs (n, K) in evaluation mode, without a graph."""
    run.model.eval()
    with torch.inference_mode(), run.autocast():
        return torch.cat([run.model(part) for part in x.split(batch_size)])


def _scores(run, x, y, loss, classifies) -> dict[str, float]:
    outputs = _forward(run, x)
    scores = {"loss": loss(outputs, y).item()}
    if classifies:
        scores["accuracy"] = (outputs.argmax(1) == y).double().mean().item()
    return scores


def predict(model, x, batch_size=1024) -> np.ndarray:
    """Outputs (n, K) of a model for inputs (n, d), in evaluation mode."""
    first = next(model.parameters())
    model.eval()
    with torch.inference_mode():
        x = torch.tensor(np.asarray(x), dtype=first.dtype, device=first.device)
        return torch.cat([model(part) for part in x.split(batch_size)]).cpu().numpy()


def evaluate(model, split, loss="cross_entropy") -> dict[str, float]:
    """Loss and, for whole-number labels, accuracy of a model on a split.

    Args:
        model: maps (B, d) to outputs.
        split: a ``data.Split``.
        loss: as in ``train``.

    Returns:
        {"loss": …, "accuracy": …}; without "accuracy" for real-valued targets.
    """
    outputs = torch.from_numpy(predict(model, split.x))
    targets = torch.tensor(split.y)
    if targets.is_floating_point():
        targets = targets.to(outputs.dtype)
    scores = {"loss": LOSSES.get(loss, loss)(outputs, targets).item()}
    if not targets.is_floating_point():
        scores["accuracy"] = (outputs.argmax(1) == targets).double().mean().item()
    return scores
