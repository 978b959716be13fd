"""Every built page, opened in a browser whose network is cut.

Holds for pages opened as files and for pages from a web server: nothing is asked
of another host, nothing fails, all mathematics is drawn, every picture has
alternative text, and on a telephone no page scrolls sideways.
"""

from serve import PHONE, WIDE, pages

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


def test_pages_are_sound_without_a_network(visit, built_book):
    wrong = {}
    names = pages(built_book)
    for name in names:
        page, problems = visit(name)
        found = list(page.evaluate(LOOK))
        page.set_viewport_size(PHONE)
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
