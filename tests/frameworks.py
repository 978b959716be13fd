"""The twin modules under common names, for tests that hold for both."""

from types import SimpleNamespace

# torch before tensorflow, where one process needs both
from course_utils import models_torch, training_torch  # isort: skip
from course_utils import models_tf, training_tf  # isort: skip

TORCH = SimpleNamespace(name="torch", models=models_torch, training=training_torch)
TF = SimpleNamespace(name="tensorflow", models=models_tf, training=training_tf)
BOTH = (TORCH, TF)


def as_float64(framework, model, weights):
    """A float64 copy of an ``mlp`` with the given weights."""
    if framework is TORCH:
        import torch

        model = model.double()
        layers = [m for m in model if isinstance(m, torch.nn.Linear)]
        with torch.no_grad():
            for layer, kernel, bias in zip(
                layers, weights[::2], weights[1::2], strict=True
            ):
                layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias))
        return model
    keras = models_tf.keras
    configuration = model.get_config()
    for layer in configuration["layers"]:
        layer["config"]["dtype"] = "float64"
    model = keras.Sequential.from_config(configuration)
    model.set_weights(weights)
    return model
