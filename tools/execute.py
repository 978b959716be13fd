"""Execute the chapters of the book into the cache that the build reads.

Chapters run two at a time with one thread each; a chapter whose metadata says
``course: {alone: true}`` runs by itself afterwards, so that the times it measures
are not noise. Only a chapter whose cells changed runs again. A change in
``course_utils``, in the pinned versions or of Python empties the cache, because it
may change what any chapter prints. Knows nothing about how pages are written.

Use: ``python tools/execute.py [--list together|alone] [folder of the book]``
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
ONE_THREAD = (
    "OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS "
    "TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS"
)
ENVIRONMENT = dict.fromkeys([*ONE_THREAD.split(), "COURSE_UTILS_QUIET"], "1")
ENVIRONMENT["TF_CPP_MIN_LOG_LEVEL"] = "3"


class ChapterFailed(Exception):
    """A chapter raised; the message holds its name and its traceback."""


def fingerprint(book: Path) -> str:
    """Hash of everything besides its own cells that decides a chapter's output."""
    digest = hashlib.sha256(platform.python_version().encode())
    files = [book / "constraints.txt", book / "carriers.txt"]
    files += sorted(book.glob("src/course_utils/**/*"))
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(book).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def chapters(book: Path, alone: bool) -> list[Path]:
    """Notebooks named in ``_toc.yml`` that run alone, or those that need not."""
    toc = (book / "_toc.yml").read_text()
    names = re.findall(r"^[\s-]*(?:file|root):\s*(\S+)", toc, re.MULTILINE)
    paths = [book / f"{name}.ipynb" for name in names]
    return [path for path in paths if path.exists() and runs_alone(path) == alone]


def runs_alone(path: Path) -> bool:
    """Whether a chapter measures times, as its metadata says."""
    metadata = nbformat.read(path, 4).metadata
    return bool(metadata.get("course", {}).get("alone"))


def is_cached(path: Path, cache) -> bool:
    """Whether the cells of a chapter have been executed as they stand."""
    try:
        return bool(cache.match_cache_notebook(nbformat.read(path, 4)))
    except KeyError:
        return False


def widget_errors(notebook) -> str:
    """Traceback that an interactive control caught, which no cell output shows."""
    widgets = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {})
    for model in widgets.get("state", {}).values():
        for output in model.get("state", {}).get("outputs", []):
            if output.get("output_type") == "error":
                return "\n".join(output["traceback"])
    return ""


def execute(path: Path, book: Path, timeout: int):
    """Run one chapter; return the executed notebook and its seconds."""
    notebook = nbformat.read(path, 4)
    quiet = ["--log-level=ERROR"]  # the kernel warns of its own local ports
    result = single_nb_execution(
        notebook, str(path.parent), timeout, allow_errors=False, extra_arguments=quiet
    )
    name = path.relative_to(book)
    trace = str(result.err) if result.err else widget_errors(notebook)
    if trace:
        raise ChapterFailed(f"{trace}\nFAILED {name} after {result.time:.1f} s")
    print(f"{result.time:7.1f} s  {name}", flush=True)
    return path, notebook, result.time


def run(paths: list[Path], book: Path, cache, timeout: int, workers: int) -> None:
    """Execute chapters with so many workers, storing each one that succeeds."""
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(execute, path, book, timeout) for path in paths]
        try:
            for job in as_completed(jobs):
                store(*job.result(), book, cache)
        finally:
            pool.shutdown(cancel_futures=True)


def store(path: Path, notebook, seconds: float, book: Path, cache) -> None:
    """Put an executed chapter into the cache and have its page written anew."""
    bundle = CacheBundleIn(notebook, path, data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    # Without its parsed copy, Sphinx reads the chapter again.
    parsed = book / "_build/.doctrees" / path.relative_to(book)
    parsed.with_suffix(".doctree").unlink(missing_ok=True)


def main(book: Path) -> None:
    """Bring the cache of the book up to date."""
    os.environ.update(ENVIRONMENT)
    folder, mark = book / "_build/.jupyter_cache", book / "_build/executed-with.txt"
    now = fingerprint(book)
    if not mark.exists() or mark.read_text() != now:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(now)
    cache = get_cache(folder)
    settings = yaml.safe_load((book / "_config.yml").read_text())
    total = 0
    for alone in (False, True):
        paths = [p for p in chapters(book, alone) if not is_cached(p, cache)]
        workers = 1 if alone else 2
        run(paths, book, cache, settings["execute"]["timeout"], workers)
        total += len(paths)
    print(f"{total} chapters executed, the cache is up to date")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("book", nargs="?", default=".", type=Path)
    parser.add_argument("--list", choices=["together", "alone"])
    options = parser.parse_args()
    root = options.book.resolve()
    if options.list:
        print(*(p.relative_to(root) for p in chapters(root, options.list == "alone")))
        sys.exit()
    try:
        main(root)
    except ChapterFailed as failure:
        sys.exit(str(failure))
