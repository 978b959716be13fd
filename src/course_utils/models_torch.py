"""Models that several chapters reuse, in PyTorch; twins of ``models_tf``.

Same names, same arguments, and the same starting weights from the same seed. Knows
nothing of data or training.
"""

import numpy as np
import torch
from torch import nn

from course_utils.reference import cnn_weights, initial_weights

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def _activation(name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}: one of {list(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


def mlp(sizes, activation="relu", dropout=0.0, seed=0) -> nn.Sequential:
    """A multilayer perceptron from (B, sizes[0]) to logits (B, sizes[-1]).

    Args:
        sizes: widths of input, hidden layers and output, at least two numbers.
        activation: "relu", "tanh", "sigmoid" or "gelu", after each hidden layer.
        dropout: share of hidden activations dropped in training.
        seed: of the starting weights (see ``reference.initial_weights``).

    Raises:
        ValueError: on an unknown activation or fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes needs at least input and output, not {sizes}")
    layers = []
    for d_in, d_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(d_in, d_out), _activation(activation)]
        layers += [nn.Dropout(dropout)] if dropout else []
    model = nn.Sequential(*layers[: -2 if dropout else -1])  # no activation at the end
    set_weights(model, initial_weights(sizes, activation, seed))
    return model


class _CNN(nn.Module):
    def __init__(self, image_shape, n_classes, channels, hidden):
        super().__init__()
        height, width, depth = image_shape
        self.image_shape = image_shape
        self.conv1 = nn.Conv2d(depth, channels[0], 3, padding=1)
        self.conv2 = nn.Conv2d(channels[0], channels[1], 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        flat = (height // 4) * (width // 4) * channels[1]
        self.dense1 = nn.Linear(flat, hidden)
        self.dense2 = nn.Linear(hidden, n_classes)

    def forward(self, x):
        x = x.reshape(-1, *self.image_shape).permute(0, 3, 1, 2)  # (B, C, H, W)
        x = self.pool(torch.relu(self.conv1(x)))  # (B, c1, H/2, W/2)
        x = self.pool(torch.relu(self.conv2(x)))  # (B, c2, H/4, W/4)
        # Flatten as (H, W, C), as Keras does, so that weights can be copied.
        x = x.permute(0, 2, 3, 1).flatten(1)
        return self.dense2(torch.relu(self.dense1(x)))


def cnn(image_shape, n_classes, channels=(8, 16), hidden=32, seed=0) -> nn.Module:
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
    model = _CNN(shape, n_classes, channels, hidden)
    set_weights(model, cnn_weights(shape, n_classes, channels, hidden, seed))
    return model


def _layers(model) -> list[nn.Module]:
    known = (nn.Linear, nn.Conv2d)
    layers = [
        m
        for m in model.modules()
        if next(m.parameters(recurse=False), None) is not None
    ]
    for layer in layers:
        if not isinstance(layer, known):
            raise TypeError(f"cannot copy the weights of {type(layer).__name__}")
    return layers


def get_weights(model) -> list[np.ndarray]:
    """Kernels and biases in the order of the layers, in the layout of Keras.

    Dense kernels are (in, out), convolution kernels (height, width, in, out).

    Raises:
        TypeError: on layers other than ``Linear`` and ``Conv2d``.
    """
    weights = []
    for layer in _layers(model):
        kernel = layer.weight.detach()
        axes = (1, 0) if kernel.ndim == 2 else (2, 3, 1, 0)
        weights += [kernel.permute(axes), layer.bias.detach()]
    return [w.cpu().numpy().copy() for w in weights]


def set_weights(model, weights) -> None:
    """Set what ``get_weights`` returns, of this model or of its Keras twin.

    Raises:
        ValueError: if a shape does not fit.
    """
    layers = _layers(model)
    if len(weights) != 2 * len(layers):
        raise ValueError(f"{2 * len(layers)} arrays needed, {len(weights)} given")
    for layer, kernel, bias in zip(layers, weights[::2], weights[1::2], strict=True):
        axes = (1, 0) if kernel.ndim == 2 else (3, 2, 0, 1)
        for own, new in ((layer.weight, kernel.transpose(axes)), (layer.bias, bias)):
            if own.shape != new.shape:
                raise ValueError(f"weight of shape {new.shape} for {tuple(own.shape)}")
            with torch.no_grad():
                own.copy_(torch.from_numpy(np.ascontiguousarray(new)))


def count_parameters(model) -> int:
    """How many numbers training can change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class RandomShift(nn.Module):
    """Moves each square image by up to ``most`` pixels, another way at every call.

    Acts in training mode only, on rows (B, side²); what comes in from outside the
    image is ``fill``, the value of a pixel without ink. Draws from PyTorch's generator.

    Raises:
        ValueError: on rows that hold no square image.
    """

    def __init__(self, most, fill):
        super().__init__()
        self.most, self.fill = most, float(fill)

    def forward(self, x):
        if not self.training:
            return x
        side = round(x.shape[1] ** 0.5)
        if side**2 != x.shape[1]:
            raise ValueError(f"rows of {x.shape[1]} numbers hold no square image")
        images = x.reshape(-1, side, side)
        padded = nn.functional.pad(images, (self.most,) * 4, value=self.fill)
        drawn = torch.randint(0, 2 * self.most + 1, (2, len(x), 1, 1), device=x.device)
        places = torch.arange(side, device=x.device)
        rows, columns = drawn[0] + places[:, None], drawn[1] + places  # (B, side, 1 …)
        every = torch.arange(len(x), device=x.device)[:, None, None]
        return padded[every, rows, columns].flatten(1)  # (B, side²)
