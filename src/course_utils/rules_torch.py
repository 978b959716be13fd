"""Losses, optimisers and gradient clipping by name; twin of ``rules_tf``."""

import torch
from torch.nn import functional as F

from course_utils.callbacks import Callback
from course_utils.reference import OPTIMIZERS

LOSSES = {"cross_entropy": F.cross_entropy, "squared_error": F.mse_loss}


class ClipGradients(Callback):
    """Scale all gradients down together so that their joint norm is ≤ max_norm.

    Source: Pascanu, Mikolov and Bengio (2013).
    """

    def __init__(self, max_norm: float):
        self.max_norm = max_norm

    def on_gradients(self, gradients):
        norms = torch.stack([torch.linalg.vector_norm(g) for g in gradients])
        factor = (self.max_norm / torch.linalg.vector_norm(norms)).clamp(max=1.0)
        return [g * factor for g in gradients]


def make_optimizer(optimizer, parameters, learning_rate) -> torch.optim.Optimizer:
    """An optimiser by name, with the settings of ``reference.OPTIMIZERS``.

    ``optimizer`` may also be a function (parameters, learning_rate) -> optimiser.
    The fused versions go over the parameters once; the rule is the same.
    """
    if callable(optimizer):
        return optimizer(parameters, learning_rate)
    options = OPTIMIZERS[optimizer]
    if optimizer in ("sgd", "momentum"):
        momentum = options.get("momentum", 0.0)
        return torch.optim.SGD(parameters, learning_rate, momentum, fused=True)
    if optimizer == "rmsprop":
        return torch.optim.RMSprop(
            parameters, learning_rate, alpha=options["rho"], eps=options["epsilon"]
        )
    betas = (options["beta_1"], options["beta_2"])
    return torch.optim.Adam(
        parameters, learning_rate, betas, eps=options["epsilon"], fused=True
    )
