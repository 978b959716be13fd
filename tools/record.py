"""Run a chapter once at a larger size and keep what it hands to ``recorded.keep``.

Use: ``make record CHAPTER=code/cnn SIZE=small``
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course_utils import recorded

ROOT = Path(__file__).parents[1]


def record(chapter: str, size: str) -> Path:
    """Execute a chapter at a size, one line a cell; return the file that it wrote.

    Raises FileNotFoundError for an unknown chapter, CellExecutionError where a cell
    raises (what was recorded before then stays), RuntimeError where the chapter
    keeps nothing.
    """
    path = ROOT / "chapters" / f"{chapter}.ipynb"
    if not path.exists():
        raise FileNotFoundError(f"there is no chapter {path.relative_to(ROOT)}")
    os.environ |= {"COURSE_UTILS_SIZE": size, "COURSE_UTILS_RECORD": chapter}
    notebook = nbformat.read(path, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started, done = time.time(), []

    def tell(cell, cell_index, **_):
        done.append(cell_index)
        print(f"cell {len(done)} of {len(code)}, {time.time() - started:.0f} s")

    folder = {"metadata": {"path": path.parent}}
    NotebookClient(
        notebook, timeout=None, resources=folder, on_cell_executed=tell
    ).execute()
    found = recorded.FOLDER / f"{chapter.replace('/', '-')}-{size}.json"
    if not found.exists() or found.stat().st_mtime < started:
        raise RuntimeError(f"{chapter} ran, but has no call of recorded.keep")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapter", help="part and topic, such as code/cnn")
    parser.add_argument("size", choices=recorded.SIZES)
    options = parser.parse_args()
    try:
        print("kept:", record(options.chapter, options.size))
    except (CellExecutionError, OSError, RuntimeError) as fault:
        sys.exit(f"{fault}\n{options.chapter} did not run to its end")
    except KeyboardInterrupt:
        sys.exit(f"stopped; {options.chapter} did not run to its end")
