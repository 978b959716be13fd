"""Every chapter, opened in a real JupyterLab, reads as text and not as markup."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import ROOT

CHAPTERS = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.glob("chapters/*/*.ipynb")
)
TOKEN = "for-this-test-only"
OPEN = """async path => {
  const kernelPreference = {shouldStart: false, canStart: false};
  for (const open of [...window.jupyterapp.shell.widgets('main')]) open.dispose();
  await window.jupyterapp.commands.execute(
    'docmanager:open', {path, factory: 'Notebook', kernelPreference});
}"""
RENDERED = """count => {
  const cells = [...document.querySelectorAll('.jp-Notebook .jp-MarkdownCell')];
  return cells.length === count && cells.every(
    c => c.querySelector('.myst, .jp-MarkdownOutput')?.children.length);
}"""
# What is wrong with the open notebook: markup that a reader sees as such, formulas
# with errors, references that lead nowhere. Keys of citations stay as they are:
# JupyterLab has no list of references to look them up in.
LOOK = r"""() => {
  const problems = [];
  const raw = /\{[a-z:+-]+\}|:(label|class|name|header-rows):|:::|Unknown Directive/;
  for (const cell of document.querySelectorAll('.jp-Notebook .jp-MarkdownCell')) {
    const output = cell.querySelector('.myst, .jp-MarkdownOutput').cloneNode(true);
    for (const e of output.querySelectorAll('.text-yellow-600, .katex-error'))
      if (e.title !== 'Citation Not Found')
        problems.push(`${e.title}: ${e.textContent.slice(0, 80)}`);
    for (const e of output.querySelectorAll('[class*="language-{"]'))
      problems.push('raw directive: ' + e.textContent.slice(0, 80));
    output.querySelectorAll('pre, .katex').forEach(e => e.remove());
    for (const line of output.textContent.split('\n'))
      if (raw.test(line)) problems.push('raw markup: ' + line.slice(0, 80));
  }
  return problems;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab on copies of the chapters, with settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "chapters", folder / "book/chapters")
    news = folder / "settings/@jupyterlab/apputils-extension/notification"
    news.parent.mkdir(parents=True)
    news.with_suffix(".jupyterlab-settings").write_text('{"fetchNews": "false"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    options = f"--no-browser --allow-root --ip=127.0.0.1 --port={port}".split()
    options += ["--expose-app-in-browser"]
    options += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, str(folder / "book")],
            env=environment,
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{address}/api", server, folder / "log")
            yield address
        finally:
            server.terminate()
            server.wait(20)


def wait_for(address, server, log, seconds=60):
    """Wait until a server answers; fail with its log if it stops or stays silent."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            return urllib.request.urlopen(address, timeout=5)
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def page(browser, lab):
    """JupyterLab in the browser, with nothing open yet."""
    page = browser.new_page(viewport={"width": 1100, "height": 1000})
    page.goto(f"{lab}/lab?token={TOKEN}")
    page.wait_for_selector(".jp-Launcher", timeout=120_000)
    yield page
    page.close()


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_shows_no_markup(page, chapter):
    cells = json.loads((ROOT / chapter).read_text())["cells"]
    count = sum(cell["cell_type"] == "markdown" for cell in cells)
    page.evaluate(OPEN, chapter)
    page.wait_for_function(RENDERED, arg=count, timeout=120_000)
    problems = page.evaluate(LOOK)
    assert not problems, "\n".join(problems)
