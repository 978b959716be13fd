"""Execute the chapters of the book with nbval into the cache that the build reads.

Chapters run two at a time with one thread each; a chapter whose metadata says
``course: {alone: true}`` runs by itself afterwards, so that the times it measures
are not noise. nbval is the test of the chapters: a cell that raises fails the build.
Only a chapter whose cells changed runs again. A change in ``course_utils``, in the
pinned versions or of Python empties the cache, because it may change what any chapter
prints. Knows nothing about how pages are written.

Use: ``python tools/execute.py [folder of the book]``
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

ONE_THREAD = (
    "OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS "
    "TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS"
)
ENVIRONMENT = dict.fromkeys([*ONE_THREAD.split(), "COURSE_UTILS_QUIET"], "1")
ENVIRONMENT["TF_CPP_MIN_LOG_LEVEL"] = "3"


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


def run(paths: list[Path], book: Path, cache, timeout: int, workers: int) -> bool:
    """Execute chapters with so many workers, storing each one that succeeds.

    Returns whether all did. What has run to its end is stored also after an interrupt.
    """
    if not paths:
        return True
    plugin = str(Path(__file__).parent)
    with tempfile.TemporaryDirectory() as folder:
        options = f"-q -rN --disable-warnings --rootdir {book} -c {os.devnull}"
        command = [sys.executable, "-m", "pytest", *options.split()]
        command += ["-p", "keep_outputs", "--keep-outputs", folder]
        command += ["--nbval-lax", f"--nbval-cell-timeout={timeout}"]
        command += ["-n", str(workers), "--dist", "loadfile", *map(str, paths)]
        path = os.pathsep.join([plugin, os.environ.get("PYTHONPATH", "")])
        try:
            done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path})
        finally:
            for kept in sorted(Path(folder).glob("*.ipynb")):
                store(nbformat.read(kept, 4), book, cache)
    return done.returncode == 0


def store(notebook, book: Path, cache) -> None:
    """Put an executed chapter into the cache and have its page written anew."""
    executed = notebook.metadata.pop("executed")
    path, seconds = Path(executed["path"]), executed["seconds"]
    bundle = CacheBundleIn(notebook, path, data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    # Without its parsed copy, Sphinx reads the chapter again.
    parsed = book / "_build/.doctrees" / path.relative_to(book)
    parsed.with_suffix(".doctree").unlink(missing_ok=True)


def main(book: Path) -> bool:
    """Bring the cache of the book up to date; return whether every chapter ran."""
    os.environ.update(ENVIRONMENT)
    folder, mark = book / "_build/.jupyter_cache", book / "_build/executed-with.txt"
    now = fingerprint(book)
    if not mark.exists() or mark.read_text() != now:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(now)
    cache = get_cache(folder)
    settings = yaml.safe_load((book / "_config.yml").read_text())
    total, fine = 0, True
    for alone in (False, True):
        paths = [p for p in chapters(book, alone) if not is_cached(p, cache)]
        workers = 1 if alone else 2
        fine &= run(paths, book, cache, settings["execute"]["timeout"], workers)
        total += len(paths)
    if fine:
        print(f"{total} chapters executed, the cache is up to date")
    return fine


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("book", nargs="?", default=".", type=Path)
    sys.exit(not main(parser.parse_args().book.resolve()))
