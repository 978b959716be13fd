"""What an explorer puts into the page, read back as the page's script reads it."""

import itertools
import json
import re
from functools import cache
from html import unescape
from xml.etree import ElementTree

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert
from toyexplorers import choose, in_page, kinds, ranks, rows_in_page, settings_of

from course_utils import explorers
from course_utils.explorer import NOT_TRAINED
from course_utils.explorer_page import element, payload, table
from course_utils.explorers import Heat, Line, Rule

KINDS = list(kinds())


@cache
def html(kind):
    return element(kinds()[kind])


def marks(kind):
    """Mark, what the page holds of it, and its panel's specification."""
    explorer, data = kinds()[kind], in_page(html(kind))
    for panel, given in zip(explorer.panels, data["panels"], strict=True):
        for mark, held in zip(panel.marks, given["marks"], strict=True):
            yield mark, held, given["spec"]


# --- numbers


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_holds_the_rows_of_every_setting(kind):
    explorer, data = kinds()[kind], in_page(html(kind))
    for mark, held, _ in marks(kind):
        seen = set()
        for state, settings in settings_of(explorer):
            given = str(choose(held, state, data["controls"]))
            pair = given, id(explorer.rows_of(mark.table, settings))
            if pair in seen:  # the same rows of both
                continue
            seen.add(pair)
            frame = explorer.frame(mark, settings)
            found = rows_in_page(held, state, data)
            if isinstance(mark, Heat):
                same_cells(mark, frame, found, explorer.tables[mark.table])
                continue
            if isinstance(mark, Rule):
                assert (found["s"] == mark.label).all()
                frame = frame.assign(s=mark.label)
            assert set(found) == set(frame) and len(found) == len(frame) > 0
            for name in frame:
                if name == "s":
                    assert found[name].tolist() == frame[name].tolist()
                else:  # four digits; NaN where there is no number
                    np.testing.assert_allclose(found[name], frame[name], rtol=5.1e-4)


def same_cells(mark, frame, found, rows):
    frame = frame[frame["v"].notna()]
    assert len(found) == len(frame) > 0
    for axis in "xy":
        if pd.api.types.is_numeric_dtype(frame[axis]):
            np.testing.assert_allclose(found[axis], frame[axis], rtol=5.1e-4)
        else:
            assert found[axis].tolist() == frame[axis].tolist()
    span = rows[mark.value].max() - rows[mark.value].min()
    assert np.abs(found["v"].to_numpy() - frame["v"].to_numpy()).max() <= span / 64


@pytest.mark.parametrize("kind", ["boundary", "general"])
def test_cells_have_the_colours_of_the_picture(kind):
    explorer, data = kinds()[kind], in_page(html(kind))
    p, panel = next(
        (p, panel)
        for p, panel in enumerate(explorer.panels)
        if isinstance(panel.marks[0], Heat)
    )
    start = [control["start"] for control in data["controls"]]
    found = rows_in_page(data["panels"][p]["marks"][0], start, data)
    mesh = explorer.draw().axes[p].collections[0].get_array()
    drawn = np.asarray(mesh).reshape(-1, 4)
    missing = explorer.frame(panel.marks[0], explorer.defaults)["v"].isna()
    assert (drawn[missing, 3] == 0).all()
    strong = drawn[~missing]
    np.testing.assert_allclose(found["o"], strong[:, 3], atol=1 / 64)
    for cell, row in zip(strong, found.itertuples(), strict=True):
        rgb = [int(row.c[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        assert row.o < 1 / 64 or np.allclose(cell[:3], rgb)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_the_same_is_stored_once(kind):
    data = in_page(html(kind))
    used = set()
    for choice in [data["says"], *(held for _, held, _ in marks(kind))]:
        items = choice["items"]
        assert all(a != b for a, b in itertools.combinations(items, 2))
        assert set(choice["index"]) == set(range(len(items)))
        if choice is not data["says"]:
            used |= {place for item in items for place in item.values()}
    columns = data["columns"]
    assert used == set(range(len(columns)))
    assert all(a != b for a, b in itertools.combinations(columns, 2))


def test_settings_that_train_the_same_share_their_rows():
    held = [held for _, held, _ in marks("curves")]
    assert held[0]["by"] == [0, 1, 2] and len(held[0]["index"]) == 12
    plain = held[0]["index"][:6]  # sgd: three rates, two momenta that it ignores
    assert plain[::2] == plain[1::2] and len(set(plain)) == 3
    path = [held["by"] for _, held, _ in marks("paths")]
    assert path[0] == [0]  # a contour hears of the surface alone


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_holds_the_sentence_of_every_setting(kind):
    explorer, data = kinds()[kind], in_page(html(kind))
    for state, settings in settings_of(explorer):
        said = choose(data["says"], state, data["controls"])
        assert said == explorer.say(settings)


@pytest.mark.parametrize("kind", KINDS)
def test_controls_of_the_page(kind):
    explorer, data = kinds()[kind], in_page(html(kind))
    assert data["name"] == explorer.name
    assert [c["name"] for c in data["controls"]] == list(explorer.values)
    for held, control in zip(data["controls"], explorer.controls, strict=True):
        values = explorer.values[control.name]
        assert held["label"] == control.label and held["play"] == control.play
        assert held["texts"] == [control.text(value) for value in values]
        assert len(set(held["texts"])) == len(values)  # the address tells them apart
        assert values[held["start"]] == explorer.defaults[control.name]
        assert held["unit"] == control.unit
        assert held["words"] == isinstance(values[0], str)


def test_only_becomes_places_in_the_lists():
    held = {c["name"]: c["only"] for c in in_page(html("curves"))["controls"]}
    assert held == {"optimizer": {}, "learning_rate": {}, "momentum": {"0": [1]}}
    held = [c["only"] for c in in_page(html("general"))["controls"]]
    assert held == [{}, {"0": [1, 2, 3]}]


def test_a_setting_that_was_not_trained_is_empty_in_the_page():
    whole = kinds()["paths"]
    at = {"surface": "ravine", "start": "far"}
    table = whole.tables["paths"]
    gone = (table[list(at)] == pd.Series(at)).all(axis=1)
    tables = whole.tables | {"paths": table[~gone]}
    tables["contours"] = tables["contours"][lambda t: t["surface"] == "bowl"]
    holed = explorers.Explorer(
        "hole", tables, whole.controls, whole.panels, whole._say, None, whole.defaults
    )
    data = payload(holed)
    state = [c["start"] for c in data["controls"]]
    state[0], state[4] = 1, 1
    assert choose(data["says"], state, data["controls"]) == NOT_TRAINED
    contour, path = data["panels"][0]["marks"][:2]
    assert not len(rows_in_page(contour, state, data))
    assert not len(rows_in_page(path, state, data))


# --- the element


@pytest.mark.parametrize("kind", KINDS)
def test_the_element_is_strict_json_and_html(kind):
    text = html(kind)
    assert text.count("<script") == text.count("</script") == 1
    data = text.split('<script type="application/json">')[1].split("</script>")[0]
    assert "<" not in data and "NaN" not in data and "Infinity" not in data
    assert in_page(text) == json.loads(json.dumps(payload(kinds()[kind])))


def test_a_closing_tag_in_a_label_is_harmless():
    label = "</script><!--<script>"
    marks = (Line("errors", "size", "error", label=label),)
    panels = [explorers.Panel(label, "<b>", marks)]
    odd = ranks(panels=panels, say=lambda rows: label)
    text = element(odd)
    assert text.count("<script") == text.count("</script") == 1
    assert "<!--" not in text and "<b>" not in text
    data = in_page(text)
    assert data["controls"][1]["label"] == "Method </script>"
    assert set(data["says"]["items"]) == {label}


@pytest.mark.parametrize("kind", KINDS)
def test_the_element_reaches_for_nothing_outside(kind):
    text = html(kind)
    found = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'<>]*", text))
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    specs = in_page(text)["panels"]
    assert found <= names | {panel["spec"].get("$schema") for panel in specs}


@pytest.mark.parametrize("kind", KINDS)
def test_without_scripts_there_is_a_picture_a_sentence_and_a_table(kind):
    explorer, text = kinds()[kind], html(kind)
    still, script = text.split("<script")
    tree = ElementTree.fromstring(still + "</div>")  # fails if a tag is left open
    assert script.endswith("</script></div>")
    assert tree.get("id") == f"explorer-{explorer.name}"
    svg = tree.find("div[@class='explorer-still']/{http://www.w3.org/2000/svg}svg")
    assert svg.get("role") == "img" and svg.get("aria-label") == explorer.say()
    (says,) = tree.findall("p[@class='explorer-says']")
    assert unescape(says.text) == explorer.say()
    rows = list(tree.find("details/table/tbody"))
    assert [row.find("th").get("scope") for row in rows] == ["row"] * len(rows)
    heads = tree.findall("details/table/thead/tr/th")
    assert [head.get("scope") for head in heads] == ["col", "col"]
    told = [(row.find("th").text, row.find("td").text) for row in rows]
    assert told == list(table(explorer))
    assert told[0] == (explorer.title(explorer.defaults), explorer.say())
    for control in explorer.controls:
        others = explorer.values[control.name]
        default = explorer.defaults[control.name]
        for value in (others[0], others[-1]):
            line = (
                f"{control.label}: {control.text(value)}",
                explorer.say({control.name: value}),
            )
            assert (line in told) == (value != default)


# --- the drawing in the page


@pytest.mark.parametrize("kind", KINDS)
def test_specifications_are_vega_lite_and_compile(kind):
    for panel, given in zip(
        kinds()[kind].panels, in_page(html(kind))["panels"], strict=True
    ):
        spec = given["spec"]
        alt.LayerChart.from_dict(spec)  # validates
        assert "config" not in spec and "datasets" not in spec
        vega = vl_convert.vegalite_to_vega(spec)
        names = {data["name"] for data in vega["data"]}
        for i, mark in enumerate(panel.marks):
            assert f"m{i}" in names
            pinned = isinstance(mark, Line) and not mark.thin
            assert (f"p{i}" in names) == pinned
        scales = {scale["name"]: scale["type"] for scale in vega["scales"]}
        assert (scales["y"] == "log") == panel.log_y
        titles = {axis.get("title") for axis in vega["axes"]} - {None}
        assert titles == {panel.x_label, panel.y_label}


def picture(kind, place):
    """A panel as the page's library draws it at the default, as SVG."""
    data = in_page(html(kind))
    state = [control["start"] for control in data["controls"]]
    spec, held = data["panels"][place]["spec"], data["panels"][place]["marks"]
    tables = [rows_in_page(mark, state, data) for mark in held]
    for rows in tables:
        rows["i"] = range(len(rows))
        for axis in {"x", "y"} & set(rows):
            if "o" in rows and pd.api.types.is_numeric_dtype(rows[axis]):
                half = np.diff(np.unique(rows[axis])).min() / 2
                rows[f"{axis}0"], rows[f"{axis}1"] = (
                    rows[axis] - half,
                    rows[axis] + half,
                )
    spec["datasets"] = {
        f"m{i}": rows.astype(object).where(rows.notna(), None).to_dict("records")
        for i, rows in enumerate(tables)
    }
    return vl_convert.vegalite_to_svg(spec | {"width": 300})


def paths_of(svg, kind):
    groups = re.findall(rf'<g class="mark-{kind} [^>]*>(.*?)</g>', svg, flags=re.S)
    return [d for g in groups for d in re.findall(r' d="(M[^"]*)"', g)]


def test_lines_break_in_the_page_as_in_the_picture():
    lines = paths_of(picture("paths", 0), "line")
    assert sorted(line.count("M") for line in lines) == [1, 2]  # the contour has two


def test_points_cells_rules_and_bands_are_drawn():
    svg = picture("boundary", 0)
    assert len(paths_of(svg, "rect")) == 36
    assert len(paths_of(svg, "symbol")) >= 12
    svg = picture("boundary", 1)
    assert len(paths_of(svg, "area")) == 2 == len(paths_of(svg, "line"))
    assert svg.count('class="mark-rule role-mark') == 1
    assert len(paths_of(picture("general", 1), "rect")) == 5  # one has no number
