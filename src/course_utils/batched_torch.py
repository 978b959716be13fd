"""Many small multilayer perceptrons of one shape, trained as one in PyTorch.

R runs that differ in numbers only (starting weights, data, learning rate …) are held
in the same tensors, the run first, and each layer of all of them is one batched
matrix product. Forward pass, backward pass and updates are written out.

Within this file, and only here, examples are columns: a layer's values are
(R, d_l, B) and its kernel is (R, d_l, d_{l-1}). Rows then stay long where the last
layer has 2 or 10 units, and batched products of long rows are several times faster.

Knows nothing of epochs or grids; ``epochs_torch`` and ``sweep`` do.
"""

import math

import numpy as np
import torch

from course_utils.reference import OPTIMIZERS

#: name -> (function, its slope from the function's value), both in place
ACTIVATIONS = {
    "relu": (torch.relu_, lambda a: a.sign_()),
    "tanh": (torch.tanh_, lambda a: a.mul_(a).neg_().add_(1)),  # 1 - a²
    "sigmoid": (torch.sigmoid_, lambda a: a.mul_(1 - a)),
}
STATES = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2}  # arrays a parameter
SLICE = 64  # columns that a forward pass without training takes at a time


def cross_entropy(logits, y):
    """Mean loss (R,) and its gradient (R, K, B) for logits (R, K, B), labels (R, B)."""
    y = y[:, None].expand(len(logits), -1, -1)  # (R, 1, B)
    log_p = torch.log_softmax(logits, 1)  # (R, K, B)
    losses = -log_p.gather(1, y).mean((1, 2))
    minus_one = logits.new_tensor(-1.0).expand(y.shape)
    return losses, log_p.exp_().scatter_add_(1, y, minus_one).div_(y.shape[2])


def squared_error(outputs, y):
    """Mean loss (R,) and its gradient (R, k, B) for outputs and targets (R, k, B)."""
    difference = outputs - y
    size = difference[0].numel()
    return difference.square().mean((1, 2)), difference.mul_(2 / size)


LOSSES = {"cross_entropy": cross_entropy, "squared_error": squared_error}


class Networks:
    """R multilayer perceptrons of one shape and their optimisers.

    Args:
        weights: R lists as ``reference.initial_weights`` gives them.
        activation: a key of ``ACTIVATIONS``, after every layer but the last.
        loss: a key of ``LOSSES``.
        optimizer: a key of ``STATES``, with the constants of ``reference``.
        learning_rate, momentum, weight_decay: R numbers each; ``momentum`` is β of
            "momentum" and β1 of "adam", ``weight_decay`` γ in g + γθ.
        device, dtype: where and in which precision all is held.
    """

    def __init__(
        self, weights, activation, loss, optimizer, learning_rate, momentum,
        weight_decay, device="cpu", dtype=torch.float32,
    ):  # fmt: skip
        def tensor(array):
            return torch.tensor(np.asarray(array), dtype=dtype, device=device)

        stacks = [np.stack(arrays) for arrays in zip(*weights, strict=True)]
        self.kernels = [tensor(w.transpose(0, 2, 1).copy()) for w in stacks[::2]]
        self.biases = [tensor(b[:, :, None]) for b in stacks[1::2]]  # (R, d_l, 1)
        self.activate, self.slope = ACTIVATIONS[activation]
        self.loss, self.optimizer = LOSSES[loss], optimizer
        # One number a run, (R, 1, 1), to go with any parameter of the run.
        self.rate, self.beta, self.decay = (
            tensor(values).reshape(-1, 1, 1)
            for values in (learning_rate, momentum, weight_decay)
        )
        self.decays = bool(self.decay.any())
        self.steps, self.states, self.rooms = 0, {}, {}

    def __len__(self) -> int:
        return len(self.rate)

    def _room(self, name, *shape):
        """A tensor to write into, kept from step to step.

        Fresh memory for each of these would cost more than what is computed in it.
        """
        size = math.prod(shape)
        if name not in self.rooms or len(self.rooms[name]) < size:
            self.rooms[name] = self.rate.new_empty(size)
        return self.rooms[name][:size].view(shape)

    def outputs(self, x):
        """Logits (R, K, m) for inputs (1 or R, d_0, m)."""
        logits = x.new_empty(len(self), self.kernels[-1].shape[1], x.shape[2])
        for part, to in zip(x.split(SLICE, 2), logits.split(SLICE, 2), strict=True):
            to.copy_(self._forward(part)[-1])
        return logits

    def _forward(self, x):
        """Each layer's inputs, (R, d_0, B), (R, d_1, B) …, and last the logits."""
        layers = [x.expand(len(self), -1, -1)]
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            if len(layers) > 1:
                self.activate(layers[-1])
            z = self._room(("z", len(layers)), *kernel.shape[:2], x.shape[2])
            layers.append(torch.baddbmm(bias, kernel, layers[-1], out=z))  # W A + b
        return layers

    def step(self, x, y):
        """One update of all runs on one batch each.

        Args:
            x: inputs (1 or R, d_0, B).
            y: labels (1 or R, B) or targets (1 or R, k, B).

        Returns:
            each run's loss before the update (R,) and its logits (R, K, B), which
            stand until the next call.

        Source: Rumelhart, Hinton and Williams (1986), in matrix form.
        """
        *inputs, logits = self._forward(x)
        losses, delta = self.loss(logits, y)  # (R,), (R, K, B)
        self.steps += 1
        for layer in reversed(range(len(self.kernels))):
            kernel, values = self.kernels[layer], inputs[layer]
            of_kernel = self._room("g", *kernel.shape)
            torch.bmm(delta, values.mT, out=of_kernel)  # (R, d_l, d_{l-1})
            of_bias = delta.sum(2, keepdim=True)  # (R, d_l, 1)
            if layer > 0:  # by the kernel that the forward pass used
                back = self._room(("delta", layer % 2), *values.shape)
                torch.bmm(kernel.mT, delta, out=back)  # (R, d_{l-1}, B)
                delta = back.mul_(self.slope(values))
            self._update(("W", layer), kernel, of_kernel)
            self._update(("b", layer), self.biases[layer], of_bias)
        return losses, logits

    def _update(self, name, theta, g) -> None:
        """Change one parameter of all runs in place; its gradient ``g`` is used up.

        The rules of ``reference.optimizer_step``, where their sources stand.
        """
        if self.decays:
            g.addcmul_(theta, self.decay)  # g + γθ
        if self.optimizer == "sgd":
            theta.addcmul_(g, self.rate, value=-1)
            return
        if name not in self.states:
            count = STATES[self.optimizer]
            self.states[name] = [torch.zeros_like(theta) for _ in range(count)]
        state, options = self.states[name], OPTIMIZERS[self.optimizer]
        if self.optimizer == "momentum":
            theta.addcmul_(state[0].mul_(self.beta).add_(g), self.rate, value=-1)
            return
        rho = options.get("rho", options.get("beta_2"))
        s = state[-1].mul_(rho).addcmul_(g, g, value=1 - rho)
        root = torch.sqrt(s, out=self._room("root", *s.shape))
        if self.optimizer == "rmsprop":
            g.mul_(self.rate)
        else:
            mean = state[0].lerp_(g, 1 - self.beta)
            torch.mul(mean, self.rate / (1 - self.beta**self.steps), out=g)
            root.div_((1 - rho**self.steps) ** 0.5)
        theta.addcdiv_(g, root.add_(options["epsilon"]), value=-1)


def right(logits, y):
    """How many of each run's logits (R, K, B) are greatest at the label, (R,).

    NaN for real-valued targets, which are neither right nor wrong.
    """
    if y.is_floating_point():
        return y.new_full((len(logits),), torch.nan)
    best = logits.amax(1, keepdim=True)
    classes = torch.arange(logits.shape[1], device=y.device)[:, None]  # (K, 1)
    # Of equal logits the first counts, as with argmax, which is slower here.
    first = torch.where(logits == best, classes, len(classes)).amin(1)  # (R, B)
    return (first == y).sum(1)


def run_bytes(sizes, optimizer, batch_size, itemsize) -> int:
    """About how many bytes one run of ``Networks`` takes while it trains."""
    parameters = sum((i + 1) * o for i, o in zip(sizes[:-1], sizes[1:], strict=True))
    columns = max(batch_size, SLICE)
    return itemsize * (parameters * (3 + STATES[optimizer]) + 2 * columns * sum(sizes))
