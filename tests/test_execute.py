"""tools/execute.py: what runs, what stops it, and what the build finds afterwards."""

import os

import nbformat
import pytest
import toybook


@pytest.fixture
def book(tmp_path):
    """A book whose one chapter a test may spoil."""
    return toybook.write(tmp_path, chapter=["# Chapter", ("print(1)", [])])


def spoil(book, code, **metadata):
    path = book / "chapters/algorithms/constructs.ipynb"
    nbformat.write(toybook.notebook(["# Chapter", (code, [])], **metadata), path)


def test_only_what_changed_runs_again(book):
    first = toybook.execute(book)
    assert first.returncode == 0 and "2 chapters executed" in first.stdout
    assert "0 chapters executed" in toybook.execute(book).stdout
    built = toybook.build(book, **os.environ)
    assert built.returncode == 0, built.stderr[-3000:]
    assert "Executing notebook" not in built.stdout + built.stderr
    spoil(book, "print(2)")
    second = toybook.execute(book)
    assert "constructs.ipynb" in second.stdout and "other.ipynb" not in second.stdout
    (book / "constraints.txt").write_text("numpy==2.0\n")
    assert "2 chapters executed" in toybook.execute(book).stdout


def test_page_follows_a_change_of_the_package(book):
    """The chapter's own cells are the same, but what they print is not."""
    package = book / "src/course_utils/value.txt"
    package.parent.mkdir(parents=True)
    spoil(book, "print('says', open('../../src/course_utils/value.txt').read())")
    page = book / "_build/html/chapters/algorithms/constructs.html"
    for value in ("first", "second"):
        package.write_text(value)
        assert toybook.execute(book).returncode == 0
        assert toybook.build(book, **os.environ).returncode == 0
        assert f"says {value}" in page.read_text()


@pytest.mark.parametrize(
    "code, message",
    [
        ("assert 1 + 1 == 3, 'sum is wrong'", "sum is wrong"),
        (
            "import ipywidgets\n"
            "def draw(x):\n    raise ValueError('control is broken')\n"
            "ipywidgets.interact(draw, x=(0, 3));",
            "control is broken",
        ),
    ],
)
def test_failing_chapter_stops_with_its_name_and_traceback(book, code, message):
    spoil(book, code)
    result = toybook.execute(book)
    assert result.returncode != 0
    assert message in result.stdout
    assert "FAILED chapters/algorithms/constructs.ipynb" in result.stdout


def test_build_refuses_stderr_and_what_leads_nowhere(book):
    texts = (
        "{eq}`eq-nowhere` {cite:p}`nobody1900` {term}`unheard` {ref}`no-section` "
        "[text](nowhere.ipynb)\n\n```{nodirective}\n```"
    )
    chapter = toybook.notebook(
        [f"# Chapter\n\n{texts}", ("import warnings\nwarnings.warn('careful')", [])]
    )
    nbformat.write(chapter, book / "chapters/algorithms/constructs.ipynb")
    result = toybook.build(book, **os.environ)
    assert result.returncode != 0
    words = "eq-nowhere nobody1900 unheard no-section nowhere.ipynb nodirective"
    for word in [*words.split(), "stderr was found in the cell outputs"]:
        warnings = [li for li in result.stderr.splitlines() if "WARNING" in li]
        assert any(word in line for line in warnings), word


def test_chapters_that_measure_time_run_by_themselves(book):
    """Each chapter notes when it starts and ends; what is alone overlaps nothing."""
    note = "import time\nopen('../{}', 'w').write(str(time.time()))"
    code = f"{note.format('start-{0}')}\ntime.sleep(1)\n{note.format('end-{0}')}"
    spoil(book, code.format("alone"), course={"alone": True})
    other = toybook.notebook(["# Other", (code.format("other"), [])])
    nbformat.write(other, book / "chapters/code/other.ipynb")
    assert toybook.execute(book).returncode == 0
    start, end = (
        float((book / f"chapters/{name}").read_text())
        for name in ("start-alone", "end-other")
    )
    assert start >= end


def test_what_ran_before_a_failure_is_kept(book):
    spoil(book, "raise ValueError('no')")
    assert toybook.execute(book).returncode != 0
    spoil(book, "print('mended')")
    second = toybook.execute(book)
    assert "1 chapters executed" in second.stdout, second.stdout


def test_cells_after_a_failure_do_not_run(book):
    chapter = [("raise ValueError('first')", []), ("open('second', 'w')", [])]
    path = book / "chapters/algorithms/constructs.ipynb"
    nbformat.write(toybook.notebook(chapter), path)
    assert "first" in toybook.execute(book).stdout
    assert not (path.parent / "second").exists()
