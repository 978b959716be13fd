"""NumPy definitions that both frameworks are tested against.

Every array keeps the dtype it comes with; tests use float64. Examples are rows.
Chapters derive these formulas; here they stand once, for the tests.
"""

import numpy as np


def relu(z):
    """max(0, z), any shape."""
    return np.maximum(z, 0)


def sigmoid(z):
    """1 / (1 + exp(-z)) without overflow, any shape."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


#: name -> (function, derivative as a function of the pre-activation)
ACTIVATIONS = {
    "relu": (relu, lambda z: (z > 0).astype(z.dtype)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
}


def log_softmax(logits):
    """log(softmax) of each row, shifted by the row's maximum, shape (B, K)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(logits):
    """Probabilities of each row, shape (B, K); rows sum to one."""
    return np.exp(log_softmax(logits))


def cross_entropy(logits, y):
    """Mean negative log-likelihood in nats: logits (B, K), y (B,) integers."""
    return -log_softmax(logits)[np.arange(len(y)), y].mean()


def squared_error(predictions, y):
    """Mean of (prediction - truth)² over all entries; both of one shape."""
    return ((predictions - y) ** 2).mean()


def cross_entropy_gradient(logits, y):
    """d cross_entropy / d logits = (P - Y) / B, shape (B, K)."""
    p = softmax(logits)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


def squared_error_gradient(predictions, y):
    """d squared_error / d predictions, of the predictions' shape."""
    return 2 * (predictions - y) / predictions.size


#: name -> (loss, its gradient with respect to the model's output)
LOSSES = {
    "cross_entropy": (cross_entropy, cross_entropy_gradient),
    "squared_error": (squared_error, squared_error_gradient),
}


def mlp_forward(x, weights, activation="relu"):
    """Output of a multilayer perceptron and what its backward pass needs.

    Args:
        x: inputs (B, d_0).
        weights: [W1, b1, W2, b2, …] with W of shape (d_in, d_out), b (d_out,).
        activation: a key of ``ACTIVATIONS``, used on every layer but the last.

    Returns:
        output (B, d_L), the inputs of each layer, the hidden pre-activations.
    """
    f = ACTIVATIONS[activation][0]
    inputs, hidden = [x], []
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        hidden.append(inputs[-1] @ kernel + bias)
        inputs.append(f(hidden[-1]))
    return inputs[-1] @ weights[-2] + weights[-1], inputs, hidden


def mlp_gradients(x, y, weights, loss="cross_entropy", activation="relu"):
    """Loss and its gradients, in the order of ``weights``, by back-propagation.

    Source: Rumelhart, Hinton and Williams (1986), in matrix form.
    """
    value, gradient = LOSSES[loss]
    derivative = ACTIVATIONS[activation][1]
    output, inputs, hidden = mlp_forward(x, weights, activation)
    delta = gradient(output, y)  # (B, d_L)
    gradients = []
    for layer in reversed(range(len(inputs))):
        gradients = [inputs[layer].T @ delta, delta.sum(axis=0), *gradients]
        if layer > 0:
            delta = (delta @ weights[2 * layer].T) * derivative(hidden[layer - 1])
    return value(output, y), gradients


#: name -> settings that both frameworks are given, so that a name means one rule
OPTIMIZERS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "rmsprop": {"rho": 0.9, "epsilon": 1e-8},
    "adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
}


def optimizer_step(name, theta, gradient, state, learning_rate, **changes):
    """One update of one parameter array.

    Args:
        name: a key of ``OPTIMIZERS``.
        theta, gradient: arrays of one shape.
        state: a dict, empty before the first step; it is updated in place.
        learning_rate: the step size η; an array gives each parameter its own.
        changes: other constants than those of ``OPTIMIZERS``, by their names there.

    Returns:
        the new parameter.

    Sources: Polyak (1964) for momentum; Tieleman and Hinton (2012) for RMSprop;
    Kingma and Ba (2015), algorithm 1, for Adam.
    """
    options = OPTIMIZERS[name] | changes
    zero = np.zeros_like(theta)
    if name == "sgd":
        return theta - learning_rate * gradient
    if name == "momentum":
        state["v"] = options["momentum"] * state.get("v", zero) + gradient
        return theta - learning_rate * state["v"]
    if name == "rmsprop":
        rho = options["rho"]
        state["s"] = rho * state.get("s", zero) + (1 - rho) * gradient**2
        root = np.sqrt(state["s"])
        return theta - learning_rate * gradient / (root + options["epsilon"])
    b1, b2 = options["beta_1"], options["beta_2"]
    state["t"] = state.get("t", 0) + 1
    state["m"] = b1 * state.get("m", zero) + (1 - b1) * gradient
    state["s"] = b2 * state.get("s", zero) + (1 - b2) * gradient**2
    mean = state["m"] / (1 - b1 ** state["t"])
    root = np.sqrt(state["s"] / (1 - b2 ** state["t"]))
    return theta - learning_rate * mean / (root + options["epsilon"])


#: activations that pass about half of a centred input, hence He's gain of 2
RECTIFIERS = ("relu", "gelu")


def initial_weights(sizes, activation="relu", seed=0):
    """Starting weights of a multilayer perceptron, the same for both frameworks.

    Kernels are drawn from N(0, gain / d_in) with gain 2 for rectifiers (He et al.,
    2015) and from N(0, 2 / (d_in + d_out)) otherwise (Glorot and Bengio, 2010);
    biases are zero.

    Returns:
        [W1, b1, W2, b2, …] in float32, W of shape (d_in, d_out), b (d_out,).
    """
    generator = np.random.default_rng(seed)
    weights = []
    for d_in, d_out in zip(sizes[:-1], sizes[1:], strict=True):
        variance = 2 / d_in if activation in RECTIFIERS else 2 / (d_in + d_out)
        kernel = generator.normal(0, np.sqrt(variance), (d_in, d_out))
        weights += [kernel.astype("float32"), np.zeros(d_out, "float32")]
    return weights


def cnn_weights(image_shape, n_classes, channels, hidden, seed=0):
    """Starting weights of the two-convolution network of ``models_*.cnn``.

    He's rule (2015): N(0, 2 / fan-in) with fan-in 9 · (input channels) for a 3×3
    convolution.

    Returns:
        [kernel, bias, …] in float32; convolution kernels (3, 3, in, out).
    """
    height, width, depth = image_shape
    generator = np.random.default_rng(seed)
    flat = (height // 4) * (width // 4) * channels[1]
    shapes = [(3, 3, depth, channels[0]), (3, 3, *channels), (flat, hidden)]
    weights = []
    for shape in (*shapes, (hidden, n_classes)):
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        kernel = generator.normal(0, scale, shape).astype("float32")
        weights += [kernel, np.zeros(shape[-1], "float32")]
    return weights
