"""From the runs of a sweep to jobs: which are trained as one, and how each starts.

A run is (setting, seed); a setting is a dict with the keys of ``settings.RULES``.
Knows nothing of tables or progress; ``sweep`` does.
"""

import inspect
from dataclasses import dataclass, replace
from math import ceil
from time import perf_counter

import numpy as np
import torch

from course_utils import batched_torch as batched
from course_utils import models_torch
from course_utils.dataset import Dataset, Split
from course_utils.device import Device
from course_utils.epochs_torch import plain_optimizer, train_batched, train_plain
from course_utils.reference import initial_weights
from course_utils.runs import check_output
from course_utils.settings import prepare

SAME = ("optimizer", "train_size", "width", "depth", "activation")  # within a batch
LARGEST = 100_000  # parameters of a run; beyond, batching gains little on a CPU
SHARING = 3000  # features × runs of a seed; from this on they are a batch of their own
TRIAL_STEPS = 4


@dataclass(frozen=True)
class Common:
    """What all runs of a sweep share; see ``sweep``."""

    dataset: Dataset
    loss: object
    epochs: int
    batch_size: int
    model: object
    probe: object
    device: Device
    memory: int
    dtype: str
    cut: float = 1.0  # share of the examples that is used; less in a trial

    def check(self, axes) -> None:
        """Refuse outputs that do not fit, and lists that ``model`` would not see."""
        if self.model is None:
            outputs = self.sizes({"width": 1, "depth": 0})[-1]
            return check_output((1, outputs), self.dataset, self.loss)
        own = {"initial_scale", "width", "depth", "activation"} & set(axes)
        unused = sorted(own - set(self.taken(dict.fromkeys(axes))))
        if unused:
            raise ValueError(f"model must take {unused}, which are given as lists")

    def taken(self, given: dict) -> dict:
        """Those of the given arguments that ``model`` names."""
        names = inspect.signature(self.model).parameters
        if any(p.kind is p.VAR_KEYWORD for p in names.values()):
            return given
        return {name: value for name, value in given.items() if name in names}

    def sizes(self, setting) -> tuple[int, ...]:
        """Widths of a perceptron's layers, input and output included."""
        outputs = self.dataset.n_classes or self.dataset.train.y.shape[1]
        hidden = [setting["width"]] * setting["depth"]
        return (self.dataset.n_features, *hidden, outputs)

    def batches(self, setting) -> bool:
        """Whether runs of this setting are trained as one."""
        sizes = self.sizes(setting)
        parameters = sum((i + 1) * o for i, o in zip(sizes, sizes[1:], strict=False))
        return (
            self.model is None
            and self.loss in batched.LOSSES
            and setting["activation"] in batched.ACTIVATIONS
            and (parameters <= LARGEST or self.device.kind == "cuda")
        )


def jobs(runs, common) -> list["Job"]:
    """Runs that can be trained as one, in pieces that fit into the memory."""
    groups = {}
    for number, (setting, seed) in enumerate(runs):
        same = tuple(setting[name] for name in SAME)
        name = same if common.batches(setting) else number
        groups.setdefault(name, {}).setdefault(seed, []).append((setting, seed))
    found = []
    for group in groups.values():
        parts = list(group.values())
        # Runs of one seed share its examples; of several, each run needs a copy.
        if len(parts[0]) * common.dataset.n_features < SHARING:
            parts = [[run for part in parts for run in part]]
        setting = parts[0][0][0]
        item = np.dtype(common.dtype).itemsize
        shape = common.sizes(setting), setting["optimizer"], common.batch_size
        length = max(1, int(common.memory / batched.run_bytes(*shape, item)))
        for part in parts:
            pieces = range(0, len(part), length)
            found += [Job(part[i : i + length], common) for i in pieces]
    return found


@dataclass(frozen=True)
class Job:
    """Runs that are trained as one, or one run for the plain loop."""

    runs: list
    common: Common

    @property
    def batched(self) -> bool:
        """Whether the runs are trained as one."""
        return self.common.batches(self.runs[0][0])

    @property
    def kind(self) -> tuple:
        """The same for jobs whose runs take equally long."""
        setting = self.runs[0][0]
        return (self.batched, *(setting[name] for name in SAME))

    def start(self):
        """A generator of ``Epoch``s."""
        if not self.batched:
            return self._start_plain()
        common = self.common
        return train_batched(
            *self.networks(), common.epochs, common.batch_size, common.probe
        )

    def seconds(self) -> float:
        """What the job will about take, from a trial of a few steps."""
        common, n = self.common, self.runs[0][0]["train_size"]
        steps = TRIAL_STEPS * common.batch_size
        share = min(1.0, steps / (n or len(common.dataset.train)))
        common = replace(common, epochs=2, cut=share)
        times = [perf_counter()]
        for _ in Job(self.runs, common).start():
            times.append(perf_counter())
        # The start; an epoch that only warms up; one that counts.
        return times[1] - times[0] + (times[3] - times[2]) / share * self.common.epochs

    def _data(self, setting, seed) -> Dataset:
        sizes = setting["train_size"], setting["label_noise"]
        data = prepare(self.common.dataset, *sizes, seed)

        def cut(split):
            m = ceil(self.common.cut * len(split))
            return Split(split.x[:m], split.y[:m])

        return replace(data, train=cut(data.train), validation=cut(data.validation))

    def networks(self) -> tuple:
        """The runs as ``Networks``, and the data as ``train_batched`` takes them."""
        common, (first, _) = self.common, self.runs[0]
        kinds = [(setting["label_noise"], seed) for setting, seed in self.runs]
        different = list(dict.fromkeys(kinds))
        data = [
            self._data({**first, "label_noise": noise}, seed)
            for noise, seed in different
        ]
        shape = common.sizes(first), first["activation"]
        starts = {seed: initial_weights(*shape, seed) for _, seed in different}
        weights = [_scaled(starts[seed], setting) for setting, seed in self.runs]
        numbers = [
            [setting[name] for setting, _ in self.runs]
            for name in ("learning_rate", "momentum", "weight_decay")
        ]
        networks = batched.Networks(
            weights, first["activation"], common.loss, first["optimizer"], *numbers,
            device=common.device.kind, dtype=getattr(torch, common.dtype),
        )  # fmt: skip
        which, seeds = [different.index(k) for k in kinds], [s for _, s in different]
        return networks, [d.train for d in data], which, seeds, data[0].validation

    def _start_plain(self):
        common, ((setting, seed),) = self.common, self.runs
        model = self._model(setting, seed).to(getattr(torch, common.dtype))
        rule = [setting[n] for n in ("optimizer", "momentum", "weight_decay")]
        return train_plain(
            model, self._data(setting, seed), common.epochs, common.probe,
            loss=common.loss, optimizer=plain_optimizer(*rule), seed=seed,
            learning_rate=setting["learning_rate"], batch_size=common.batch_size,
            device=replace(common.device, precision="float32"),
        )  # fmt: skip

    def _model(self, setting, seed) -> torch.nn.Module:
        """The given function's model, or a perceptron, before training."""
        if self.common.model is not None:
            return self.common.model(**self.common.taken({**setting, "seed": seed}))
        sizes = self.common.sizes(setting)
        model = models_torch.mlp(sizes, setting["activation"], seed=seed)
        weights = models_torch.get_weights(model)
        models_torch.set_weights(model, _scaled(weights, setting))
        return model


def _scaled(weights, setting):
    # In float32 both ways: a run then starts alike however it is trained.
    return [np.float32(setting["initial_scale"]) * w for w in weights]
