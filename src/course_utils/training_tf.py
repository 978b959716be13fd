"""The training loop in TensorFlow; twin of ``training_torch``.

Knows nothing of any particular model: it takes a Keras model that maps a batch of
rows to outputs. A whole epoch runs as one compiled function, in long runs compiled by
XLA, so callbacks act between epochs, and on gradients inside the compiled step.
"""

from time import perf_counter

import numpy as np

from course_utils import callbacks as cb
from course_utils import runs
from course_utils.device import Device, find_device
from course_utils.history import History
from course_utils.quiet_tensorflow import tf
from course_utils.rules_tf import LOSSES, ClipGradients, make_optimizer
from course_utils.run_tf import Run
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
        model: a built Keras model, (B, d) -> (B, K) logits or predictions; it is
            trained in place.
        dataset: a ``data.Dataset``.
        loss: "cross_entropy", "squared_error", or a function
            (outputs, targets) -> mean over the batch.
        optimizer: "sgd", "momentum", "rmsprop", "adam", or a function
            learning_rate -> Keras optimiser.
        learning_rate: the step size η at the start.
        schedule: share of training done, in [0, 1) -> factor on the learning rate.
        epochs: passes over the training split.
        batch_size: examples a step; the last batch of an epoch may be smaller.
        device: from ``find_device``; found if not given.
        seed: of the batches and of random operations without a seed of their own.
        callbacks: see ``course_utils.callbacks``.

    Returns:
        the ``History``; after an interrupt, of what was finished until then.

    Raises:
        ValueError: on arguments that cannot be trained.
        callbacks.DivergedError: when the loss is no longer finite.
        MemoryError: when the accelerator's memory is full.
    """
    runs.check_run(dataset, loss, optimizer, learning_rate, epochs, batch_size)
    device = device or find_device("tensorflow")
    callbacks = runs.with_progress(callbacks)
    set_seed(seed)
    rule = make_optimizer(optimizer, learning_rate)
    run = Run(model, device, LOSSES.get(loss, loss), rule, epochs)
    run.history.settings = runs.settings(
        "tensorflow", device, loss, optimizer, learning_rate, batch_size, seed
    )
    full = runs.reported_memory(tf.errors.ResourceExhaustedError, device)
    with full, tf.device(run.device):
        splits = run.tensors(dataset.train), run.tensors(dataset.validation)
        runs.check_output(model(splits[0][0][:1]).shape, dataset, loss)
        plan = runs.Plan(learning_rate, schedule, epochs, batch_size, seed)
        _loop(run, *splits, plan, callbacks)
    return run.history


def _loop(run, training, validation, plan, callbacks) -> None:
    """All epochs, until the last one, a callback or the reader stops the run."""
    editors = [c for c in callbacks if cb.edits_gradients(c)]
    steps = run.epochs * -(-len(training[0]) // plan.batch_size)
    train_epoch = _traced_once(run.compiled_epoch(*training, editors, steps))
    score = _traced_once(
        tf.function(lambda: _scores(run.model, *validation, run.loss), autograph=False)
    )
    for callback in callbacks:
        callback.on_begin(run)
    try:
        while run.epoch < run.epochs and not run.stop:
            started = perf_counter()
            order, rates = plan.epoch(run.epoch, len(training[0]))
            losses, right = train_epoch(*_tensors(order, rates, run))
            seconds = perf_counter() - started
            right = right.numpy() if training[1].dtype.is_integer else None
            runs.record_epoch(run.history, losses.numpy(), right, order, rates, seconds)
            scores = {name: float(value) for name, value in score().items()}
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


def _traced_once(function):
    """Trace a ``tf.function`` at its first call; later calls have the same shapes.

    Calling it directly does the same, but from the fifth run in a process on
    TensorFlow would warn of repeated tracing: each run has a function of its own.
    """
    traced = []

    def call(*tensors):
        if not traced:
            traced.append(function.get_concrete_function(*tensors))
        return traced[0](*tensors)

    return call


def _tensors(order, rates, run):
    """Full batches (s, B), the smaller last one (r,) if any, rates: one a step."""
    size = len(order[0])
    full = [indices for indices in order if len(indices) == size]
    rest = order[-1] if len(full) < len(order) else np.zeros(0, np.int64)
    rates = tf.constant(rates, run.optimizer.learning_rate.dtype)
    return tf.constant(np.stack(full)), tf.constant(rest), rates


def _forward(model, x, batch_size=1024):
    """Outputs (n, K) in evaluation mode."""
    parts = range(0, x.shape[0], batch_size)
    return tf.concat(
        [model(x[at : at + batch_size], training=False) for at in parts], axis=0
    )


def _scores(model, x, y, loss) -> dict:
    outputs = _forward(model, x)
    scores = {"loss": loss(outputs, y)}
    if y.dtype.is_integer:
        hits = tf.argmax(outputs, axis=1) == y
        scores["accuracy"] = tf.reduce_mean(tf.cast(hits, tf.float64))
    return scores


def predict(model, x, batch_size=1024) -> np.ndarray:
    """Outputs (n, K) of a model for inputs (n, d), in evaluation mode."""
    x = tf.constant(np.asarray(x), model.trainable_variables[0].dtype)
    return _forward(model, x, batch_size).numpy()


def evaluate(model, split, loss="cross_entropy") -> dict[str, float]:
    """Loss and, for whole-number labels, accuracy of a model on a split.

    Args:
        model: maps (B, d) to outputs.
        split: a ``data.Split``.
        loss: as in ``train``.

    Returns:
        {"loss": …, "accuracy": …}; without "accuracy" for real-valued targets.
    """
    dtype = model.trainable_variables[0].dtype
    real = np.issubdtype(split.y.dtype, np.floating)
    x = tf.constant(split.x, dtype)
    y = tf.constant(split.y, dtype if real else tf.int64)
    scores = _scores(model, x, y, LOSSES.get(loss, loss))
    return {name: float(value) for name, value in scores.items()}
