"""Early stopping, checkpoints and progress for both training loops.

A callback sees the ``run``, an object that either loop offers with the same names:

- ``run.history``, ``run.epoch`` (finished epochs), ``run.epochs`` (planned);
- ``run.stop``: set it to a reason, and the run ends after this epoch;
- ``run.state()`` and ``run.load_state(state)``: everything that training goes on
  from (weights, optimiser, random state) as a dict of NumPy arrays;
- ``run.rank``: which of several processes this is, 0 if there is one;
- ``run.weights()`` and ``run.load_weights(arrays)``: the model alone.

Nothing here knows a framework.
"""

import os
import zipfile
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from course_utils.history import History


class DivergedError(ArithmeticError):
    """The loss became NaN or infinite; ``history`` holds what came before."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


def check_finite(losses, rates, history: History) -> None:
    """Stop a run at its first loss that is not a finite number.

    Args:
        losses: one epoch's losses, shape (steps,).
        rates: the learning rate of each of these steps, shape (steps,).
        history: the record of the epochs before.

    Raises:
        DivergedError: naming the step, the learning rate and what to try.
    """
    bad = np.flatnonzero(~np.isfinite(losses))
    if len(bad) == 0:
        return
    done = len(history.steps.get("step", []))
    raise DivergedError(
        f"The loss became {losses[bad[0]]} at step {done + bad[0] + 1}, with a "
        f"learning rate of {rates[bad[0]]:.3g}. Try a learning rate ten times "
        "smaller, clip the gradients (ClipGradients), or look for a log or a "
        "division by zero in the model. The steps before are in error.history.",
        history,
    )


class Callback:
    """The protocol: a loop calls these; override the ones you need."""

    def on_begin(self, run) -> None:
        """Before the first epoch."""

    def on_gradients(self, gradients: list) -> list:
        """Between the backward pass and the update; returns the new gradients.

        The list holds the framework's own tensors, one a trainable parameter.
        TensorFlow traces this once, PyTorch calls it every step.
        """
        return gradients

    def on_epoch_end(self, run) -> None:
        """After an epoch's validation."""

    def on_end(self, run) -> None:
        """After the last epoch, also when the run stopped early."""


def edits_gradients(callback: Callback) -> bool:
    """Whether the callback overrides ``on_gradients``."""
    return type(callback).on_gradients is not Callback.on_gradients


class EarlyStopping(Callback):
    """Stop when a metric has not improved, and go back to the best weights.

    Args:
        patience: epochs without improvement that are borne.
        metric: a column of ``history.epochs``; one that ends in "loss" is to
            fall, any other is to rise.

    Source: Prechelt, "Early Stopping – But When?" (1998).
    """

    def __init__(self, patience: int = 5, metric: str = "validation_loss"):
        if patience < 1:
            raise ValueError(f"patience must be at least 1 epoch, not {patience}")
        self.patience, self.metric = patience, metric
        self.best, self.best_epoch, self.best_weights = np.inf, 0, None

    def on_epoch_end(self, run) -> None:
        if self.metric not in run.history.epochs:
            known = ", ".join(run.history.epochs)
            raise ValueError(f"no metric {self.metric!r} in this run; it has {known}")
        value = run.history.epochs[self.metric][-1]
        score = value if self.metric.endswith("loss") else -value
        if score < self.best:
            self.best, self.best_epoch = score, run.epoch
            self.best_weights = run.weights()
        elif run.epoch - self.best_epoch >= self.patience:
            run.stop = f"{self.metric} has not improved since epoch {self.best_epoch}"

    def on_end(self, run) -> None:
        if self.best_weights is not None:
            run.load_weights(self.best_weights)


class Checkpoint(Callback):
    """Keep the state of the run in a file after every epoch, and resume from it.

    The file is a NumPy ``.npz`` without pickled objects. It is written beside the
    old one and then put in its place, so that a full disk or an interrupt leaves
    the last good checkpoint.

    Args:
        path: the file, ending in ``.npz``.
        resume: go on from the file if it exists. A resumed run reaches the same
            weights as one that was never interrupted.

    Raises:
        OSError: if the folder cannot be written, before any training.
        ValueError: if the file is of another model or is no checkpoint.
    """

    def __init__(self, path, resume: bool = False):
        self.path, self.resume = Path(path), resume

    def on_begin(self, run) -> None:
        folder = self.path.parent
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise OSError(
                f"cannot write a checkpoint into {folder}: choose a folder that "
                "exists and that you may write to"
            )
        if self.resume and self.path.exists():
            run.load_state(self._read())

    def _read(self) -> dict[str, np.ndarray]:
        try:
            with np.load(self.path, allow_pickle=False) as file:
                return dict(file)
        except (zipfile.BadZipFile, ValueError, EOFError) as error:
            raise ValueError(
                f"{self.path} is no checkpoint ({error}); delete it to start anew"
            ) from error

    def on_epoch_end(self, run) -> None:
        if run.rank > 0:  # one process writes for all
            return
        beside = self.path.with_name(self.path.name + ".part")
        try:
            with open(beside, "wb") as file:
                np.savez(file, **run.state())
            os.replace(beside, self.path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise OSError(
                f"the checkpoint of epoch {run.epoch} was not written to "
                f"{self.path} ({error}); the one before it still stands. Free "
                "some space or choose another folder, and resume."
            ) from error


def quiet() -> bool:
    """Whether progress bars are off: in CI, and while the book is built."""
    return bool(os.environ.get("CI") or os.environ.get("COURSE_UTILS_QUIET"))


class Progress(Callback):
    """A progress bar over epochs with the losses; quiet in CI and in the book."""

    def on_begin(self, run) -> None:
        off = quiet() or run.rank > 0
        self.bar = tqdm(total=run.epochs, initial=run.epoch, unit="epoch", disable=off)

    def on_epoch_end(self, run) -> None:
        last = run.history.last
        self.bar.set_postfix(
            train=f"{last['train_loss']:.3f}",
            validation=f"{last['validation_loss']:.3f}",
        )
        self.bar.update()

    def on_end(self, run) -> None:
        self.bar.close()
