"""Nobody is shut out of the explorers of the built book.

On a telephone, by the Tab key, with scripts off, and through axe-core, which looks
for what the tools of disabled readers stumble over.
"""

import re

from axe_playwright_python.sync_playwright import Axe
from explorer_pages import DATA, HTML, book, each_page, on_server
from serve import DESKTOP, PHONE, WIDE, watch

LARGEST = 2_000_000  # bytes of explorer data in one page
LEAST = 24  # pixels that a control is high and wide, for fingers
# Not the book's: the theme puts the logo of its sidebar outside all landmarks.
THEME = ("region", ".sidebar-primary-items__start > .sidebar-primary-item")
# What colours can break; the rest is the same in light and dark.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]

# The explorer, or what it stands in, where a part of it can only be scrolled to.
CUT = """root => {
  const cut = [];
  for (let e = root; e; e = e.parentElement)
    if (e.scrollWidth > e.clientWidth + 1) cut.push(`${e.tagName}.${e.className}`);
  return cut;
}"""
# Whether all names of curves are drawn, none beyond the edge of its picture.
NAMES = """root => [...root.querySelectorAll('.explorer-panel svg')].every(svg => {
  const edge = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('.role-legend text')].every(text => {
    const box = text.getBoundingClientRect();
    return box.width > 0 && box.left >= edge.left - 1 && box.right <= edge.right + 1
      && box.top >= edge.top - 1 && box.bottom <= edge.bottom + 1;
  });
})"""
# Whether the axes of all panels have room, and those of square ones are square.
SQUARE = """([root, squares]) =>
  [...root.querySelectorAll('.explorer-panel svg')].every((svg, i) => {
    const axes = svg.querySelector('g.root > g > .background');
    const {width, height} = axes.getBoundingClientRect();
    return width > 100 && height > 80 && (!squares[i] || Math.abs(width - height) <= 1);
  })"""
# Spares axe-core its slowest and blindest parts: formulas become the text that is
# read out for them, which it does not find in MathML, and of the tokens of code one
# of each kind stays.
THIN = """() => {
  for (const e of document.querySelectorAll('mjx-container'))
    e.replaceChildren(e.querySelector('mjx-assistive-mml').textContent);
  const seen = new Set();
  for (const e of document.querySelectorAll('.highlight span')) {
    const kind = e.closest('[class*=highlight-]').className + e.className;
    if (seen.has(kind)) e.replaceWith(...e.childNodes);
    seen.add(kind);
  }
}"""
# The colours of a theme fade into one another; a second is more than they take.
STILL = """() => Promise.race([
  Promise.all(document.getAnimations().map(a => a.finished)),
  new Promise(done => setTimeout(done, 1000)),
])"""
OPERABLE = "input:not(:disabled), select:not(:disabled), button, summary"
FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  return {
    what: e.id || e.textContent,
    visible: e.matches(':focus-visible') && style.outlineStyle === 'solid' &&
      parseFloat(style.outlineWidth) >= 2 && style.outlineColor !== 'rgba(0, 0, 0, 0)',
  };
}"""


@each_page
def test_explorer_data_are_not_too_large(name):
    found = DATA.findall((HTML / name).read_text())
    assert sum(len(data.encode()) for _, data in found) <= LARGEST


@on_server
@each_page
def test_on_a_telephone(explorers):
    page = explorers[0].page
    page.set_viewport_size(PHONE)
    for reader in explorers:
        reader.look()
        assert reader.root.evaluate(CUT) == []
        parts = reader.root.locator(OPERABLE).all()
        for part in parts:
            box = part.bounding_box()
            assert min(box["height"], box["width"]) >= LEAST, part.text_content()
        # The focus goes from one to the next, and is seen.
        expected = [p.get_attribute("id") or p.text_content() for p in parts]
        parts[0].focus()
        page.keyboard.press("Shift+Tab")
        for what in expected:
            page.keyboard.press("Tab")
            assert page.evaluate(FOCUS) == {"what": what, "visible": True}
    assert page.evaluate(WIDE) == ""


@on_server
@each_page
def test_names_above_the_panels_are_whole(explorers):
    page = explorers[0].page
    for size in (DESKTOP, PHONE, DESKTOP):  # as a telephone that is turned
        page.set_viewport_size(size)
        for reader in explorers:
            page.wait_for_function(NAMES, arg=reader.root.element_handle())
            reader.look()


@on_server
@each_page
def test_square_panels_are_square(explorers):
    page = explorers[0].page
    for size in DESKTOP, PHONE, DESKTOP:
        page.set_viewport_size(size)
        for reader in explorers:
            squares = [panel["square"] for panel in reader.data["panels"]]
            page.wait_for_function(SQUARE, arg=[reader.root.element_handle(), squares])


@on_server
@each_page
def test_axe_finds_nothing(explorers):
    page = explorers[0].page
    page.evaluate("async () => { if (window.MathJax) await MathJax.startup.promise; }")
    for reader in explorers:
        reader.pin.press("Enter")
        reader.root.locator("summary").press("Enter")
        reader.look()
    page.evaluate(THIN)
    found = []
    for scheme, rules in (("light", None), ("dark", COLOUR_RULES)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f"html[data-theme={scheme}]")
        page.evaluate(STILL)
        options = {"resultTypes": ["violations"], "preload": False}
        if rules:
            options["runOnly"] = rules
        for broken in Axe().run(page, options=options).response["violations"]:
            for node in broken["nodes"]:
                where = node["target"][-1]
                if broken["id"] != THEME[0] or not where.startswith(THEME[1]):
                    found.append(f"{scheme}: {broken['help']}: {where}")
    assert not found, "\n".join(found)


@each_page
def test_without_scripts(browser, address, name):
    context = browser.new_context(java_script_enabled=False)
    problems = watch(context, address)
    page = context.new_page()
    page.goto(f"{address}/{name}")
    for own, data in book()[name].items():
        root = page.locator(f"#explorer-{own}")
        picture = root.locator(".explorer-still svg")
        assert picture.is_visible() and picture.bounding_box()["height"] > 100
        says = data["says"]["items"]
        assert picture.get_attribute("aria-label") in says
        assert root.locator(".explorer-says").inner_text() in says
        assert root.locator("button, input, select").count() == 0
        table = root.locator("tbody tr")
        assert not table.first.is_visible()
        root.locator("summary").click()
        assert table.first.is_visible() and table.count() > len(data["controls"])
    context.close()
    # The theme asks for its scripts in advance; the browser then lets go of them.
    assert not [p for p in problems if not re.match(r"lost .*/_static/.*\.js\b", p)]
