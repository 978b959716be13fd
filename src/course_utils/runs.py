"""What the two training loops share: checks, learning rates, the record.

Knows neither framework, so that an argument means the same in both.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from course_utils.callbacks import Progress, check_finite
from course_utils.data import check
from course_utils.history import History
from course_utils.reference import LOSSES, OPTIMIZERS
from course_utils.seed import batches


def check_run(dataset, loss, optimizer, learning_rate, epochs, batch_size) -> None:
    """Refuse what cannot be trained, before anything is trained.

    Raises:
        ValueError: saying which argument is wrong and what to give instead.
    """
    check(dataset)
    if not callable(loss) and loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}: choose one of {list(LOSSES)}")
    if not callable(optimizer) and optimizer not in OPTIMIZERS:
        raise ValueError(
            f"unknown optimizer {optimizer!r}: choose one of {list(OPTIMIZERS)}, or "
            "give a function that makes one"
        )
    if loss == "cross_entropy" and not np.issubdtype(dataset.train.y.dtype, np.integer):
        raise ValueError(
            "cross_entropy needs whole-number labels; for real-valued targets use "
            'loss="squared_error"'
        )
    if not learning_rate > 0:
        raise ValueError(f"learning_rate must be above 0, not {learning_rate}")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    if not 1 <= batch_size <= len(dataset.train):
        raise ValueError(
            f"batch_size {batch_size} does not fit {len(dataset.train)} training "
            f"examples: choose one from 1 to {len(dataset.train)}"
        )


def check_output(output_shape, dataset, loss) -> None:
    """Refuse a model whose output does not fit the targets.

    Raises:
        ValueError: naming both shapes.
    """
    expected = None
    if loss == "cross_entropy":
        expected = (dataset.n_classes,)
    elif loss == "squared_error":
        expected = dataset.train.y.shape[1:]
    if expected is not None and tuple(output_shape[1:]) != tuple(expected):
        raise ValueError(
            f"the model gives {tuple(output_shape[1:])} numbers an example, but "
            f"{loss} on {dataset.name!r} needs {tuple(expected)}: change its last layer"
        )


@dataclass(frozen=True)
class Plan:
    """Which examples each step sees, and at what learning rate.

    ``schedule`` maps the share of training that is done, in [0, 1), to a factor.
    """

    learning_rate: float
    schedule: Callable[[float], float] | None
    epochs: int
    batch_size: int
    seed: int

    def epoch(self, epoch: int, n: int) -> tuple[list[np.ndarray], np.ndarray]:
        """Index arrays, one a step, and learning rates (steps,) of one epoch."""
        order = batches(n, self.batch_size, self.seed, epoch)
        steps = len(order)
        factors = np.ones(steps)
        if self.schedule is not None:
            done = (epoch * steps + np.arange(steps)) / (self.epochs * steps)
            factors = np.array([self.schedule(share) for share in done])
        return order, self.learning_rate * factors


def check_share(n: int, batch_size: int, world: int) -> None:
    """Refuse batches, the last one included, too small to give every process one.

    Raises:
        ValueError: with what to change.
    """
    smallest = min(batch_size, n % batch_size or batch_size)
    if smallest < world:
        raise ValueError(
            f"the smallest batch has {smallest} examples for {world} processes: "
            "choose another batch_size or fewer processes"
        )


def settings(framework, device, loss, optimizer, learning_rate, batch_size, seed):
    """How a run was made, for its record."""
    return {
        "framework": framework,
        "device": str(device),
        "loss": getattr(loss, "__name__", loss),
        "optimizer": getattr(optimizer, "__name__", optimizer),
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "seed": seed,
    }


@contextmanager
def reported_memory(framework_error: type, device):
    """Turn a framework's out-of-memory error into one that says what to do."""
    try:
        yield
    except framework_error as error:
        raise MemoryError(
            f"{device.name} has no memory left: try a smaller batch_size, fewer "
            "examples (dataset.subset) or a smaller model"
        ) from error


def with_progress(callbacks) -> list:
    """The callbacks, and a progress bar if none of them is one."""
    if any(isinstance(callback, Progress) for callback in callbacks):
        return list(callbacks)
    return [*callbacks, Progress()]


def record_epoch(history: History, losses, right, order, rates, seconds) -> None:
    """Append one epoch's steps to the record.

    Args:
        losses: mean loss of each batch, shape (steps,).
        right: right answers in each batch, shape (steps,), or None.
        order: the index array of each batch.
        rates: learning rate of each step, shape (steps,).
        seconds: what the epoch's training took.

    Raises:
        DivergedError: at the first loss that is not finite.
    """
    check_finite(losses, rates, history)
    sizes = np.array([len(indices) for indices in order])
    steps, first = len(order), len(history.steps.get("step", []))
    epoch = len(history.epochs.get("epoch", [])) + 1
    columns = {
        "step": first + 1 + np.arange(steps),
        "epoch": np.full(steps, epoch),
        "loss": losses,
    }
    row = {"epoch": epoch, "train_loss": float(np.average(losses, weights=sizes))}
    if right is not None:
        columns["accuracy"] = right / sizes
        row["train_accuracy"] = float(right.sum() / sizes.sum())
    columns["learning_rate"] = rates
    columns["seconds"] = np.full(steps, seconds / steps)
    history.add_steps(columns)
    history.add_epoch(row)


def record_validation(history: History, scores: dict, rate, seconds) -> None:
    """Append the validation scores, the last rate and the seconds of an epoch."""
    row = {f"validation_{name}": value for name, value in scores.items()}
    history.add_epoch({**row, "learning_rate": float(rate), "seconds": seconds})


def split_state(state: dict, part: str) -> dict:
    """The entries of a checkpoint under ``part/``, without that prefix."""
    prefix = part + "/"
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def check_weights(saved: dict, own: dict) -> None:
    """Refuse weights whose names or shapes are not the model's.

    Raises:
        ValueError: naming the first difference.
    """
    for name in sorted({*saved, *own}):
        there, here = (
            tuple(side[name].shape) if name in side else "absent"
            for side in (saved, own)
        )
        if there != here:
            raise ValueError(
                f"this checkpoint is of another model: {name} is {there} in the file "
                f"and {here} in the model. Build the model it was made with, or "
                "choose another file"
            )
