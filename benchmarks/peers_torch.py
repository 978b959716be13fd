"""PyTorch entries of the benchmark: ``prepare`` -> (job to time, model), ``score``.

All train the same network from the same weights with Adam at 0.001, batch 64.
"""

import lightning
import numpy as np
import skorch
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from course_utils import models_torch, training_torch
from course_utils.seed import batches

SIZES, BATCH, RATE = (784, 128, 10), 64, 1e-3


def start():
    return models_torch.mlp(SIZES)


def tensors(dataset):
    return torch.tensor(dataset.train.x), torch.tensor(dataset.train.y)


def score(model, split):
    return training_torch.evaluate(model, split)["accuracy"]


def index_loop(dataset, epochs, seed):
    """The reference: the loop that one writes by hand, and nothing else."""
    model, (x, y) = start(), tensors(dataset)

    def job():
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        model.train()
        for epoch in range(epochs):
            for indices in batches(len(x), BATCH, seed, epoch):
                indices = torch.from_numpy(indices)
                optimizer.zero_grad()
                F.cross_entropy(model(x[indices]), y[indices]).backward()
                optimizer.step()

    return job, model


def loader_loop(dataset, epochs, seed):
    """The same by hand over a shuffling DataLoader."""
    model, (x, y) = start(), tensors(dataset)

    def job():
        torch.manual_seed(seed)
        loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        model.train()
        for _ in range(epochs):
            for inputs, targets in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(inputs), targets).backward()
                optimizer.step()

    return job, model


def ours(dataset, epochs, seed):
    """course_utils, with its metrics, validation and history."""
    model = start()

    def job():
        training_torch.train(
            model, dataset, optimizer="adam", learning_rate=RATE, epochs=epochs,
            batch_size=BATCH, seed=seed,
        )  # fmt: skip

    return job, model


class SameBatches(torch.utils.data.Sampler):
    """The index loop's batches, for loaders that take a batch sampler."""

    def __init__(self, n, seed):
        self.n, self.seed, self.epoch = n, seed, 0

    def __len__(self):
        return -(-self.n // BATCH)

    def __iter__(self):
        self.epoch += 1
        yield from batches(self.n, BATCH, self.seed, self.epoch - 1)


class WholeBatches(TensorDataset):
    """Fetches a batch with one index operation, as the index loop does."""

    def __getitems__(self, indices):
        return tuple(t[torch.from_numpy(np.asarray(indices))] for t in self.tensors)


def same_batches_loader(x, y, seed):
    return DataLoader(
        WholeBatches(x, y), batch_sampler=SameBatches(len(x), seed),
        collate_fn=lambda batch: batch,
    )  # fmt: skip


class Lit(lightning.LightningModule):
    """The network as a LightningModule."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def training_step(self, batch, _):
        return F.cross_entropy(self.model(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.model.parameters(), RATE)


def lightning_peer(same):
    def prepare(dataset, epochs, seed):
        model, (x, y) = start(), tensors(dataset)

        def job():
            torch.manual_seed(seed)
            loader = (
                same_batches_loader(x, y, seed)
                if same
                else DataLoader(TensorDataset(x, y), BATCH, shuffle=True)
            )
            trainer = lightning.Trainer(
                max_epochs=epochs, accelerator="cpu", logger=False,
                enable_checkpointing=False, enable_progress_bar=False,
                enable_model_summary=False,
            )  # fmt: skip
            trainer.fit(Lit(model), loader)

        return job, model

    return prepare


class SameBatchesNet(skorch.NeuralNetClassifier):
    """skorch over the index loop's batches."""

    def get_iterator(self, dataset, training=False):
        x, y = (torch.as_tensor(part) for part in (dataset.X, dataset.y))
        if not hasattr(self, "same_loader"):
            self.same_loader = same_batches_loader(x, y, self.batch_seed)
        return self.same_loader


def skorch_peer(same):
    def prepare(dataset, epochs, seed):
        model = start()
        kind = SameBatchesNet if same else skorch.NeuralNetClassifier
        # batch_size and shuffle belong to the usual loader only
        usual = {} if same else {"batch_size": BATCH, "iterator_train__shuffle": True}

        def job():
            torch.manual_seed(seed)
            net = kind(
                model, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam,
                lr=RATE, max_epochs=epochs, train_split=None, verbose=0, **usual,
            )  # fmt: skip
            net.batch_seed = seed
            net.fit(dataset.train.x.copy(), dataset.train.y.copy())

        return job, model

    return prepare


ENTRIES = {
    "index loop by hand (PyTorch)": (index_loop, score),
    "DataLoader loop by hand": (loader_loop, score),
    "course_utils.training_torch": (ours, score),
    "Lightning, its usual loader": (lightning_peer(same=False), score),
    "Lightning, the index loop's batches": (lightning_peer(same=True), score),
    "skorch, its usual loader": (skorch_peer(same=False), score),
    "skorch, the index loop's batches": (skorch_peer(same=True), score),
}
