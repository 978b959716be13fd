"""Both training loops, held to the same tests and to each other."""

import dataclasses

import numpy as np
import pytest
from frameworks import BOTH, TF, TORCH, as_float64

from course_utils import data, reference, runs, seed
from course_utils.callbacks import (
    Callback,
    Checkpoint,
    DivergedError,
    EarlyStopping,
    Progress,
)
from course_utils.device import Device

import tensorflow as tf  # isort: skip
import torch  # isort: skip

MOONS = data.two_moons(n=232, seed=0)
N = len(MOONS.train)
assert N % 32 != 0  # so that the last batch of an epoch is a smaller one
SIZES = (2, 16, 2)
both = pytest.mark.parametrize("framework", BOTH, ids=lambda f: f.name)


def run(framework, model=None, dataset=MOONS, **options):
    model = model or framework.models.mlp(SIZES)
    options = {"epochs": 4, "batch_size": 32, "learning_rate": 0.05, **options}
    return model, framework.training.train(model, dataset, **options)


def difference(framework, one, other):
    pairs = zip(*map(framework.models.get_weights, (one, other)), strict=True)
    return max(np.abs(a - b).max() for a, b in pairs)


@both
@pytest.mark.parametrize("rule", ["sgd", "momentum", "rmsprop", "adam"])
def test_training_equals_numpy(framework, rule):
    """Ten float64 epochs of the plain loop in NumPy give the same weights."""
    weights = [w.astype("float64") for w in reference.initial_weights(SIZES)]
    model = as_float64(framework, framework.models.mlp(SIZES), weights)
    _, history = run(framework, model, optimizer=rule, epochs=10, seed=5)
    states, losses = [{} for _ in weights], []
    for epoch in range(10):
        for batch in seed.batches(len(MOONS.train), 32, 5, epoch):
            x, y = MOONS.train.x[batch].astype("float64"), MOONS.train.y[batch]
            value, gradients = reference.mlp_gradients(x, y, weights)
            weights = [
                reference.optimizer_step(rule, w, g, s, 0.05)
                for w, g, s in zip(weights, gradients, states, strict=True)
            ]
            losses.append(value)
    # Keras holds the learning rate and Adam's constants in float32.
    tolerance = 1e-10 if framework is TORCH else 1e-4
    assert np.allclose(history.steps["loss"], losses, rtol=tolerance, atol=0)


@pytest.mark.parametrize("rule", ["sgd", "momentum"])
@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_twins_learn_alike(network, rule):
    """Twenty steps from the same weights on the same batches agree to 1e-5."""
    digits = data.digits()
    losses = []
    for framework in BOTH:
        model = framework.models.mlp((64, 32, 10))
        if network == "cnn":
            model = framework.models.cnn((8, 8), 10)
        _, history = run(framework, model, digits, optimizer=rule, epochs=1)
        losses.append(np.array(history.steps["loss"][:20]))
    assert np.abs(losses[0] - losses[1]).max() < 1e-5
    assert losses[0][-1] < losses[0][0]


@both
def test_history_holds_what_happened(framework):
    model, history = run(framework, schedule=lambda share: 1 - share, seed=2)
    assert history.epochs["epoch"] == [1, 2, 3, 4]
    assert history.steps["step"] == list(range(1, 25))
    assert history.steps["epoch"] == [e for e in range(1, 5) for _ in range(6)]
    expected = 0.05 * (1 - np.arange(24) / 24)
    assert np.allclose(history.steps["learning_rate"], expected)
    assert history.epochs["learning_rate"][-1] == pytest.approx(expected[-1])
    first = np.average(history.steps["loss"][:6], weights=[32] * 5 + [N % 32])
    assert history.epochs["train_loss"][0] == pytest.approx(first)
    scores = framework.training.evaluate(model, MOONS.validation)
    assert history.last["validation_loss"] == pytest.approx(scores["loss"], rel=1e-5)
    assert history.last["validation_accuracy"] == scores["accuracy"]
    assert min(history.epochs["seconds"]) > 0 and not history.stopped
    assert history.settings["framework"] == framework.name
    assert history.settings["seed"] == 2


@both
def test_accuracy_counts_right_answers(framework):
    _, history = run(framework, learning_rate=1e-12, epochs=1, batch_size=N)
    start = framework.training.evaluate(framework.models.mlp(SIZES), MOONS.train)
    assert history.steps["accuracy"][0] == pytest.approx(start["accuracy"])
    assert history.epochs["train_accuracy"][0] == pytest.approx(start["accuracy"])


@both
def test_regression_finds_the_planted_line(framework):
    planted = data.planted_regression(noise=0.1)
    model, history = run(
        framework,
        framework.models.mlp((planted.n_features, 1)),
        planted,
        loss="squared_error",
        epochs=20,
    )
    assert history.last["validation_loss"] == pytest.approx(0.01, rel=0.4)
    assert "train_accuracy" not in history.epochs
    scores = framework.training.evaluate(model, planted.test, loss="squared_error")
    assert set(scores) == {"loss"}


@both
def test_own_loss_and_optimizer(framework):
    def make(*arguments):
        if framework is TORCH:
            return torch.optim.SGD(arguments[0], arguments[1], momentum=0.9)
        return TF.models.keras.optimizers.SGD(arguments[0], momentum=0.9)

    def loss(outputs, targets):
        return 1.0 * framework.training.LOSSES["cross_entropy"](outputs, targets)

    named, _ = run(framework, optimizer="momentum")
    own, history = run(framework, optimizer=make, loss=loss)
    assert difference(framework, named, own) < 1e-6
    assert history.settings["optimizer"] == "make"


def dropout_model(framework):
    return framework.models.mlp((2, 16, 16, 2), dropout=0.3)


@both
@pytest.mark.parametrize("rule", ["momentum", "adam"])
def test_resuming_is_bit_for_bit(framework, rule, tmp_path):
    """An interrupt in the third of five epochs, then the rest, changes no bit."""

    class Interrupt(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 3:
                raise KeyboardInterrupt

    options = {"optimizer": rule, "epochs": 5, "seed": 1}
    whole, expected = run(framework, dropout_model(framework), **options)
    keep = Checkpoint(tmp_path / "run.npz")
    _, broken = run(
        framework, dropout_model(framework), callbacks=[Interrupt(), keep], **options
    )
    assert broken.stopped == "interrupted after 3 of 5 epochs"
    assert len(broken.epochs["epoch"]) == 3
    trained = []

    class Count(Callback):
        def on_epoch_end(self, run):
            trained.append(run.epoch)

    again = [Checkpoint(tmp_path / "run.npz", resume=True), Count()]
    resumed, history = run(
        framework, dropout_model(framework), callbacks=again, **options
    )
    assert trained == [3, 4, 5]  # the first two came from the file
    assert difference(framework, whole, resumed) == 0
    assert history.steps["loss"] == expected.steps["loss"]
    assert history.stopped == ""


@both
def test_dropout_acts_in_training_only(framework):
    model = dropout_model(framework)
    one, two = (framework.training.predict(model, MOONS.test.x) for _ in range(2))
    assert (one == two).all()
    _, plain = run(framework, framework.models.mlp((2, 16, 16, 2)))
    _, dropped = run(framework, dropout_model(framework))
    assert plain.steps["loss"] != dropped.steps["loss"]


@both
def test_early_stopping_goes_back_to_the_best(framework):
    stop = EarlyStopping(patience=3)
    model, history = run(
        framework, epochs=60, learning_rate=2.0, optimizer="momentum", callbacks=[stop]
    )
    losses = history.epochs["validation_loss"]
    assert len(losses) < 60 and "has not improved" in history.stopped
    assert len(losses) == stop.best_epoch + 3
    best = framework.training.evaluate(model, MOONS.validation)["loss"]
    assert best == pytest.approx(min(losses), rel=1e-5)


@both
def test_clipping_bounds_the_step(framework):
    start = framework.models.mlp(SIZES)
    clip = framework.training.ClipGradients(0.01)
    model, _ = run(framework, epochs=1, batch_size=N, callbacks=[clip])
    pairs = zip(*map(framework.models.get_weights, (start, model)), strict=True)
    moved = np.sqrt(sum(((a - b) ** 2).sum() for a, b in pairs))
    assert moved == pytest.approx(0.05 * 0.01, rel=1e-3)
    free, _ = run(framework, epochs=1, batch_size=N)
    loose, _ = run(
        framework, epochs=1, batch_size=N,
        callbacks=[framework.training.ClipGradients(1e6)],
    )  # fmt: skip
    assert difference(framework, free, loose) < 1e-8


@both
def test_divergence_stops_with_a_reason(framework):
    digits, loss = data.digits(), _squared_logits(framework)
    model = framework.models.mlp((64, 32, 10))
    expected = r"step \d+, with a learning rate of 1e\+04"
    with pytest.raises(DivergedError, match=expected):
        run(framework, model, digits, learning_rate=1e4, loss=loss)
    model = framework.models.mlp((64, 32, 10))
    late = {"schedule": lambda share: 1e-4 if share < 0.5 else 1e9, "loss": loss}
    with pytest.raises(DivergedError) as caught:
        run(framework, model, digits, **late)
    assert len(caught.value.history.epochs["epoch"]) == 2


def _squared_logits(framework):
    if framework is TORCH:
        return lambda outputs, _: (outputs**2).mean()
    return lambda outputs, _: tf.reduce_mean(outputs**2)


@both
@pytest.mark.parametrize(
    "options, message",
    [
        ({"loss": "hinge"}, "cross_entropy"),
        ({"optimizer": "lion"}, "rmsprop"),
        ({"batch_size": 500}, r"choose one from 1 to \d+$"),
        ({"batch_size": 0}, r"choose one from 1 to \d+$"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
    ],
)
def test_bad_arguments_are_refused(framework, options, message):
    with pytest.raises(ValueError, match=message):
        run(framework, **options)


@both
def test_bad_data_and_models_are_refused(framework):
    with pytest.raises(ValueError, match="last layer"):
        run(framework, framework.models.mlp((2, 3)))
    bad = MOONS.train.x.copy()
    bad[3, 1] = np.nan
    broken = dataclasses.replace(MOONS, train=data.Split(bad, MOONS.train.y))
    with pytest.raises(ValueError, match="finite"):
        run(framework, dataset=broken)
    with pytest.raises(ValueError, match="cross_entropy needs whole-number"):
        run(framework, framework.models.mlp((3, 1)), data.planted_regression())
    with pytest.raises(ValueError, match="accuracy"):
        run(framework, callbacks=[EarlyStopping(metric="f1")])


@both
def test_checkpoints_refuse_what_they_cannot_use(framework, tmp_path):
    path = tmp_path / "run.npz"
    run(framework, callbacks=[Checkpoint(path)])
    other = framework.models.mlp((2, 8, 2))
    with pytest.raises(ValueError, match="another model"):
        run(framework, other, callbacks=[Checkpoint(path, resume=True)])
    path.write_text("no archive")
    with pytest.raises(ValueError, match="no checkpoint"):
        run(framework, callbacks=[Checkpoint(path, resume=True)])
    with pytest.raises(OSError, match="choose a folder"):
        run(framework, callbacks=[Checkpoint(tmp_path / "absent" / "run.npz")])


@both
def test_a_full_disk_leaves_the_last_checkpoint(framework, tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    run(framework, epochs=1, callbacks=[Checkpoint(path)])
    before = path.read_bytes()

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="the one before it still stands"):
        run(framework, epochs=1, callbacks=[Checkpoint(path)])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


@both
def test_full_memory_says_what_to_do(framework):
    error = torch.OutOfMemoryError("full")
    if framework is TF:
        error = tf.errors.ResourceExhaustedError(None, None, "full")

    class Fill(Callback):
        def on_epoch_end(self, run):
            raise error

    with pytest.raises(MemoryError, match="smaller batch_size"):
        run(framework, callbacks=[Fill()])


@both
def test_progress_speaks_unless_quiet(framework, capsys, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("COURSE_UTILS_QUIET", "1")
    run(framework)
    assert capsys.readouterr().err == ""
    monkeypatch.delenv("COURSE_UTILS_QUIET")
    run(framework, callbacks=[Progress()])
    shown = capsys.readouterr().err
    assert "4/4" in shown and "validation=" in shown


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_stays_close(precision):
    """Autocast (and loss scaling for float16) learns what float32 learns."""
    half = Device("cpu", "test", 0, precision, "a stand-in")
    _, full = run(TORCH, epochs=10)
    _, low = run(TORCH, epochs=10, device=half)
    assert low.steps["loss"] != full.steps["loss"]
    assert np.allclose(low.steps["loss"], full.steps["loss"], atol=0.05)


@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_xla_changes_nothing_but_speed(rule, monkeypatch):
    """Long runs are compiled by XLA; weights stay those of the plain graph."""
    plain, expected = run(TF, optimizer=rule)
    monkeypatch.setattr("course_utils.run_tf.XLA_STEPS", 1)
    fast, history = run(TF, optimizer=rule)
    assert np.allclose(history.steps["loss"], expected.steps["loss"], atol=1e-6)
    assert history.steps["accuracy"] == expected.steps["accuracy"]
    assert difference(TF, plain, fast) < 1e-5


def test_many_runs_in_a_process_raise_no_warning(caplog):
    """TensorFlow warns from the fifth traced call on, and the line enters the page."""
    logger = tf.get_logger()
    logger.addHandler(caplog.handler)  # it does not pass its lines on
    try:
        for _ in range(8):
            run(TF, epochs=1)
    finally:
        logger.removeHandler(caplog.handler)
    assert not caplog.records


def test_a_share_too_small_for_all_processes_is_refused():
    runs.check_share(65, 32, 1)
    with pytest.raises(ValueError, match="2 processes"):
        runs.check_share(65, 32, 2)  # the last batch has one example
