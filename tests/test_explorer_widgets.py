"""Explorers with a kernel: the widgets, the same controls as in the page."""

import ipywidgets as widgets
import pytest
from toyexplorers import anonymous, kinds, ranks, runs
from toylive import START, Training, at_work, drawing, live, rate, said

from course_utils import explorers
from course_utils.explorer_live import Live, steps
from course_utils.explorer_page import payload
from course_utils.explorers import Control
from course_utils.figure import GREY


@pytest.mark.parametrize("kind", list(kinds()))
def test_controls_and_defaults_are_those_of_the_page(kind):
    explorer = kinds()[kind]
    shown, page = Live(explorer), payload(explorer)["controls"]
    assert list(shown.inputs) == [control["name"] for control in page]
    for box, control in zip(shown.inputs.values(), page, strict=True):
        texts = [o if isinstance(o, str) else o[0] for o in box.options]
        assert texts == control["texts"] and box.index == control["start"]
        assert box.description == control["label"]
        assert isinstance(box, widgets.Dropdown) == control["words"]
    assert said(shown).startswith(explorer.title(explorer.defaults))
    assert explorer.say() in said(shown) and not at_work(shown)


def test_a_display_has_both_lives():
    bundle = explorers.training_curves(runs())._repr_mimebundle_()
    assert bundle["text/html"].startswith('<div class="explorer"')
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == explorers.training_curves(runs()).say()


@pytest.mark.parametrize(
    ("log", "values", "expected"),
    [
        (True, [0.01, 1.0], [0.01, 0.0316, 0.1, 0.316, 1.0]),
        (True, [0, 1.0], [0, 0.25, 0.5, 0.75, 1.0]),  # no ratio to zero
        (False, [0.0, 0.2], [0.0, 0.05, 0.1, 0.15, 0.2]),
        (True, [8, 32], [8, 11, 16, 23, 32]),  # whole numbers stay whole
        (False, [1, 2, 4], [1, 2, 3, 4]),
        (False, [0.1, 0.2], [0.1, 0.125, 0.15, 0.175, 0.2]),
        (False, [5], [5]),
    ],
)
def test_between_the_grid_lie_values_that_can_be_trained(log, values, expected):
    found = steps(Control("c", "C", log=log), values)
    assert found == expected
    assert [type(v) for v in found] == [type(v) for v in expected]


def test_sliders_offer_what_they_can_train():
    shown = live(Training())
    options = shown.inputs["learning_rate"].options
    assert [value for _, value in options][::4] == [0.01, 0.1, 1.0]
    for text, value in options:
        assert text.endswith(" (trains)") == (value not in [0.01, 0.1, 1.0])
    assert shown.inputs["learning_rate"].value == 0.1
    assert not shown.inputs["learning_rate"].continuous_update
    assert live().inputs["learning_rate"].continuous_update
    assert len(live().inputs["learning_rate"].options) == 3


def test_a_control_without_effect_is_disabled():
    shown = live()
    assert not shown.inputs["momentum"].disabled
    shown.inputs["optimizer"].value = "sgd"
    assert shown.inputs["momentum"].disabled
    assert not shown.inputs["learning_rate"].disabled
    shown.inputs["optimizer"].value = "momentum"
    assert not shown.inputs["momentum"].disabled


@pytest.mark.parametrize("train", [None, Training()])
def test_a_control_that_plays_has_a_button(train, monkeypatch):
    linked = []
    monkeypatch.setattr(widgets, "jslink", lambda *pair: linked.append(pair))
    explorer = ranks(train=train, defaults={"rank": 4})
    shown = Live(explorer)
    box, play = shown.box.children[0].children
    assert box is shown.inputs["rank"] and isinstance(play, widgets.Play)
    assert linked == [((play, "value"), (box, "index"))]
    # The link hands the button's value to the slider when both are first shown.
    assert (play.min, play.value, play.max) == (0, box.index, len(box.options) - 1)
    assert [value for _, value in box.options] == explorer.values["rank"]
    assert shown.box.children[1] is shown.inputs["method"]


def test_a_value_of_the_grid_is_shown_at_once():
    shown = live()
    before = drawing(shown), said(shown)
    rate(shown, 1.0)
    assert shown.task is None
    now = START | {"learning_rate": 1.0}
    assert drawing(shown) != before[0] and said(shown) != before[1]
    svg = anonymous(shown.explorer.draw(now).svg())
    assert drawing(shown) == svg
    assert said(shown) == f"{shown.explorer.title(now)}. {shown.explorer.say(now)}"


def test_a_pinned_run_stays_until_it_is_let_go():
    shown = live()
    bare = drawing(shown)
    assert GREY not in bare
    shown.pin.value = True
    assert GREY in drawing(shown) and shown.pin.description.startswith("Let go")
    rate(shown, 1.0)
    moved = drawing(shown)
    pinned = shown.explorer.draw({"learning_rate": 1.0}, pinned=START).svg()
    assert moved == anonymous(pinned)
    shown.pin.value = False
    assert GREY not in drawing(shown) and shown.pin.description == "Pin this run"
    rate(shown, 0.1)
    assert drawing(shown) == bare
