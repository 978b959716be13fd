"""An explorer in a real JupyterLab: its controls, and training off the grid.

A notebook made here trains long enough to be watched and stopped; a chapter of the
book runs as its readers would run it.
"""

import json
import time

import nbformat
import pytest
from conftest import ROOT
from playwright.sync_api import expect

EPOCHS = 60
# Each epoch is slowed down, so that there is time to watch; what starts and ends is
# written down beside the notebook.
CELLS = [
    "import time\nfrom course_utils import data, explorers\n"
    "from course_utils.sweep import sweep, trainer",
    f"digits, fixed = data.digits(), {{'seeds': 2, 'epochs': {EPOCHS}}}\n"
    "runs = sweep(digits, learning_rate=[0.01, 1.0], width=[8, 16], **fixed)",
    """\
def note(*words):
    with open("log.txt", "a") as log:
        print(*words, file=log)

def learn(settings):
    epoch = 0
    note("start", settings["learning_rate"])
    try:
        for table in trainer(digits, **fixed)(settings):
            time.sleep(0.08)
            epoch += 1
            yield table
    finally:
        note("end", settings["learning_rate"], epoch)""",
    "explorers.training_curves(runs, train=learn)",
]
RUN = """async path => {
  const app = window.jupyterapp, kernelPreference = {name: 'python3'};
  for (const open of [...app.shell.widgets('main')]) open.dispose();
  const opened = await app.commands.execute(
    'docmanager:open', {path, factory: 'Notebook', kernelPreference});
  await opened.sessionContext.ready;
  await app.commands.execute('notebook:run-all-cells');
}"""
ERRORS = ".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr'], \
.jp-OutputArea [data-mime-type='application/vnd.jupyter.error']"
RATE = "Learning rate"
BOX = ".jp-OutputArea .widget-vbox:has(.widget-inline-hbox)"


class Live:
    """The first explorer of the open notebook, and what a reader does with it."""

    def __init__(self, page):
        self.page, self.root = page, page.locator(BOX).first
        self.root.wait_for(timeout=300_000)
        self.root.scroll_into_view_if_needed()
        self.picture = self.root.locator(".widget-html-content:has(svg)")
        self.sentence = self.root.locator(".widget-html-content:not(:has(svg))")
        self.stop = self.root.get_by_role("button", name="Stop")
        self.bar = self.root.locator(".progress-bar")
        self.picture.wait_for(timeout=30_000)

    def slider(self, label):
        return self.root.locator(f".widget-inline-hbox:has-text('{label}')")

    def press(self, label, *keys) -> str:
        """Press keys on a slider; the value that it then shows."""
        self.slider(label).locator(".noUi-handle").focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self.slider(label).locator(".widget-readout").inner_text()

    def says(self, text, seconds=60):
        """Wait until the sentence has a text."""
        expect(self.sentence).to_contain_text(text, timeout=1000 * seconds)

    def drawn(self, *others) -> str:
        """The picture, once it is none of the others."""
        end = time.monotonic() + 30
        while (found := self.picture.inner_html()) in others:
            assert time.monotonic() < end, "the picture stays the same"
            self.page.wait_for_timeout(50)
        return found

    def grows(self) -> None:
        """See three pictures and two lengths of the bar while it trains."""
        self.says("Still training.")
        assert self.stop.is_visible()
        seen, lengths = [self.drawn()], [self.bar.get_attribute("style")]
        for _ in range(2):
            seen.append(self.drawn(*seen))
            lengths.append(self.bar.get_attribute("style"))
        self.says("Still training.")
        assert len(set(lengths)) > 1


def run(page, path) -> Live:
    """Run all cells of a notebook; its first explorer."""
    page.evaluate(RUN, path)
    return Live(page)


def check_errors(page) -> None:
    assert page.locator(ERRORS).all_inner_texts() == []


@pytest.fixture(scope="module")
def live(lab, lab_page):
    """The explorer of the notebook made here."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    (lab.folder / "made").mkdir()
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells), lab.folder / "made/slow.ipynb"
    )
    return run(lab_page, "made/slow.ipynb")


@pytest.fixture
def log(lab, live):
    """What is written down of the trainings since the test began, as a function."""
    path = lab.folder / "made/log.txt"
    before = len(path.read_text().splitlines()) if path.exists() else 0
    return lambda: [line.split() for line in path.read_text().splitlines()[before:]]


def test_values_of_the_grid_are_shown_at_once(live):
    first = live.drawn()
    assert live.press(RATE, "Home") == "0.01"
    second = live.drawn(first)
    live.says("Learning rate η 0.01, ")
    assert live.press(RATE, "End") == "1"
    live.drawn(second)
    live.says("Learning rate η 1, ")
    assert not live.stop.is_visible()
    check_errors(live.page)


def test_a_value_off_the_grid_trains_to_its_end(live, log):
    live.press(RATE, "End")
    value, word = live.press(RATE, "ArrowLeft").split()
    assert word == "(trains)"
    live.grows()
    live.says("Trained just now.")
    live.says(f"Learning rate η {value}, ")
    live.says(f"After {EPOCHS} epochs")
    expect(live.stop).to_be_hidden()
    assert log() == [
        ["start", value.split()[0]],
        ["end", value.split()[0], str(EPOCHS)],
    ]
    check_errors(live.page)


def test_stop_ends_the_training(live, log):
    live.press(RATE, "Home")
    value = live.press(RATE, "ArrowRight").split()[0]
    live.grows()
    live.stop.click()
    live.says("Stopped before its end.", seconds=10)
    expect(live.stop).to_be_hidden()
    start, end = log()
    assert start == ["start", value] and end[:2] == ["end", value]
    assert 2 <= int(end[2]) < EPOCHS
    still = live.drawn()
    live.page.wait_for_timeout(500)
    assert live.drawn() == still
    check_errors(live.page)


def test_a_second_change_ends_the_first_training(live, log):
    live.press(RATE, "End")
    first = live.press(RATE, "ArrowLeft").split()[0]
    live.grows()
    second = live.press(RATE, "ArrowLeft").split()[0]
    live.says(f"Learning rate η {second}, ", seconds=10)
    live.grows()
    live.press(RATE, "Home")  # back on the grid: nothing trains any more
    live.says("Learning rate η 0.01, ", seconds=10)
    expect(live.stop).to_be_hidden()
    live.page.wait_for_timeout(500)
    assert "Stopped" not in live.sentence.inner_text()
    assert "Learning rate η 0.01, " in live.sentence.inner_text()
    told = log()
    assert [line[:2] for line in told] == [
        ["start", first], ["end", first], ["start", second], ["end", second]
    ]  # fmt: skip
    assert all(int(line[2]) < EPOCHS for line in told if line[0] == "end")
    check_errors(live.page)


def chapters() -> list:
    """Chapters with an explorer that trains, the shortest first."""
    paths = sorted(ROOT.glob("chapters/*/*.ipynb"), key=lambda p: p.stat().st_size)
    texts = {path: "".join(_code(path)) for path in paths}
    return [p for p in paths if "explorers." in texts[p] and "train=" in texts[p]]


def _code(path):
    for cell in json.loads(path.read_text())["cells"]:
        yield from cell["source"] if cell["cell_type"] == "code" else ()


def test_a_chapter_trains_off_the_grid(lab_page):
    live = run(lab_page, chapters()[0].relative_to(ROOT).as_posix())
    label = live.root.locator(".widget-readout").first
    slider = live.root.locator(".noUi-handle").first
    first = live.drawn()
    slider.focus()
    lab_page.keyboard.press("Home")
    second = live.drawn(first)
    assert not label.inner_text().endswith("(trains)")
    lab_page.keyboard.press("ArrowRight")
    assert label.inner_text().endswith("(trains)")
    live.says("Trained just now.", seconds=120)
    live.drawn(first, second)
    check_errors(lab_page)
