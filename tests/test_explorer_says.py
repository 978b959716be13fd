"""The sentences of the explorers, against the tables they read."""

import re

import numpy as np
import pandas as pd
import pytest
from toyexplorers import (
    EPOCHS,
    SEEDS,
    contours,
    kinds,
    paths,
    runs,
    settings_of,
    signals,
)  # fmt: skip

from course_utils import explorers
from course_utils.explorer import NOT_TRAINED, Explorer


def numbers(said):
    return [float(n) for n in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", said)]


def test_the_training_sentence_says_what_the_table_holds():
    explorer, table, checked = kinds()["curves"], runs(), 0
    for _, at in settings_of(explorer):
        own = table[(table[list(at)] == pd.Series(at)).all(axis=1)]
        wide = own.pivot(index="epoch", columns="seed")
        lost = wide["diverged"].any()
        said = explorer.say(at)
        if lost.all():
            first = own.loc[own["validation_loss"].isna(), "epoch"].min()
            assert numbers(said) == [SEEDS, first] and said.startswith("All 3 seeds")
            continue
        kept = {name: wide[name].loc[:, ~lost] for name in wide.columns.levels[0]}
        loss, accuracy = kept["validation_loss"], kept["validation_accuracy"]
        mean, gap = loss.mean(axis=1), (loss - kept["train_loss"]).mean(axis=1).iloc[-1]
        expected = [EPOCHS]
        for last, unit in ((loss.iloc[-1], 1), (accuracy.iloc[-1], 100)):
            expected += [unit * f for f in (last.mean(), last.min(), last.max())]
        expected += [loss.shape[1]]
        if mean.idxmin() == EPOCHS:
            assert "lowest there" in said
        else:
            risen = 100 * (mean.iloc[-1] / mean.min() - 1)
            expected += [mean.min(), mean.idxmin(), risen]
        expected += [abs(gap)] + [lost.sum(), SEEDS] * bool(lost.any())
        assert ("above the training" in said) == (gap > 0)
        assert ("No seed diverged" in said) == (not lost.any())
        np.testing.assert_allclose(numbers(said), expected, rtol=0.05, atol=0.0)
        checked += 1
    assert checked == 11


def test_one_seed_has_no_spread():
    said = explorers.training_curves(runs(seeds=1)).say()
    assert "(" not in said and "over" not in said and "No seed diverged" in said


def test_diverged_runs_are_counted_and_drawn_to_their_end():
    explorer = kinds()["curves"]
    some = {"learning_rate": 1.0, "momentum": 0.5}
    assert explorer.say(some).endswith("1 of 3 seeds diverged.")
    assert "over 2 seeds" in explorer.say(some)
    every = {"learning_rate": 1.0, "momentum": 0.9}
    assert explorer.say(every) == "All 3 seeds diverged, the first in epoch 3."
    ends = np.isfinite(explorer.draw(every).axes[0].lines[0].get_ydata())
    assert ends.tolist() == [True, True, False, False, False]


def test_a_regression_has_no_accuracy():
    table = runs()
    table[["train_accuracy", "validation_accuracy"]] = np.nan
    explorer = explorers.training_curves(table)
    assert [panel.y_label for panel in explorer.panels] == ["loss"]
    assert "nan" not in explorer.say() and "accuracy" not in explorer.say()


def test_the_other_sentences_say_what_the_tables_hold():
    path = kinds()["paths"].rows(kinds()["paths"].defaults)["paths"]
    share = 100 * (path["sharpness"] > path["limit"]).mean()
    expected = [6, *path["loss"].iloc[[0, -1]], path["limit"].iloc[0], share]
    np.testing.assert_allclose(numbers(kinds()["paths"].say()), expected, rtol=0.05)

    rows = kinds()["boundary"].rows(kinds()["boundary"].defaults)
    end = rows["runs"][rows["runs"]["passed"] == 4]
    expected = [4, 1, 100 * (rows["cells"]["p"] > 0.5).mean()]
    for values in (100 * end["validation_accuracy"], end["validation_loss"]):
        expected += [values.mean(), values.min(), values.max()]
    said = kinds()["boundary"].say()
    np.testing.assert_allclose(numbers(said), [*expected, 2], rtol=0.02)
    assert kinds()["boundary"].say({"epoch": 0}).endswith("before any training.")


@pytest.mark.parametrize(
    ("scale", "verbs"),
    [(2.0, ["multiplied", "multiplied"]), (0.5, ["divided", "divided"])],
)
def test_the_sentence_by_depth_says_what_the_table_holds(scale, verbs):
    own = signals()[lambda t: t["initial_scale"] == scale].query("activation == 'relu'")
    wide = own.pivot(index="layer", columns="seed", values="activation_size")
    factor = wide.loc[5] / wide.loc[1]
    factor = 1 / factor if verbs[0] == "divided" else factor
    said = kinds()["depth"].say({"initial_scale": scale})
    expected = [5, factor.mean(), factor.min(), factor.max(), 5, 16, 2]
    np.testing.assert_allclose(numbers(said), expected, rtol=0.01)
    assert re.findall("multiplied|divided", said) == verbs
    told = own.assign(activation_predicted=scale ** own["layer"])
    explorer = explorers.signal_by_depth(told)
    assert ", in theory by 16, and" in explorer.say()
    dashed = [mark.dashed for mark in explorer.panels[0].marks]
    assert dashed == [False, True] and len(explorer.panels[1].marks) == 1


@pytest.mark.parametrize(
    ("factor", "text"),
    [(45.26, "45.3"), (37_716, "37,700"), (8.9e12, "8.9 × 10¹²"), (999.7, "1,000")],
)
def test_factors_are_said_for_readers(factor, text):
    table = signals().drop(columns="activation_size")
    table["gradient_size"] = np.where(table["layer"] == 1, factor, 1.0)
    assert f"multiplied by {text}, over" in explorers.signal_by_depth(table).say()


def test_a_path_that_leaves_says_so():
    table = paths()
    table.loc[table["step"] > 3, ["x", "y", "loss", "sharpness"]] = np.nan
    said = explorers.loss_path(table, contours()).say()
    assert said.startswith("The run diverged: after 3 steps") and "nan" not in said


@pytest.mark.parametrize("kind", list(kinds()))
def test_a_setting_that_was_not_trained_says_so_and_draws(kind):
    whole = kinds()[kind]
    settings = whole.defaults
    holed = {}
    for name, table in whole.tables.items():
        by = whole.chosen_by(name)
        here = (table[by] == pd.Series({n: settings[n] for n in by})).all(axis=1)
        holed[name] = table[~here if len(by) == len(settings) else here | True]
    if kind == "boundary":
        holed["cells"] = whole.tables["cells"].iloc[:-36]  # moons … xor, 4, epoch 4
        settings = {"data": "xor", "width": 4, "epoch": 4}
    broken = Explorer(
        "hole", holed, whole.controls, whole.panels, whole._say, None, whole.defaults
    )
    assert whole.say(settings) != broken.say(settings) == NOT_TRAINED
    picture = broken.draw(settings, pinned=settings)
    assert picture.alt == NOT_TRAINED and picture.svg().startswith("<svg")
    assert broken.say({list(whole.values)[0]: list(whole.values.values())[0][0]})
