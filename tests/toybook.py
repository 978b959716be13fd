"""A book of two small chapters that uses every construct the real ones may use."""

import subprocess
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).parent.parent

OPENING = """\
# Constructs

A **term**, *stress*, `a_b | c`, 2 * 3 < 4 \\$ and $a<b$, {term}`gradient`.
- a point with $x^2$
- a [link](../code/other.ipynb), the [notation](../../notation.md)

1. first
2. second: {cite:p}`rumelhart1986`, {cite:t}`rumelhart1986`, <https://example.org>

| Symbol | Meaning |
|---|---|
| $\\|x\\|$ | length, $\\mathbf{x}$ |

```{list-table} Sizes
:header-rows: 1
* - name
  - size
* - small
  - 1
```
"""

BODY = """\
## Formulas

```{math}
:label: eq-toy-one
y = W x + b
```

By {eq}`eq-toy-one` and {eq}`eq-other-one`:

$$ a &= b \\\\ c &= d $$

$$
\\begin{aligned} e &= f \\end{aligned}
$$

````{dropdown} The algebra of $x$ and *y*
Long, with

```{math}
:label: eq-toy-two
z = 1
```
````

```{note}
Note this.
```

```{admonition} What the sources say
:class: warning
They said $1$.
```

````{tab-set}
```{tab-item} PyTorch
In torch.
```
```{tab-item} Keras
In Keras.
```
````

> A quotation.[^1]

[^1]: Said once.

Word
: Its meaning.

```python
print("shown, not run")
```

:::{tip}
With colons.
:::

(sec-exercises)=
## Exercises

```{exercise} Shapes
:label: ex-toy-1
Use {eq}`eq-toy-one`.
```
"""

CHAPTER = [
    OPENING,
    ("import ipywidgets as widgets\n\nvalue = 3", []),
    BODY,
    "```{solution-start} ex-toy-1\n```",
    "Run this:",
    ("assert value == 3", ["hide-input"]),
    "```{solution-end}\n```",
    "```{exercise} Words\n:label: ex-toy-2\nSee {ref}`ex-toy-1`.\n```",
    "```{solution} ex-toy-2\n:class: dropdown\nIn words.\n```",
    "## Check yourself\n\n```{dropdown} A. $1$\nRight.\n```",
    ("widgets.interact(lambda x: print(x * value), x=(0, 3));", []),
]
OTHER = ["# Other\n\n```{math}\n:label: eq-other-one\nx = 1\n```", ("print(1)", [])]
PAGES = {
    "intro.md": "# Toy book",
    "notation.md": "# Notation",
    "glossary.md": "# Glossary\n\n```{glossary}\ngradient\n  Slope.\n```",
    "references.md": "# References\n\n```{bibliography}\n```",
    "references.bib": "@book{rumelhart1986, author={Rumelhart, D. and Hinton, G. and "
    "Williams, R.}, title={Learning}, publisher={Nature}, year={1986}}",
}
TOC = {
    "format": "jb-book",
    "root": "intro",
    "defaults": {"numbered": 1},
    "chapters": [
        {"file": "chapters/algorithms/constructs"},
        {"file": "chapters/code/other"},
        {"file": "notation"},
        {"file": "glossary"},
        {"file": "references"},
    ],
}


def notebook(cells, **metadata):
    """Notebook from Markdown texts and (code, tags) pairs."""
    new = nbformat.v4.new_notebook(metadata=metadata)
    for i, cell in enumerate(cells):
        if isinstance(cell, str):
            new.cells.append(nbformat.v4.new_markdown_cell(cell))
        else:
            new.cells.append(nbformat.v4.new_code_cell(cell[0]))
            new.cells[-1].metadata["tags"] = cell[1]
        new.cells[-1]["id"] = f"cell-{i:03d}"
    return new


def write(folder, chapter=CHAPTER, **settings):
    """Write the toy book, with the settings and extensions of the real one."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    extensions = config["sphinx"]["local_extensions"]
    config["sphinx"]["local_extensions"] = {n: str(ROOT / "_ext") for n in extensions}
    config["sphinx"]["config"] |= settings
    pages = PAGES | {
        "_config.yml": yaml.safe_dump(config),
        "_toc.yml": yaml.safe_dump(TOC),
        "pyproject.toml": (ROOT / "pyproject.toml").read_text(),
        "carriers.txt": (ROOT / "carriers.txt").read_text(),
    }
    for name, text in pages.items():
        (folder / name).write_text(text)
    for name, cells in (("algorithms/constructs", chapter), ("code/other", OTHER)):
        path = folder / f"chapters/{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(cells), path)
    return folder


def build(folder, **environment):
    """Build the book as the Makefile does; the finished process."""
    script = "from jupyter_book.cli.main import main; main()"
    options = ["build", str(folder), "-W", "-n", "--keep-going"]
    return subprocess.run(
        [sys.executable, "-c", script, *options],
        env=environment or None,
        capture_output=True,
        text=True,
    )


def execute(folder, *options):
    """Run tools/execute.py on the book; the finished process."""
    command = [sys.executable, str(ROOT / "tools/execute.py"), str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True)
