"""The state of one TensorFlow training run, and its epoch as one compiled function.

Callbacks see this object; ``training_tf`` holds the loop that drives it.
"""

import numpy as np

from course_utils import runs
from course_utils.history import History
from course_utils.quiet_tensorflow import tf

DEVICES = {"cpu": "/CPU:0", "cuda": "/GPU:0"}
# XLA makes a step of a small network two to three times faster and takes a second or
# two to compile: it pays in runs of this many steps.
XLA_STEPS = 3000


class Run:
    """One training run in progress.

    Attributes:
        model: the Keras model that learns.
        history, epoch, epochs, stop, rank: see ``course_utils.callbacks``.
    """

    def __init__(self, model, device, loss, optimizer, epochs):
        if not model.trainable_variables:
            raise ValueError("the model has no parameter that training could change")
        self.device = DEVICES[device.kind]
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.history, self.epoch, self.epochs, self.stop = History(), 0, epochs, ""
        self.rank = 0
        optimizer.build(model.trainable_variables)

    def tensors(self, split):
        """A split as tensors, its real numbers in the model's dtype."""
        dtype = self.model.trainable_variables[0].dtype
        real = np.issubdtype(split.y.dtype, np.floating)
        return (
            tf.constant(split.x, dtype),
            tf.constant(split.y, dtype if real else tf.int64),
        )

    def compiled_epoch(self, x, y, editors, steps):
        """A function that trains one epoch inside TensorFlow.

        It takes the full batches' indices (s, B), those of the smaller last batch
        (r,), possibly none, and the learning rates, one a step; it returns losses and
        right answers, one a step. ``steps`` of the whole run decide on XLA.
        """
        classifies = y.dtype.is_integer
        variables = self.model.trainable_variables

        def step(indices, rate):
            inputs, truth = tf.gather(x, indices), tf.gather(y, indices)
            with tf.GradientTape() as tape:
                output = self.model(inputs, training=True)  # (B, K)
                value = self.loss(output, truth)
                total = tf.add_n([value, *self.model.losses])
            gradients = tape.gradient(total, variables)
            for callback in editors:
                gradients = callback.on_gradients(gradients)
            self.optimizer.learning_rate.assign(rate)
            self.optimizer.apply(gradients, variables)
            hits = tf.constant(0, tf.int64)
            if classifies:
                hits = tf.math.count_nonzero(tf.argmax(output, axis=1) == truth)
            return value, hits

        def epoch(full, rest, rates):
            count = full.shape[0]

            def one(index, losses, right):
                value, hits = step(full[index], rates[index])
                return index + 1, losses.write(index, value), right.write(index, hits)

            losses = tf.TensorArray(variables[0].dtype, rates.shape[0])
            start = (0, losses, tf.TensorArray(tf.int64, rates.shape[0]))
            _, losses, right = tf.while_loop(lambda i, *_: i < count, one, start)
            if rest.shape[0]:
                value, hits = step(rest, rates[count])
                losses, right = losses.write(count, value), right.write(count, hits)
            return losses.stack(), right.stack()

        return tf.function(epoch, autograph=False, jit_compile=steps >= XLA_STEPS)

    def weights(self) -> dict[str, np.ndarray]:
        """A copy of the model's variables, the state of dropout's seeds included."""
        return _named(self.model.variables)

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Put back what ``weights`` returned; ValueError if it is another model's."""
        runs.check_weights(weights, _named(self.model.variables))
        _assign(self.model.variables, weights)

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the rest of the run depends on, as arrays by name."""
        state = {f"model/{k}": v for k, v in self.weights().items()}
        slots = _named(self.optimizer.variables)
        state |= {f"optimizer/{k}": v for k, v in slots.items()}
        state["history"] = np.array(self.history.to_json())
        state["epoch"] = np.array(self.epoch)
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what ``state`` returned; ValueError if it is another model's."""
        self.load_weights(runs.split_state(state, "model"))
        slots = runs.split_state(state, "optimizer")
        runs.check_weights(slots, _named(self.optimizer.variables))
        _assign(self.optimizer.variables, slots)
        self.history = History.from_json(str(state["history"]))
        self.epoch = int(state["epoch"])


def _named(variables) -> dict[str, np.ndarray]:
    """Variables as arrays under names that two builds of one model share."""
    # Keras numbers layer names by session ("dense_7"), so position names them here.
    return {f"{i:03d}": np.array(v.numpy()) for i, v in enumerate(variables)}


def _assign(variables, arrays) -> None:
    for name, variable in zip(sorted(arrays), variables, strict=True):
        variable.assign(arrays[name])
