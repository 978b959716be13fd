"""Losses, optimisers and gradient clipping by name; twin of ``rules_torch``."""

from course_utils.callbacks import Callback
from course_utils.quiet_tensorflow import keras, tf
from course_utils.reference import OPTIMIZERS


def _cross_entropy(outputs, targets):
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)
    )


def _squared_error(outputs, targets):
    return tf.reduce_mean(tf.math.squared_difference(outputs, targets))


LOSSES = {"cross_entropy": _cross_entropy, "squared_error": _squared_error}


class ClipGradients(Callback):
    """Scale all gradients down together so that their joint norm is ≤ max_norm.

    Source: Pascanu, Mikolov and Bengio (2013).
    """

    def __init__(self, max_norm: float):
        self.max_norm = max_norm

    def on_gradients(self, gradients):
        return tf.clip_by_global_norm(gradients, self.max_norm)[0]


def make_optimizer(optimizer, learning_rate):
    """An optimiser by name, with the settings of ``reference.OPTIMIZERS``.

    ``optimizer`` may also be a function learning_rate -> Keras optimiser.
    """
    if callable(optimizer):
        return optimizer(learning_rate)
    options = OPTIMIZERS[optimizer]
    rules = keras.optimizers
    if optimizer == "rmsprop":
        # Keras adds epsilon under the root: its square there acts as it does outside.
        epsilon = options["epsilon"] ** 2
        return rules.RMSprop(learning_rate, options["rho"], epsilon=epsilon)
    rule = rules.Adam if optimizer == "adam" else rules.SGD
    return rule(learning_rate, **options)
