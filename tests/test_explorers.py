"""Explorers: their pictures, their controls, and what they refuse.

Sentences are in ``test_explorer_says.py``, the page's life in
``test_explorer_page.py`` and a kernel's in ``test_explorer_live.py``.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from toyexplorers import (
    EPOCHS,
    SEEDS,
    anonymous,
    contours,
    kinds,
    maps,
    paths,
    ranks,
    runs,
    signals,
)

from course_utils import explorers
from course_utils.explorers import Control, Explorer, Heat, Line, Panel, Points, Rule
from course_utils.figure import BLUE, GREY, Picture
from course_utils.frames import ranges

KINDS = ["curves", "paths", "boundary", "depth", "general"]
CONTROLS = [(kind, name) for kind in KINDS for name in kinds()[kind].values]


def drawn(kind, **moved):
    """Picture and SVG of a kind with some controls moved; drawn once."""
    return _drawn(kind, *kinds()[kind].known(moved).values())


@cache
def _drawn(kind, *values):
    picture = kinds()[kind].draw(dict(zip(kinds()[kind].values, values, strict=True)))
    return picture, anonymous(picture.svg())


# --- the picture


@pytest.mark.parametrize(("kind", "control"), CONTROLS)
def test_both_ends_of_a_control_draw_different_pictures(kind, control):
    explorer = kinds()[kind]
    values = explorer.values[control]
    ends = [drawn(kind, **{control: value}) for value in (values[0], values[-1])]
    for (picture, svg), value in zip(ends, (values[0], values[-1]), strict=True):
        assert isinstance(picture, Picture) and svg.startswith("<svg")
        assert picture.alt == explorer.say({control: value})
    # Beyond the sentence, the drawing itself differs.
    one, other = (svg.split(">", 1)[1] for _, svg in ends)
    assert one != other


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_keeps_no_state(kind):
    explorer, (control, values) = kinds()[kind], list(kinds()[kind].values.items())[0]
    before = {name: table.copy() for name, table in explorer.tables.items()}
    default = dict(explorer.defaults)
    _, first = drawn(kind)
    explorer.draw({control: values[0]}, pinned={control: values[-1]})
    again = explorer.draw()
    assert anonymous(again.svg()) == first
    assert again.alt == explorer.say(default) and explorer.defaults == default
    for name, table in explorer.tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_a_band_runs_from_the_lowest_to_the_highest_seed():
    explorer, table = kinds()["curves"], runs()
    at = {"optimizer": "momentum", "learning_rate": 0.1, "momentum": 0.5}
    own = table[(table[list(at)] == pd.Series(at)).all(axis=1)]
    wide = own.pivot(index="epoch", columns="seed", values="validation_loss")
    assert wide.shape == (EPOCHS, SEEDS) and (wide.std(axis=1) > 0).all()
    frame = explorer.frame(explorer.panels[0].marks[1], at)
    np.testing.assert_allclose(frame["x"], wide.index)
    np.testing.assert_allclose(frame["y"], wide.mean(axis=1))
    np.testing.assert_allclose(frame["low"], wide.min(axis=1))
    np.testing.assert_allclose(frame["high"], wide.max(axis=1))
    ax = explorer.draw(at).axes[0]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), wide.mean(axis=1))
    band = ax.collections[1].get_paths()[0].vertices
    for epoch, values in wide.iterrows():
        edge = band[band[:, 0] == epoch][:, 1]
        np.testing.assert_allclose(
            [edge.min(), edge.max()], [values.min(), values.max()]
        )


def test_a_pinned_setting_is_drawn_in_grey_behind():
    explorer, pinned = kinds()["curves"], {"learning_rate": 0.01}
    ax = explorer.draw(pinned=pinned).axes[0]
    assert [line.get_color() == GREY for line in ax.lines] == [True, True, False, False]
    frame = explorer.frame(explorer.panels[0].marks[0], explorer.known(pinned))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), frame["y"])
    assert explorer.draw(pinned=pinned).alt == explorer.say()


def test_lines_break_between_pieces():
    explorer = kinds()["paths"]
    frame = explorer.frame(explorer.panels[0].marks[0], explorer.defaults)
    assert np.flatnonzero(frame["x"].isna()).tolist() == [9, 19]
    assert frame["s"].tolist() == [""] * 20


def test_what_an_optimiser_does_not_use_changes_nothing():
    pair = [drawn("curves", optimizer="sgd", momentum=m)[1] for m in (0.5, 0.9)]
    assert pair[0] == pair[1]


def test_a_cell_without_a_number_is_not_seen():
    cells = kinds()["general"].draw().axes[1].collections[0].get_array()
    assert np.asarray(cells)[..., 3][0, 0] == 0 < np.asarray(cells)[1, 0, 3]


def test_words_along_an_axis_stand_as_they_come_from_the_top():
    ax = kinds()["general"].draw().axes[1]
    names = [
        [t.get_text() for t in axis.get_ticklabels()] for axis in (ax.xaxis, ax.yaxis)
    ]
    assert names == [["the", "cat", "a"], ["cat", "a"]]
    assert ax.yaxis_inverted() and not ax.xaxis_inverted()


def test_the_outer_cells_of_a_map_are_whole():
    cells = pd.DataFrame(
        {"rank": 1, "x": [1.0, 1, 3, 3], "y": [0.0, 1, 0, 1], "v": 0.5}
    )
    panel = Panel("x", "y", (Heat("cells", "x", "y", "v"),))
    assert ranges(panel, {"cells": cells}) == {"x": (0, 4), "y": (-0.5, 1.5)}


# --- controls


def test_controls_keep_the_order_of_the_columns():
    explorer = explorers.training_curves(runs())
    assert [c.name for c in explorer.controls] == list(explorer.values)
    assert list(explorer.values) == ["optimizer", "learning_rate", "momentum"]
    one = runs()[lambda t: t["learning_rate"] == 0.1]
    assert list(explorers.training_curves(one).values) == ["optimizer", "momentum"]


def test_numbers_are_sorted_and_start_in_the_middle_words_as_they_come():
    shuffled = runs().sample(frac=1, random_state=3)
    explorer = explorers.training_curves(shuffled)
    assert explorer.values["learning_rate"] == [0.01, 0.1, 1.0]
    assert explorer.values["optimizer"] == list(shuffled["optimizer"].unique())
    first = shuffled["optimizer"].iloc[0]
    told = {"optimizer": first, "learning_rate": 0.1, "momentum": 0.9}
    assert explorer.defaults == told
    chosen = explorers.training_curves(shuffled, defaults={"momentum": 0.5})
    assert chosen.defaults == told | {"momentum": 0.5}
    assert kinds()["boundary"].defaults["epoch"] == 4  # shown trained


def test_momentum_works_with_those_that_have_one():
    only = {c.name: c.only for c in kinds()["curves"].controls}
    assert only["momentum"] == {"optimizer": ("momentum",)}
    assert only["optimizer"] == only["learning_rate"] == {}
    alone = runs()[lambda t: t["optimizer"] == "momentum"]
    alone = explorers.training_curves(alone)
    assert all(c.only == {} for c in alone.controls)  # no control to switch it off


@pytest.mark.parametrize(
    ("control", "value", "text"),
    [
        (Control("lr", "Rate"), 0.123456, "0.1235"),
        (Control("w", "Width", unit="neurons"), 32, "32 neurons"),
        (Control("w", "Width"), 4.0, "4"),
        (Control("rule", "Rule"), "adam", "adam"),
    ],
)
def test_a_value_is_said_with_its_unit(control, value, text):
    assert control.text(value) == text


# --- what is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0.1}, "no control 'rate': there are .*learning_rate"),
        ({"learning_rate": 0.05}, r"learning_rate=0.05 is none of \[0.01, 0.1, 1.0\]"),
        ({"optimizer": "adagrad"}, "'adagrad' is none of .*sgd"),
    ],
)
def test_settings_off_the_grid_are_refused(settings, message):
    explorer = kinds()["curves"]
    for act in (explorer.draw, explorer.say, lambda s: explorer.draw({}, pinned=s)):
        with pytest.raises(ValueError, match=message):
            act(settings)
    with pytest.raises(ValueError, match=message):
        explorers.training_curves(runs(), defaults=settings)


@pytest.mark.parametrize("name", ["", "Rank", "1st", "two words", 'a"b', "a/b"])
def test_names_that_break_an_address_are_refused(name):
    with pytest.raises(ValueError, match="small letters, digits and hyphens"):
        ranks(name=name)


MARKS = [
    (Line("none", "size", "error"), "no table 'none': there are .*errors"),
    (Line("errors", "epoch", "error"), "'errors' has no column 'epoch': it has"),
    (Points("errors", "size", "loss"), "no column 'loss'"),
    (Line("errors", "size", "error", series="kind"), "no column 'kind'"),
    (Line("errors", "size", "error", pieces="part"), "no column 'part'"),
    (Heat("seen", "k", "q", "p"), "no column 'p'"),
    (Rule("errors", y="limit"), "no column 'limit'"),
]


@pytest.mark.parametrize(("mark", "message"), MARKS)
def test_marks_that_name_nothing_are_refused(mark, message):
    with pytest.raises(ValueError, match=message):
        ranks(panels=[Panel("x", "y", (mark,))])


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Learning rate", "learning rate 0.5"),
        ("IoU threshold", "IoU threshold 0.5"),
        ("NDCG", "NDCG 0.5"),
        ("Layers K", "layers K 0.5"),
    ],
)
def test_only_plain_words_lose_their_capital_in_a_sentence(label, said):
    table = pd.DataFrame({"first": ["a"], "x": [0.5], "y": [1.0]})
    controls = [Control("first", "First"), Control("x", label)]
    panels = [Panel("x", "y", (Line("t", "x", "y"),))]
    explorer = Explorer("small", {"t": table}, controls, panels, lambda rows: "")
    assert explorer.title({"first": "a", "x": 0.5}) == f"First a, {said}"


def test_a_control_without_a_column_is_refused():
    with pytest.raises(ValueError, match="no table has a column 'depth'"):
        ranks(controls=[Control("depth", "Depth")])


def test_nothing_to_draw_is_refused():
    lost = runs().assign(train_loss=np.nan, validation_loss=np.nan, diverged=True)
    with pytest.raises(ValueError, match="no run has a finite loss"):
        explorers.training_curves(lost)
    errors = kinds()["general"].tables["errors"].assign(error=-1.0)
    panel = Panel("x", "error", (Line("errors", "size", "error"),), log_y=True)
    with pytest.raises(ValueError, match="'error': no finite number for its y axis"):
        ranks(tables={"errors": errors}, panels=[panel]).draw()


MAKERS = {
    "curves": (explorers.training_curves, [runs()], 0, "validation_loss"),
    "no seed": (explorers.training_curves, [runs()], 0, "seed"),
    "paths": (explorers.loss_path, [paths(), contours()], 0, "sharpness"),
    "contours": (explorers.loss_path, [paths(), contours()], 1, "piece"),
    "runs": (explorers.decision_boundary, maps(), 0, "diverged"),
    "cells": (explorers.decision_boundary, maps(), 1, "width"),
    "points": (explorers.decision_boundary, maps(), 2, "class"),
    "depth": (explorers.signal_by_depth, [signals()], 0, "layer"),
}


@pytest.mark.parametrize("case", MAKERS)
def test_tables_that_lack_something_are_refused(case):
    make, tables, place, column = MAKERS[case]
    for broken, message in (
        (tables[place].drop(columns=column), rf"lacks \['{column}'\]: it has"),
        (tables[place].iloc[:0], "empty: train something first"),
    ):
        with pytest.raises(ValueError, match=message):
            make(*tables[:place], broken, *tables[place + 1 :])


def test_depth_needs_a_size():
    table = signals().drop(columns=["activation_size", "gradient_size"])
    with pytest.raises(ValueError, match="none of .*activation_size"):
        explorers.signal_by_depth(table)
    alone = explorers.signal_by_depth(signals().drop(columns="gradient_size"))
    assert len(alone.panels) == 1 and "gradient" not in alone.say()
    assert alone.panels[0].marks[0].colour == BLUE
