"""Plugin of pytest: what nbval executed is kept, so that no chapter runs twice.

nbval runs the cells of a notebook one by one and forgets what they gave. This keeps
it: a chapter whose cells all passed is written, with outputs and seconds, into the
folder that the option names. After a cell that failed the rest of its chapter is
skipped, since it would only repeat the failure. Knows nothing of books or caches.
"""

import nbformat
import pytest
from nbval.plugin import IPyNbCell

SECONDS = "course_seconds"
# What a kernel says of itself; the build takes from it how to colour the code.
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}


def pytest_addoption(parser):
    parser.addoption("--keep-outputs", type=str, help="folder for executed notebooks")


def pytest_runtest_setup(item):
    if isinstance(item, IPyNbCell) and getattr(item.parent, "failed_cell", None):
        pytest.skip(f"{item.parent.failed_cell} of this chapter failed")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not isinstance(item, IPyNbCell) or report.when != "call":
        return
    chapter = item.parent
    chapter.seconds = getattr(chapter, "seconds", 0) + report.duration
    if report.failed:
        chapter.failed_cell = item.name
    elif report.passed:
        item.cell.outputs = [nbformat.from_dict(o) for o in item.test_outputs]
        item.cell.execution_count = item.cell_num + 1
    last = [c for c in chapter.nb.cells if c.cell_type == "code"][-1]
    if report.passed and item.cell is last:
        _write(chapter, item.config.getoption("keep_outputs"))
        report.user_properties.append((SECONDS, chapter.seconds))


def _write(chapter, folder):
    """The executed notebook; its source and seconds go into its metadata."""
    chapter.nb.metadata["language_info"] = LANGUAGE
    chapter.nb.metadata["executed"] = {
        "path": str(chapter.path), "seconds": chapter.seconds,
    }  # fmt: skip
    name = f"{chapter.path.parent.name}-{chapter.path.name}"
    nbformat.write(chapter.nb, f"{folder}/{name}")


class Progress:
    """A line for each chapter that has run to its end, also from another process."""

    def __init__(self, terminal):
        self.terminal = terminal

    def pytest_runtest_logreport(self, report):
        seconds = dict(report.user_properties).get(SECONDS)
        if report.when == "call" and seconds is not None:
            path = report.nodeid.split("::")[0]
            self.terminal.write_line(f"{seconds:7.1f} s  {path}")
        elif report.failed:
            self.terminal.write_line(f"FAILED {report.nodeid}")

    def pytest_report_teststatus(self, report):
        return report.outcome, "", ""  # no letter a cell


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(Progress(terminal), "progress")
