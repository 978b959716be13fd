"""A sweep, held to the plain loop run by run, and what it promises besides."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from course_utils import data, jobs_torch, models_torch, reference, training_torch
from course_utils.batched_torch import Networks, run_bytes
from course_utils.callbacks import DivergedError
from course_utils.device import find_device
from course_utils.jobs_torch import Common, jobs
from course_utils.settings import grid
from course_utils.sweep import prepare, sweep, trainer

MOONS = data.two_moons(n=232, seed=0)
N = len(MOONS.train)
assert N % 32 != 0  # so that the last batch of an epoch is a smaller one
PLANTED = data.planted_regression(n=232)
CPU = dataclasses.replace(find_device("torch"), kind="cpu", precision="float32")
USUAL = {
    "learning_rate": 0.1, "optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.0,
    "initial_scale": 1.0, "label_noise": 0.0, "train_size": None, "width": 8,
    "depth": 1, "activation": "relu",
}  # fmt: skip
SMALL = {"epochs": 3, "batch_size": 32, "width": 8, "dtype": "float64", "device": CPU}
SCORES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]


@pytest.fixture(autouse=True)
def no_bars(monkeypatch):
    monkeypatch.setenv("COURSE_UTILS_QUIET", "1")


def optimizer(setting):
    """torch's own rules, with the constants that the course gives them."""
    rate = {"lr": setting["learning_rate"], "weight_decay": setting["weight_decay"]}
    beta, options = setting["momentum"], reference.OPTIMIZERS
    return {
        "sgd": lambda p, _: torch.optim.SGD(p, **rate),
        "momentum": lambda p, _: torch.optim.SGD(p, **rate, momentum=beta),
        "rmsprop": lambda p, _: torch.optim.RMSprop(
            p, **rate, alpha=options["rmsprop"]["rho"], eps=1e-8
        ),
        "adam": lambda p, _: torch.optim.Adam(p, **rate, betas=(beta, 0.999)),
    }[setting["optimizer"]]


def start(setting, seed, dataset):
    """The model of one run before training, in float64."""
    outputs = dataset.n_classes or dataset.train.y.shape[1]
    sizes = (dataset.n_features, *[setting["width"]] * setting["depth"], outputs)
    model = models_torch.mlp(sizes, setting["activation"], seed=seed)
    weights = reference.initial_weights(sizes, setting["activation"], seed)
    scale = np.float32(setting["initial_scale"])
    models_torch.set_weights(model, [scale * w for w in weights])
    return model.double()


def plain(setting, seed, dataset, epochs, loss):
    """The record and the model of one run in the plain loop."""
    model = start(setting, seed, dataset)
    sizes = setting["train_size"], setting["label_noise"]
    try:
        history = training_torch.train(
            model, prepare(dataset, *sizes, seed), loss=loss,
            optimizer=optimizer(setting), learning_rate=setting["learning_rate"],
            epochs=epochs, batch_size=32, device=CPU, seed=seed,
        )  # fmt: skip
    except DivergedError as error:
        history = error.history
    return history, model


def batched(settings, seeds, dataset, epochs, loss, memory=2**30):
    """Setting, seed, step losses (steps,), scores (epochs, 4) of each batched run."""
    common = Common(
        dataset, loss, epochs, 32, None, None, CPU, memory, "float64"
    )  # fmt: skip
    runs = [(setting, seed) for seed in seeds for setting in settings]
    for job in jobs(runs, common):
        assert job.batched
        epochs_seen = list(job.start())[1:]
        losses = np.concatenate([epoch.losses for epoch in epochs_seen])
        scores = np.stack([epoch.scores for epoch in epochs_seen])  # (epochs, 4, R)
        for i, (setting, seed) in enumerate(job.runs):
            yield setting, seed, losses[:, i], scores[:, :, i]


CASES = {
    "sgd": {"optimizer": ["sgd"], "learning_rate": [0.01, 0.1, 1.0],
            "weight_decay": [0.0, 0.02]},
    "momentum": {"optimizer": ["momentum"], "learning_rate": [0.01, 0.1],
                 "weight_decay": [0.0, 0.02], "momentum": [0.0, 0.5, 0.9]},
    "rmsprop": {"optimizer": ["rmsprop"], "learning_rate": [0.001, 0.01],
                "weight_decay": [0.0, 0.02]},
    "adam": {"optimizer": ["adam"], "learning_rate": [0.001, 0.03],
             "weight_decay": [0.0, 0.02], "momentum": [0.0, 0.5, 0.9]},
    "data": {"train_size": [64, 100, None], "label_noise": [0.0, 0.3, 1.0]},
    "start": {"initial_scale": [0.0, 0.3, 3.0], "optimizer": ["sgd", "adam"]},
    "shape": {"width": [3, 8], "depth": [0, 1, 3],
              "activation": ["relu", "tanh", "sigmoid"]},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_batched_run_equals_the_plain_loop(case):
    """Over 50 steps: the losses of every step and the scores of every epoch."""
    settings = grid({**USUAL, **CASES[case]})
    checked = 0
    for setting, seed, losses, scores in batched(
        settings, (0, 3), MOONS, 17 if case == "data" else 9, "cross_entropy"
    ):
        history, _ = plain(setting, seed, MOONS, len(scores), "cross_entropy")
        assert len(losses) == len(history.steps["loss"])
        expected = history.steps["loss"]
        assert np.allclose(losses[:50], expected[:50], rtol=1e-6, atol=0), setting
        first = history.frame()[SCORES].to_numpy()[:9]
        assert np.allclose(scores[:9], first, rtol=1e-6, atol=0), setting
        checked += len(losses[:50])
    assert checked >= 30 * 2 * len(settings)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "rmsprop", "adam"])
def test_smooth_runs_agree_to_the_end(rule):
    """Fifty epochs, 300 steps."""
    rates = {"rmsprop": 0.001, "adam": 0.003}
    setting = {**USUAL, "optimizer": rule, "learning_rate": rates.get(rule, 0.05)}
    settings = [{**setting, "activation": "tanh", "weight_decay": d} for d in (0, 1e-3)]
    for chosen, seed, losses, _ in batched(settings, (1,), MOONS, 50, "cross_entropy"):
        history, _ = plain(chosen, seed, MOONS, 50, "cross_entropy")
        assert np.allclose(losses, history.steps["loss"], rtol=1e-6, atol=0)
        assert losses[-6:].mean() < 0.7 * losses[:6].mean()


def test_a_diverging_run_is_marked_and_leaves_the_others_alone():
    settings = grid({**USUAL, "learning_rate": [0.01, 0.05, 0.8, 1e300]})
    diverged = []
    for setting, seed, losses, scores in batched(
        settings, (0, 1), PLANTED, 30, "squared_error"
    ):
        history, _ = plain(setting, seed, PLANTED, 30, "squared_error")
        lived = len(history.epochs.get("epoch", []))
        expected = np.array(history.steps.get("loss", []))
        steps = min(50, len(expected))
        assert np.allclose(losses[:steps], expected[:steps], rtol=1e-6, atol=0)
        shown = min(8, lived)
        for column in (0, 2):  # training and validation loss
            recorded = history.epochs.get(SCORES[column], [])[:shown]
            assert np.allclose(scores[:shown, column], recorded, rtol=1e-6, atol=0)
        assert np.isnan(scores[lived:]).all()
        if lived < 30:
            diverged.append(setting["learning_rate"])
            step = np.flatnonzero(~np.isfinite(losses))[0]
            assert step // (len(losses) // 30) == lived
    assert sorted(diverged) == [0.8, 0.8, 1e300, 1e300]
    table = sweep(PLANTED, learning_rate=[0.01, 1e300], loss="squared_error", **SMALL)
    assert table.diverged.tolist() == [False] * 9 + [True] * 9
    assert table[table.diverged][SCORES].isna().all(axis=None)
    assert table.train_accuracy.isna().all()  # regression has none


def test_the_table_is_tidy(capsys):
    table = sweep(
        MOONS, optimizer=["sgd", "adam"], learning_rate=(0.01, 0.1),
        train_size=[None, 100], seeds=[4, 2], **SMALL,
    )  # fmt: skip
    axes = ["learning_rate", "optimizer", "train_size"]
    assert list(table.columns) == [*axes, "seed", "epoch", *SCORES, "diverged"]
    assert len(table) == 2 * 2 * 2 * 2 * 3 and table.attrs["stopped"] == ""
    assert table.epoch.tolist() == [1, 2, 3] * 16
    assert table.seed.tolist() == ([4] * 3 + [2] * 3) * 8
    assert table.train_size.tolist() == ([N] * 6 + [100] * 6) * 4
    assert not table.diverged.any() and table[SCORES].notna().all(axis=None)
    line = capsys.readouterr().out
    assert line.startswith(
        "16 runs (8 settings × 2 seeds) of 3 epochs, 4 batches of runs: about "
    )
    assert line.endswith(" s on the CPU\n")


def test_what_is_not_used_is_trained_once(monkeypatch):
    trained = []
    begin = Networks.__init__

    def count(self, weights, *rest, **options):
        trained.append(len(weights))
        begin(self, weights, *rest, **options)

    monkeypatch.setattr(Networks, "__init__", count)
    monkeypatch.setattr(jobs_torch.Job, "seconds", lambda job: 1.0)
    rules = ["sgd", "momentum", "rmsprop", "adam"]
    table = sweep(MOONS, optimizer=rules, momentum=[0.5, 0.9], seeds=1, **SMALL)
    assert sorted(trained) == [1, 1, 2, 2]
    last = table[table.epoch == 3].pivot(
        index="optimizer", columns="momentum", values="train_loss"
    )
    equal = last[0.5] == last[0.9]
    assert sorted(last.index[equal]) == ["rmsprop", "sgd"]


def test_cutting_into_batches_changes_nothing(capsys):
    given = {"learning_rate": [0.01, 0.1, 0.5], "label_noise": [0.0, 0.2]}
    whole = sweep(MOONS, **given, **SMALL)
    assert " 1 batch of runs" in capsys.readouterr().out
    for memory, pieces in ((55_000, 5), (1, 18)):
        cut = sweep(MOONS, **given, **SMALL, memory=memory)
        assert f" {pieces} batches of runs" in capsys.readouterr().out
        pd.testing.assert_frame_equal(whole, cut, rtol=1e-9)


@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_a_run_takes_the_memory_that_is_counted(rule):
    sizes, runs = (64, 32, 32, 10), 5
    weights = [reference.initial_weights(sizes)] * runs
    numbers = [[0.1] * runs] * 3
    networks = Networks(weights, "relu", "cross_entropy", rule, *numbers)
    x, y = torch.zeros(runs, 64, 100), torch.zeros(runs, 100, dtype=torch.int64)
    _, logits = networks.step(x, y)
    kept = [*networks.kernels, *networks.biases, *networks.rooms.values()]
    kept += [x, logits, *(s for states in networks.states.values() for s in states)]
    taken = sum(tensor.numel() * tensor.itemsize for tensor in kept) / runs
    assert 1 < run_bytes(sizes, rule, 100, itemsize=4) / taken < 2


def test_many_runs_of_a_seed_are_a_batch_of_their_own(monkeypatch):
    given = {"learning_rate": [0.01, 0.1, 0.5], "label_noise": [0.0, 0.2]}
    together = sweep(MOONS, **given, **SMALL)
    monkeypatch.setattr(jobs_torch, "SHARING", 12)  # six runs of two features
    apart = sweep(MOONS, **given, **SMALL)
    pd.testing.assert_frame_equal(together, apart, rtol=1e-9)


def test_large_networks_go_through_the_plain_loop(monkeypatch, capsys):
    given = {"optimizer": ["momentum", "adam"], "momentum": [0.3], "epochs": 3,
             "weight_decay": [0.0, 0.01], "initial_scale": [0.0, 2.0],
             "label_noise": 0.1, "probe": MOONS.test.x}  # fmt: skip
    options = {**SMALL, **given}
    table, outputs = sweep(MOONS, **options)
    monkeypatch.setattr(jobs_torch, "LARGEST", 41)  # 2 → 8 → 2 has 42 parameters
    capsys.readouterr()
    other, others = sweep(MOONS, **options)
    assert "epochs, 24 one by one: about" in capsys.readouterr().out
    pd.testing.assert_frame_equal(table, other, rtol=1e-9)
    assert np.allclose(outputs, others, rtol=1e-5, atol=1e-6)


def test_a_model_of_ones_own_goes_through_the_plain_loop():
    def model(width, seed):
        return models_torch.mlp((2, width, 2), seed=seed)

    given = {**SMALL, "width": [3, 8], "seeds": 2}
    table = sweep(MOONS, **given)
    other = sweep(MOONS, model=model, **given)
    pd.testing.assert_frame_equal(table, other, rtol=1e-9)
    free = sweep(MOONS, model=lambda **s: model(s["width"], s["seed"]), **given)
    pd.testing.assert_frame_equal(other, free)
    with pytest.raises(ValueError, match=r"model must take \['depth'\]"):
        sweep(MOONS, model=model, depth=[1, 2], **given)


def test_a_model_of_ones_own_may_diverge():
    def model(seed):
        return models_torch.mlp((PLANTED.n_features, 1), seed=seed)

    options = {**SMALL, "loss": "squared_error", "probe": PLANTED.test.x, "seeds": 1}
    for given in ({"model": model}, {"depth": 0}):
        table, outputs = sweep(PLANTED, learning_rate=[0.01, 1e300], **given, **options)
        assert table.diverged.tolist() == [False] * 3 + [True] * 3
        assert np.isfinite(outputs[0]).all() and np.isfinite(outputs[1, 0]).all()
        assert np.isnan(outputs[1, 1:]).all()


def test_an_infinite_loss_is_marked_though_nothing_is_nan_yet(monkeypatch):
    """The second step's loss overflows, its gradient and the outputs do not."""
    options = {**SMALL, "loss": "squared_error", "depth": 0, "batch_size": 162}
    for parameters in (100, 1):  # batched, then plain
        monkeypatch.setattr(jobs_torch, "LARGEST", parameters)
        table, outputs = sweep(
            PLANTED, learning_rate=1e158, probe=PLANTED.test.x, seeds=1, **options
        )
        assert table.diverged.tolist() == [False, True, True]
        assert table.train_loss.isna().tolist() == [False, True, True]
        assert not np.isnan(outputs[0, :2]).any() and np.isnan(outputs[0, 2:]).all()


def test_other_activations_and_losses_are_trained_one_by_one(capsys):
    loss = training_torch.LOSSES["cross_entropy"]
    for given in ({"activation": "gelu"}, {"loss": lambda *pair: loss(*pair)}):
        table = sweep(MOONS, seeds=1, **given, **SMALL)
        assert "1 one by one" in capsys.readouterr().out
        assert table.train_loss.is_monotonic_decreasing


def test_probed_outputs_are_those_of_predict():
    settings = {"learning_rate": [0.05, 0.3], "activation": ["tanh", "relu"]}
    probe = np.random.default_rng(0).normal(size=(150, 2))
    _, outputs = sweep(MOONS, probe=probe, seeds=2, **settings, **SMALL)
    assert outputs.shape == (8, 4, 150, 2) and outputs.dtype == np.float32
    runs = [(s, seed) for s in grid({**USUAL, **settings}) for seed in (0, 1)]
    for (setting, seed), found in zip(runs, outputs, strict=True):
        before = training_torch.predict(start(setting, seed, MOONS), probe)
        after = training_torch.predict(
            plain(setting, seed, MOONS, 3, "cross_entropy")[1], probe
        )
        assert np.allclose(found[0], before, rtol=1e-5, atol=1e-6)
        assert np.allclose(found[3], after, rtol=1e-5, atol=1e-6)
        assert not np.allclose(found[2], after, atol=1e-4)


def interrupt_at(monkeypatch, call):
    """Let the reader press stop in the given training step."""
    calls, step = [], Networks.step
    monkeypatch.setattr(jobs_torch.Job, "seconds", lambda job: 1.0)

    def stopping(self, x, y):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return step(self, x, y)

    monkeypatch.setattr(Networks, "step", stopping)
    return calls


@pytest.mark.parametrize("epochs_done, rows", [(0, 6), (2, 10)])
def test_an_interrupt_keeps_what_is_finished(monkeypatch, capsys, epochs_done, rows):
    given = {"optimizer": ["sgd", "adam", "rmsprop"], "seeds": 2, "probe": MOONS.test.x}
    whole, every = sweep(MOONS, **given, **SMALL)
    per_epoch = -(-N // 32)
    interrupt_at(monkeypatch, per_epoch * (3 + epochs_done) + 2)  # in the second job
    table, outputs = sweep(MOONS, **given, **SMALL)
    assert len(table) == rows and table.epoch.max() == 3
    kept = whole[(whole.optimizer == "sgd") | (whole.optimizer == "adam")]
    kept = kept[(kept.optimizer == "sgd") | (kept.epoch <= epochs_done)]
    pd.testing.assert_frame_equal(table, kept.reset_index(drop=True), check_exact=True)
    assert len(outputs) == (4 if epochs_done else 2)
    if epochs_done:
        assert np.array_equal(outputs[2, :3], every[2, :3])
        assert np.isnan(outputs[2, 3]).all()
    assert table.attrs["stopped"] == "interrupted with 2 of 6 runs finished"
    lines = capsys.readouterr().out.splitlines()[-2:]  # the cost came first
    assert lines[0].startswith("6 runs") and lines[1] == table.attrs["stopped"]


def test_an_interrupt_in_the_plain_loop_keeps_what_is_finished(monkeypatch):
    monkeypatch.setattr(jobs_torch.Job, "seconds", lambda job: 1.0)
    calls, loss = [], training_torch.LOSSES["cross_entropy"]

    def stopping(outputs, y):
        calls.append(1)
        if len(calls) == 30:  # an epoch has six steps and a validation
            raise KeyboardInterrupt
        return loss(outputs, y)

    table = sweep(MOONS, loss=stopping, seeds=3, **SMALL)
    assert table.seed.tolist() == [0, 0, 0, 1] and len(calls) == 30
    assert table.attrs["stopped"] == "interrupted with 1 of 3 runs finished"


@pytest.mark.parametrize("own", [False, True])
def test_a_trainer_grows_the_table_of_the_sweep(own):
    given = {**SMALL, "optimizer": "momentum", "seeds": 2}
    if own:
        given["model"] = lambda seed: models_torch.mlp((2, 8, 2), seed=seed)
    seen = list(trainer(MOONS, **given)({"learning_rate": 0.07, "momentum": 0.8}))
    whole = sweep(MOONS, learning_rate=[0.07], momentum=[0.8], **given)
    assert [len(table) for table in seen] == [2, 4, 6]
    for epoch, table in enumerate(seen, start=1):
        so_far = whole[whole.epoch <= epoch].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, so_far, rtol=1e-9)


def test_a_closed_trainer_stops(monkeypatch):
    calls = interrupt_at(monkeypatch, None)
    train = trainer(MOONS, probe=MOONS.test.x, **SMALL)({"learning_rate": 0.1})
    assert not calls  # nothing is trained before it is asked for
    table, outputs = next(train)
    assert len(table) == 3 and outputs.shape == (3, 4, len(MOONS.test), 2)
    train.close()
    assert list(train) == [] and len(calls) == -(-N // 32)


def test_label_noise_replaces_its_share_by_other_classes():
    digits = data.digits()
    clean = digits.train.y.copy()
    some, more, all_ = (prepare(digits, None, s, seed=3) for s in (0.1, 0.4, 1.0))
    changed = [noisy.train.y != clean for noisy in (some, more, all_)]
    n = len(clean)
    assert [c.sum() for c in changed] == [round(0.1 * n), round(0.4 * n), n]
    assert (some.train.y[changed[0]] == more.train.y[changed[0]]).all()
    assert set(all_.train.y) == set(range(10))
    assert np.array_equal(digits.train.y, clean)
    assert all_.validation is digits.validation and all_.test is digits.test
    other = prepare(digits, None, 0.1, seed=4).train.y != clean
    assert (other != changed[0]).any()
    few = prepare(digits, 100, 0.1, seed=3)
    assert np.array_equal(few.train.x, digits.subset(100, 3).train.x)
    assert (few.train.y != digits.subset(100, 3).train.y).sum() == 10
    assert prepare(digits, None, 0, seed=3) is digits


BAD = [
    ({"optimizer": "adagrad"}, "optimizer must be one of"),
    (
        {"learning_rate": [0.1, -0.1]},
        "learning_rate must be a number above 0, not -0.1",
    ),
    ({"learning_rate": "fast"}, "learning_rate must be a number above 0, not 'fast'"),
    ({"learning_rate": float("nan")}, "learning_rate must be"),
    ({"learning_rate": []}, "learning_rate is an empty list"),
    ({"momentum": 1.0}, r"momentum must be a number in \[0, 1\)"),
    ({"weight_decay": -1}, "weight_decay must be a number of at least 0"),
    ({"initial_scale": float("inf")}, "initial_scale must be"),
    ({"label_noise": 1.5}, "label_noise must be a share"),
    ({"train_size": [50, 10_000]}, "a subset holds 2 to"),
    ({"train_size": 20}, "batch_size 32 does not fit 20"),
    ({"train_size": 0.5}, "train_size must be a whole number"),
    ({"width": [8, 0]}, "width must be a whole number above 0"),
    ({"depth": -1}, "depth must be"),
    ({"activation": "swish"}, "activation must be one of"),
    ({"seeds": 0}, "seeds is an empty list"),
    ({"seeds": [-1]}, "seeds must be whole numbers"),
    ({"epochs": 0}, "epochs must be at least 1"),
    ({"batch_size": 1000}, "batch_size 1000 does not fit"),
    ({"loss": "hinge"}, "unknown loss"),
    ({"loss": "squared_error"}, "squared_error on"),
    ({"dtype": "float16"}, "dtype must be float32 or float64"),
    ({"memory": 0}, "memory must be"),
    ({"probe": np.zeros((5, 3))}, r"probe must be points \(m, 2\), not \(5, 3\)"),
]


@pytest.mark.parametrize("given, message", BAD, ids=lambda v: str(v)[:40])
def test_bad_input_is_refused_before_anything_is_trained(given, message, monkeypatch):
    monkeypatch.setattr(jobs_torch.Job, "start", lambda job: pytest.fail("trained"))
    with pytest.raises(ValueError, match=message):
        sweep(MOONS, **{**SMALL, **given})


def test_unknown_names_and_noise_without_classes_are_refused():
    with pytest.raises(TypeError, match="rate"):
        trainer(MOONS, rate=0.1)
    with pytest.raises(ValueError, match="has none"):
        sweep(PLANTED, loss="squared_error", label_noise=0.1, **SMALL)


def test_float32_runs_stay_close():
    given = {**SMALL, "dtype": "float32", "optimizer": ["sgd", "adam"]}
    single = sweep(MOONS, **given)
    double = sweep(MOONS, **{**given, "dtype": "float64"})
    assert np.allclose(single[SCORES], double[SCORES], rtol=1e-4)
    assert not np.array_equal(single.train_loss, double.train_loss)
