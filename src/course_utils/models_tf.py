"""Models that several chapters reuse, in Keras; twins of ``models_torch``.

Same names, same arguments, and the same starting weights from the same seed. Knows
nothing of data or training.
"""

import numpy as np

from course_utils.quiet_tensorflow import keras
from course_utils.reference import cnn_weights, initial_weights

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu")


def mlp(sizes, activation="relu", dropout=0.0, seed=0):
    """A multilayer perceptron from (B, sizes[0]) to logits (B, sizes[-1]).

    Args:
        sizes: widths of input, hidden layers and output, at least two numbers.
        activation: "relu", "tanh", "sigmoid" or "gelu", after each hidden layer.
        dropout: share of hidden activations dropped in training.
        seed: of the starting weights (see ``reference.initial_weights``) and of the
            dropout masks.

    Raises:
        ValueError: on an unknown activation or fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes needs at least input and output, not {sizes}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}: one of {ACTIVATIONS}")
    layers = [keras.Input((sizes[0],))]
    for depth, width in enumerate(sizes[1:-1]):
        layers.append(keras.layers.Dense(width, activation=activation))
        if dropout:
            layers.append(keras.layers.Dropout(dropout, seed=seed + depth))
    model = keras.Sequential([*layers, keras.layers.Dense(sizes[-1])])
    set_weights(model, initial_weights(sizes, activation, seed))
    return model


def cnn(image_shape, n_classes, channels=(8, 16), hidden=32, seed=0):
    """Two 3×3 convolutions with ReLU and 2×2 max pooling, then two dense layers.

    Takes flat images (B, height · width · depth) and gives logits (B, n_classes).

    Args:
        image_shape: (height, width) or (height, width, depth).
        n_classes: width of the output.
        channels: filters of the two convolutions.
        hidden: width of the hidden dense layer.
        seed: of the starting weights.
    """
    shape = (*image_shape, 1)[:3]
    layers = [keras.Input((int(np.prod(shape)),)), keras.layers.Reshape(shape)]
    for filters in channels:
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2),
        ]
    layers += [
        keras.layers.Flatten(),
        keras.layers.Dense(hidden, activation="relu"),
        keras.layers.Dense(n_classes),
    ]
    model = keras.Sequential(layers)
    set_weights(model, cnn_weights(shape, n_classes, channels, hidden, seed))
    return model


def get_weights(model) -> list[np.ndarray]:
    """Kernels and biases in the order of the layers.

    Dense kernels are (in, out), convolution kernels (height, width, in, out).
    """
    return model.get_weights()


def set_weights(model, weights) -> None:
    """Set what ``get_weights`` returns, of this model or of its PyTorch twin.

    Raises:
        ValueError: if a shape does not fit.
    """
    model.set_weights(weights)


def count_parameters(model) -> int:
    """How many numbers training can change."""
    return int(sum(np.prod(w.shape) for w in model.trainable_weights))
