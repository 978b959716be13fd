"""The state of one PyTorch training run: what a step changes and a checkpoint keeps.

Callbacks see this object; ``training_torch`` holds the loop that drives it.
"""

import os
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from course_utils import runs
from course_utils.history import History


@contextmanager
def processes(device_kind: str):
    """(rank, number of processes): those of ``torchrun``, or (0, 1) without it."""
    world = int(os.environ.get("WORLD_SIZE", 1))
    if world == 1 or not distributed.is_available():
        yield 0, 1
        return
    ours = not distributed.is_initialized()
    if ours:
        distributed.init_process_group("nccl" if device_kind == "cuda" else "gloo")
    try:
        yield distributed.get_rank(), distributed.get_world_size()
    finally:
        if ours:
            distributed.destroy_process_group()


class Run:
    """One training run in progress.

    Attributes:
        model: the module that learns, on its device.
        history, epoch, epochs, stop: see ``course_utils.callbacks``.
        rank, world: this process and how many there are.
    """

    def __init__(self, model, device, loss, make_optimizer, epochs, rank, world):
        local = int(os.environ.get("LOCAL_RANK", 0))
        index = local if device.kind == "cuda" else None
        self.device = torch.device(device.kind, index)
        self.model = model.to(self.device)
        self.loss = loss
        self.rank, self.world = rank, world
        self.history, self.epoch, self.epochs, self.stop = History(), 0, epochs, ""
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        if not self.parameters:
            raise ValueError("the model has no parameter that training could change")
        self.optimizer = make_optimizer(self.parameters)
        self.scaler = torch.amp.GradScaler(
            device.kind, enabled=device.precision == "float16"
        )
        self._half = getattr(torch, device.precision)
        # Called for training: under torchrun it also averages the gradients.
        self.wrapped = DistributedDataParallel(model) if world > 1 else model

    def autocast(self):
        """A context in which matrix products run in the device's precision."""
        if self._half == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self._half)

    def tensors(self, split) -> tuple[torch.Tensor, torch.Tensor]:
        """A split on the device, its real numbers in the model's dtype."""
        dtype = self.parameters[0].dtype
        x = torch.tensor(split.x, dtype=dtype, device=self.device)
        y = torch.tensor(split.y, device=self.device)
        return x, y.to(dtype) if y.is_floating_point() else y

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean of a tensor over all processes."""
        if self.world > 1:
            distributed.all_reduce(values)
            values /= self.world
        return values

    def update(self, value: torch.Tensor, rate: float, editors: list) -> None:
        """One optimiser step on a loss, through the callbacks that edit gradients."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        self.scaler.scale(value).backward()
        if editors:
            self.scaler.unscale_(self.optimizer)
            used = [p for p in self.parameters if p.grad is not None]
            gradients = [p.grad for p in used]
            for callback in editors:
                gradients = callback.on_gradients(gradients)
            for parameter, gradient in zip(used, gradients, strict=True):
                parameter.grad = gradient
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def weights(self) -> dict[str, np.ndarray]:
        """A copy of the model's parameters and buffers, by name."""
        state = self.model.state_dict()
        return {name: value.cpu().numpy().copy() for name, value in state.items()}

    def load_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Put back what ``weights`` returned; ValueError if it is another model's."""
        runs.check_weights(weights, self.model.state_dict())
        tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
        self.model.load_state_dict(tensors)

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the rest of the run depends on, as arrays by name."""
        state = {f"model/{name}": value for name, value in self.weights().items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            for name, value in slots.items():
                if value is not None:
                    array = torch.as_tensor(value).cpu().numpy()
                    state[f"optimizer/{index}/{name}"] = array
        state["random/cpu"] = torch.get_rng_state().numpy()
        if self.device.type == "cuda":
            state["random/cuda"] = torch.cuda.get_rng_state(self.device).numpy()
        for name, value in self.scaler.state_dict().items():
            state[f"scaler/{name}"] = np.array(value)
        state["history"] = np.array(self.history.to_json())
        state["epoch"] = np.array(self.epoch)
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what ``state`` returned; ValueError if it is another model's."""
        self.load_weights(runs.split_state(state, "model"))
        slots = {}
        for name, value in runs.split_state(state, "optimizer").items():
            index, slot = name.split("/")
            slots.setdefault(int(index), {})[slot] = torch.tensor(value)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        torch.set_rng_state(torch.from_numpy(state["random/cpu"]))
        if "random/cuda" in state:
            torch.cuda.set_rng_state(torch.from_numpy(state["random/cuda"]))
        scaler = runs.split_state(state, "scaler")
        if scaler:
            self.scaler.load_state_dict({k: v.item() for k, v in scaler.items()})
        self.history = History.from_json(str(state["history"]))
        self.epoch = int(state["epoch"])
