"""Every built page, opened in a browser whose network is cut.

Holds for pages opened as files and for pages from a web server: nothing is asked
of another host, nothing fails, all mathematics is drawn, every picture has
alternative text, and on a telephone no page scrolls sideways.
"""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

# Returns what is wrong with the page that is open, as a list of sentences.
LOOK = r"""async () => {
  const problems = [];
  const typeset = document.querySelectorAll('.math').length > 0;
  if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  else if (typeset) problems.push('MathJax did not start');
  // MathJax writes an unknown command in red, a formula it cannot read as an error.
  for (const e of document.querySelectorAll('mjx-merror, mtext[mathcolor=red]'))
    problems.push('formula with an error: ' + e.textContent);
  for (const e of document.querySelectorAll('.math'))
    if (!e.querySelector('mjx-container'))
      problems.push('formula not drawn: ' + e.textContent.slice(0, 80));
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent;
    if (walker.currentNode.parentElement.closest('pre, code, script, style')) continue;
    for (const bad of ['\\(', '\\[', 'interactive(children', 'Traceback (most'])
      if (text.includes(bad)) problems.push('raw text: ' + text.slice(0, 80));
  }
  for (const e of document.querySelectorAll('.cell_output pre'))
    if (/Traceback|interactive\(children/.test(e.textContent))
      problems.push('output: ' + e.textContent.slice(0, 80));
  for (const e of document.querySelectorAll('article img, article svg')) {
    if (e.closest('[aria-hidden=true], mjx-container, button')) continue;
    const alt = e.getAttribute('alt') || e.getAttribute('aria-label');
    if (!alt || !alt.trim()) problems.push('no alternative text: ' +
      e.outerHTML.slice(0, 80));
  }
  return problems;
}"""

WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return '';
  const wide = [...document.querySelectorAll('article *')].filter(
    e => e.getBoundingClientRect().right > width + 1);
  return `${document.documentElement.scrollWidth} px wide: ` +
    wide.slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(' | ');
}"""


class Quiet(SimpleHTTPRequestHandler):
    """A file server that writes no log."""

    def log_message(self, *arguments):
        """Say nothing."""


def pages(folder):
    """Names of the built pages; the one that only leads to the first is left out."""
    names = (path.relative_to(folder) for path in sorted(folder.rglob("*.html")))
    names = [name.as_posix() for name in names if name.parts[0] != "_static"]
    return [n for n in names if 'http-equiv="Refresh"' not in (folder / n).read_text()]


@pytest.fixture(scope="module", params=["file", "http"])
def address(request, built_book):
    """Address of the book's folder, as files or on a server of this machine."""
    if request.param == "file":
        yield built_book.as_uri()
        return
    handler = functools.partial(Quiet, directory=built_book)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def visit(browser, address):
    """Open a page of the book with the network cut; collect what goes wrong."""
    context = browser.new_context()
    page, problems = context.new_page(), []

    def answer(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            problems.append(f"asked another host: {route.request.url}")
            route.abort()

    def notice(response):
        if response.status >= 400:
            problems.append(f"answer {response.status}: {response.url}")

    def complain(message):
        if message.type == "error":
            problems.append(f"console: {message.text}")

    context.route("**/*", answer)
    page.on("response", notice)
    page.on("requestfailed", lambda request: problems.append(f"lost {request.url}"))
    page.on("console", complain)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))

    def open_page(name):
        problems.clear()
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{address}/{name}", wait_until="load")
        return page, problems

    yield open_page
    context.close()


def test_pages_are_sound_without_a_network(visit, built_book):
    wrong = {}
    names = pages(built_book)
    for name in names:
        page, problems = visit(name)
        found = list(page.evaluate(LOOK))
        page.set_viewport_size({"width": 375, "height": 700})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            if wide := page.evaluate(WIDE):
                found.append(f"{scheme}: {wide}")
        if found or problems:
            wrong[name] = found + problems
    assert len(names) > 5
    assert not wrong, "\n".join(f"{n}: {p}" for n, ps in wrong.items() for p in ps)


def test_search_finds_a_word_of_the_book(visit):
    page, problems = visit("search.html?q=gradient")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    assert not problems


def test_theme_follows_the_system(visit):
    page, _ = visit("intro.html")
    colours = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        colours[scheme] = page.evaluate("getComputedStyle(document.body).color")
    assert colours["light"] != colours["dark"]
