"""What every chapter keeps to, so far as it can be counted."""

import json
import re
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*/*.ipynb"))
TAUGHT = {"algorithms", "code", "trends"}  # parts whose chapters end in exercises
each = pytest.mark.parametrize(
    "path", CHAPTERS, ids=lambda p: f"{p.parent.name}/{p.stem}"
)


def cells(path, kind):
    notebook = json.loads(path.read_text())
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == kind]


def test_the_contents_name_every_chapter():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = {c["file"] for part in contents["parts"] for c in part["chapters"]}
    paths = {p.relative_to(ROOT).with_suffix("").as_posix() for p in CHAPTERS}
    assert paths and paths == {name for name in listed if name.startswith("chapters/")}


@each
def test_notebooks_are_valid_and_hold_no_output(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None


@each
def test_no_cell_holds_a_control_character(path):
    """A tab in a formula is what a careless escape has left of ``\\text``."""
    for source in cells(path, "markdown") + cells(path, "code"):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", source), source


@each
def test_no_title_of_a_box_holds_code(path):
    """A backtick after the name of a directive turns the box into raw text."""
    for source in cells(path, "markdown"):
        assert not re.search(r"^```+\{[^}]*\}.*`", source, re.MULTILINE), source


@each
def test_code_cells_are_short_and_draw_through_plots(path):
    for source in cells(path, "code"):
        assert len(source.splitlines()) <= 30, source
        assert not re.search(r"pyplot|seaborn|^\s*[%!]", source, re.MULTILINE), source


@each
def test_every_chapter_checks_and_cites(path):
    assert any("assert" in source for source in cells(path, "code"))
    assert "{cite" in "".join(cells(path, "markdown"))


@each
def test_anatomy(path):
    prose = "\n\n".join(cells(path, "markdown"))
    assert prose.startswith("# ")
    for part in ("You will be able to", "What to know first", "## Summary"):
        assert part in prose, f"no {part!r}"
    assert any("find_device(" in source for source in cells(path, "code"))
    if path.parent.name in TAUGHT:
        exercises = re.findall(r"\{exercise\}.*?:label: (\S+)", prose, re.DOTALL)
        assert 3 <= len(exercises) <= 5
        solved = set(re.findall(r"\{solution-start\} (\S+)", prose))
        assert solved == set(exercises)
        assert "## Check yourself" in prose
        assert prose.count("{dropdown} A") >= 3


def test_the_table_of_frameworks_is_true():
    """A chapter uses a framework if it imports it or its module of the course."""
    table = "".join(cells(ROOT / "chapters/code/frameworks.ipynb", "markdown"))
    rows = re.findall(
        r"^\| \[.+\]\(\.\./(\S+)\.ipynb\) \| (\w+) \| (\w+) \|$", table, re.M
    )
    uses = []
    for path in CHAPTERS:
        name = f"{path.parent.name}/{path.stem}"
        if path.parent.name in ("algorithms", "code") and path.stem != "frameworks":
            code = "\n".join(cells(path, "code"))
            torch = re.search(r"^(import torch|from torch)\b|\w_torch\b", code, re.M)
            keras = re.search(
                r"^import (tensorflow|keras)|\w_(tf|tensorflow)\b", code, re.M
            )
            uses.append((name, *("yes" if found else "no" for found in (torch, keras))))
    assert uses and sorted(rows) == sorted(uses)


@each
def test_figures_say_what_they_show(path):
    """Alternative texts are there and no two figures share one."""
    found = re.findall(r'alt=\(?\s*f?"([^"]*)"', "\n".join(cells(path, "code")))
    assert all(len(text.split()) >= 4 for text in found), found
    assert len(found) == len(set(found))


@each
def test_one_sentence_a_line(path):
    """A line of prose ends where its sentence ends."""
    text = re.sub(r"(`{3,})[\s\S]*?\1", "", "\n\n".join(cells(path, "markdown")))
    for line in text.splitlines():
        if line.startswith(("|", "#", ":", "-", "*", ">")) or not line.strip():
            continue
        inner = re.sub(r"\b(?:e\.g|i\.e|et al|vs|cf|Fig|Eq|[A-Z])\.", "", line)
        assert not re.search(r"[a-z\)`][.?!] [A-Z][a-z]", inner), line
