"""Results of a chapter's larger settings, which are too long for every build.

A chapter has one dial, its size. ``make record CHAPTER=code/cnn SIZE=small`` runs it
once with the dial turned up and keeps what the chapter hands to ``keep``; the page
then draws that, labelled as recorded, beside what it has just trained itself.
"""

import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SIZES = ("tiny", "small", "full")
FOLDER = Path(__file__).parent / "recorded"
LARGEST = 100_000  # bytes of a file; it travels with the package
NAMED = "course-utils numpy torch tensorflow keras gensim".split()


@dataclass(frozen=True)
class Recorded:
    """What a run gave, and how to make it again.

    ``results`` is what the chapter kept; ``command`` makes it again; ``versions`` by
    package, ``hardware`` and ``date`` (of the run, UTC) say where it comes from.
    """

    results: dict
    command: str
    versions: dict
    hardware: str
    date: str

    @property
    def label(self) -> str:
        """The words that stand beside whatever is drawn from it."""
        return f"recorded {self.date} on {self.hardware}"


def size() -> str:
    """The chapter's dial: "tiny" in a build, else what ``make record`` was told.

    Raises ValueError for a word that is no size.
    """
    found = os.environ.get("COURSE_UTILS_SIZE", "tiny")
    if found not in SIZES:
        raise ValueError(f"COURSE_UTILS_SIZE={found!r} is none of {', '.join(SIZES)}")
    return found


def keep(chapter: str, results: dict, device) -> None:
    """Under ``make record``, write a chapter's results; else do nothing.

    Args:
        chapter: part and topic, such as "code/cnn".
        results: numbers, words, lists and dicts of them, as JSON holds them.
        device: what ``find_device`` gave; it names the hardware.
    Raises TypeError or ValueError for results that JSON does not hold (arrays, NaN)
    and ValueError for more than 100 kB; a file that stands already is then kept.
    """
    if os.environ.get("COURSE_UTILS_RECORD") != chapter:
        return
    found = {
        "command": command(chapter, size()),
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": f"{os.cpu_count()} cores ({platform.machine()}), {device.name}",
        "versions": {"python": platform.python_version()} | _versions(),
        "results": results,
    }
    text = json.dumps(found, indent=1, allow_nan=False) + "\n"
    if len(text) > LARGEST:
        raise ValueError(
            f"{chapter} keeps {len(text):,} bytes; at most {LARGEST:,}: thin the curves"
        )
    path = _path(chapter, size())
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def load(chapter: str, which: str) -> Recorded:
    """What ``make record`` kept of a chapter at a size.

    Raises FileNotFoundError, with the command, where nothing was recorded.
    """
    path = _path(chapter, which)
    if not path.exists():
        raise FileNotFoundError(f"nothing recorded: run `{command(chapter, which)}`")
    return Recorded(**json.loads(path.read_text()))


def command(chapter: str, which: str) -> str:
    """What records a chapter at a size."""
    return f"make record CHAPTER={chapter} SIZE={which}"


def _path(chapter, which):
    return FOLDER / f"{chapter.replace('/', '-')}-{which}.json"


def _versions():
    found = {}
    for name in NAMED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # not every chapter needs every package
    return found
