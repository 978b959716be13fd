"""Every chapter, opened in a real JupyterLab, reads as text and not as markup."""

import json

import pytest
from conftest import ROOT

CHAPTERS = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.glob("chapters/*/*.ipynb")
)
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


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_shows_no_markup(lab_page, chapter):
    cells = json.loads((ROOT / chapter).read_text())["cells"]
    count = sum(cell["cell_type"] == "markdown" for cell in cells)
    lab_page.evaluate(OPEN, chapter)
    lab_page.wait_for_function(RENDERED, arg=count, timeout=120_000)
    problems = lab_page.evaluate(LOOK)
    assert not problems, "\n".join(problems)
