"""Recorded results: kept only on request, whole or not at all, and traceable."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from course_utils import recorded

ROOT = Path(__file__).parents[1]
DEVICE = SimpleNamespace(name="CPU of this test")


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path / "kept")
    monkeypatch.setenv("COURSE_UTILS_SIZE", "small")
    monkeypatch.setenv("COURSE_UTILS_RECORD", "code/toy")
    return tmp_path / "kept"


def test_what_was_kept_is_loaded_with_its_origin(folder):
    recorded.keep("code/toy", {"accuracy": [0.5, 0.75]}, DEVICE)
    found = recorded.load("code/toy", "small")
    assert found.results == {"accuracy": [0.5, 0.75]}
    assert found.command == "make record CHAPTER=code/toy SIZE=small"
    assert found.versions["numpy"] and found.versions["python"].startswith("3.")
    assert "CPU of this test" in found.label and found.date in found.label
    assert [path.name for path in folder.iterdir()] == ["code-toy-small.json"]


@pytest.mark.parametrize("asked", ["", "code/other"])
def test_nothing_is_written_unless_asked(folder, monkeypatch, asked):
    monkeypatch.setenv("COURSE_UTILS_RECORD", asked)
    recorded.keep("code/toy", {"accuracy": 1}, DEVICE)
    assert not folder.exists()


@pytest.mark.parametrize(
    "results", [{"loss": float("nan")}, {"curve": list(range(50_000))}, {"x": {1, 2}}]
)
def test_bad_results_leave_the_old_file(folder, results):
    recorded.keep("code/toy", {"accuracy": 1}, DEVICE)
    with pytest.raises((TypeError, ValueError)):
        recorded.keep("code/toy", results, DEVICE)
    assert recorded.load("code/toy", "small").results == {"accuracy": 1}


def test_what_is_missing_says_how_to_make_it(folder):
    with pytest.raises(FileNotFoundError, match="make record CHAPTER=code/x SIZE=full"):
        recorded.load("code/x", "full")


def test_sizes(monkeypatch):
    monkeypatch.delenv("COURSE_UTILS_SIZE", raising=False)
    assert recorded.size() == "tiny"
    monkeypatch.setenv("COURSE_UTILS_SIZE", "huge")
    with pytest.raises(ValueError, match="tiny, small, full"):
        recorded.size()


KEEP = """\
from types import SimpleNamespace
from course_utils import recorded
recorded.FOLDER = recorded.FOLDER.__class__({folder!r})
recorded.keep("code/toy", {{"size": recorded.size()}}, SimpleNamespace(name="a CPU"))
"""


@pytest.mark.parametrize(
    ("cell", "code", "says"),
    [
        (KEEP, 0, "kept:"),
        ("print(1)", 1, "no call of recorded.keep"),
        ("1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_the_command_runs_a_chapter_at_its_size(tmp_path, cell, code, says):
    chapter = tmp_path / "chapters/code/toy.ipynb"
    chapter.parent.mkdir(parents=True)
    cells = [nbformat.v4.new_code_cell(cell.format(folder=str(tmp_path)))]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), chapter)
    run = (
        "import sys; sys.path.insert(0, {tools!r}); import record, pathlib\n"
        "record.ROOT = pathlib.Path({root!r}); record.recorded.FOLDER = record.ROOT\n"
        "try:\n    print('kept:', record.record('code/toy', 'small'))\n"
        "except Exception as fault:\n    sys.exit(str(fault))\n"
    ).format(tools=str(ROOT / "tools"), root=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True)
    assert done.returncode == code and says in done.stdout + done.stderr
    if not code:
        kept = json.loads((tmp_path / "code-toy-small.json").read_text())
        assert kept["results"] == {"size": "small"}
    else:
        assert not list(tmp_path.glob("*.json"))


def test_the_command_refuses_an_unknown_chapter():
    command = [sys.executable, "tools/record.py", "code/none", "small"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and "there is no chapter" in done.stderr
