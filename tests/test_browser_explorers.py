"""Every explorer of the built book, moved by its readers' means.

By keyboard and by mouse, from a server and from files, with the network cut, on a
telephone, with scripts off, and through axe-core, which looks for what shuts readers
out.
"""

import json
import re
from functools import cache

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT
from serve import DESKTOP, PHONE, WIDE, pages, watch

HTML = ROOT / "_build/html"
LARGEST = 2_000_000  # bytes of explorer data in one page
LEAST = 24  # pixels that a control is high and wide, for fingers
DATA = re.compile(
    r'id="explorer-([\w-]+)">.*?<script type="application/json">(.*?)</script>', re.S
)
# Not the book's: the theme puts the logo of its sidebar outside all landmarks.
THEME = ("region", ".sidebar-primary-items__start > .sidebar-primary-item")
# What colours can break; the rest is the same in light and dark.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]

# What an explorer shows: its data as drawn, without the axes; the sentence with the
# setting before it, and without; where the controls stand.
SEEN = """root => ({
  drawn: [...root.querySelectorAll('.explorer-picture .role-mark')]
    .map(e => e.innerHTML).join(),
  said: root.querySelector('.explorer-picture').getAttribute('aria-label'),
  says: root.querySelector('.explorer-says').textContent,
  pinned: root.querySelector('.explorer-pinned').textContent,
  places: [...root.querySelectorAll('.explorer-controls :is(input, select)')]
    .map(e => Number(e.value)),
})"""
FRAMES = """() => new Promise(done =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
# The explorer, or what it stands in, where a part of it can only be scrolled to.
CUT = """root => {
  const cut = [];
  for (let e = root; e; e = e.parentElement)
    if (e.scrollWidth > e.clientWidth + 1) cut.push(`${e.tagName}.${e.className}`);
  return cut;
}"""
# Takes out what makes axe-core slow and tells it nothing: the inside of formulas,
# which have the colour of their text, and all tokens of code but one of each kind.
THIN = """() => {
  for (const e of document.querySelectorAll('mjx-container')) e.replaceChildren();
  const seen = new Set();
  for (const e of document.querySelectorAll('.highlight span')) {
    const kind = e.closest('[class*=highlight-]').className + e.className;
    if (seen.has(kind)) e.replaceWith(...e.childNodes);
    seen.add(kind);
  }
}"""
STILL = """() => Promise.all(document.getAnimations().map(a => a.finished))"""
OPERABLE = "input:not(:disabled), select:not(:disabled), button, summary"
FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  return {
    what: e.id || e.textContent,
    visible: e.matches(':focus-visible') && style.outlineStyle === 'solid' &&
      parseFloat(style.outlineWidth) >= 2 && style.outlineColor !== 'rgba(0, 0, 0, 0)',
  };
}"""


@cache
def book() -> dict:
    """Page -> {name of an explorer: what its script reads}, where there is one."""
    found = {}
    for page in pages(HTML):
        if named := DATA.findall((HTML / page).read_text()):
            found[page] = {name: json.loads(data) for name, data in named}
    return found


def kinds() -> list:
    """One (page, explorer) for every kind: those whose panels have the same marks."""
    found = {}
    for page, explorers in book().items():
        for name, data in explorers.items():
            layers = [panel["spec"]["layer"] for panel in data["panels"]]
            kind = str([[layer["mark"] for layer in panel] for panel in layers])
            found.setdefault(kind, (page, name))
    return list(found.values())


def playing() -> list:
    """(page, explorer, control) for every button that plays."""
    return [
        (page, name, i)
        for page, explorers in book().items()
        for name, data in explorers.items()
        for i, control in enumerate(data["controls"])
        if control["play"]
    ]


each_page = pytest.mark.parametrize("name", book(), scope="module")
on_server = pytest.mark.parametrize("address", ["http"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def open_page(browser, address, name):
    """A page of the book, which several tests move, and what has gone wrong in it."""
    context = browser.new_context(viewport=DESKTOP)
    page, problems = context.new_page(), watch(context, address)
    page.goto(f"{address}/{name}")
    yield page, problems
    context.close()


@pytest.fixture
def explorers(open_page, name):
    """The explorers of the page, all at their defaults; nothing may go wrong."""
    page, problems = open_page
    page.set_viewport_size(DESKTOP)
    problems.clear()
    found = [Reader(page, name, own) for own in book()[name]]
    for reader in found:
        reader.reset()
    yield found
    assert not problems


class Reader:
    """An explorer in an open page, and what a reader does with it."""

    def __init__(self, page, name, own):
        self.page, self.data = page, book()[name][own]
        self.controls = self.data["controls"]
        self.root = page.locator(f"#explorer-{own}")
        self.root.scroll_into_view_if_needed()
        self.root.and_(page.locator(".explorer-ready")).wait_for(timeout=20_000)
        self.fields = self.root.locator(".explorer-controls :is(input, select)").all()
        self.pin, self.link = self.root.locator(".explorer-actions button").all()
        assert len(self.fields) == len(self.controls) > 0

    def look(self) -> dict:
        """What the reader sees; the sentence must tell the setting of the controls."""
        self.page.evaluate(FRAMES)
        seen = self.root.evaluate(SEEN)
        assert seen["drawn"] and seen["said"]
        assert seen["said"] == self.sentence(seen["places"])
        says = f"{self.title(seen['places'])}. {seen['said']}"
        assert seen["says"].lower() == says.lower()
        return seen

    def title(self, places) -> str:
        """The setting in words, by the data of the page."""
        pairs = zip(self.controls, places, strict=True)
        return ", ".join(f"{c['label']} {c['texts'][place]}" for c, place in pairs)

    def sentence(self, places) -> str:
        """What the data of the page say of a setting."""
        says, row = self.data["says"], 0
        for i in says["by"]:
            row = row * len(self.controls[i]["texts"]) + places[i]
        return says["items"][says["index"][row]]

    def reset(self) -> dict:
        """Bring the explorer to its defaults by an address that knows nothing."""
        name = self.data["name"]
        self.page.evaluate(f"location.hash = '#explorer-{name}:nothing=1'")
        seen = self.look()
        assert seen["places"] == [control["start"] for control in self.controls]
        assert not seen["pinned"]
        return seen

    def press(self, i, *keys) -> dict:
        """Press keys on a control."""
        assert self.fields[i].is_enabled(), f"{self.controls[i]['name']} is disabled"
        self.fields[i].focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self.look()

    def put(self, i, place) -> dict:
        """Move a control to one of its places by keyboard."""
        key = "ArrowDown" if self.controls[i]["words"] else "ArrowRight"
        seen = self.press(i, "Home", *[key] * place)
        assert seen["places"][i] == place
        return seen

    def start(self, i, allowed=None) -> int:
        """Where a control stood first, or the nearest thing that is allowed."""
        start = self.controls[i]["start"]
        return start if allowed is None or start in allowed else allowed[0]

    def enable(self, i) -> None:
        """Move the controls on which one depends until it is enabled.

        It must be disabled at each of their values with which it has no effect.
        """
        only = {int(j): allowed for j, allowed in self.controls[i]["only"].items()}
        for j, allowed in only.items():
            self.put(j, self.start(j, allowed))
        for j, allowed in only.items():
            for place in range(len(self.controls[j]["texts"])):
                self.put(j, place)
                assert self.fields[i].is_enabled() == (place in allowed)
            self.put(j, self.start(j, allowed))

    def disable(self, i) -> None:
        """Put the controls on which one depends back to where they stood."""
        for j in map(int, self.controls[i]["only"]):
            self.put(j, self.start(j))

    def moved(self, i, move) -> None:
        """Move a control to both ends; data and sentence must change each time."""
        seen, name = self.look(), self.controls[i]["name"]
        last = len(self.controls[i]["texts"]) - 1
        assert last > 0
        ends = move(i, last), move(i, 0)
        assert [end["places"][i] for end in ends] == [last, 0]
        assert ends[0]["drawn"] != ends[1]["drawn"], f"{name}: nothing changes"
        assert ends[0]["says"] != ends[1]["says"]
        if 0 < seen["places"][i] < last:
            assert seen["drawn"] not in (ends[0]["drawn"], ends[1]["drawn"]), name

    def by_keyboard(self, i, place) -> dict:
        return self.press(i, "End" if place else "Home")

    def by_mouse(self, i, place) -> dict:
        """Drag a slider to an end, or choose a word."""
        if self.controls[i]["words"]:
            self.fields[i].select_option(index=place)
            return self.look()
        self.fields[i].scroll_into_view_if_needed()
        box = self.fields[i].bounding_box()
        y, edge = box["y"] + box["height"] / 2, box["x"] + box["width"] * bool(place)
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] / 2, y)
        mouse.down()
        mouse.move(edge + (20 if place else -20), y, steps=4)
        mouse.up()
        return self.look()


def test_book_has_explorers(built_book):
    assert sum(map(len, book().values())) >= 5
    assert len(kinds()) >= 3 and playing()


@each_page
def test_explorer_data_are_not_too_large(name):
    found = DATA.findall((HTML / name).read_text())
    assert sum(len(data.encode()) for _, data in found) <= LARGEST


@each_page
def test_every_control_by_keyboard(explorers):
    for reader in explorers:
        first = reader.look()
        for i in range(len(reader.controls)):
            reader.enable(i)
            reader.moved(i, reader.by_keyboard)
            reader.put(i, reader.start(i))
            reader.disable(i)
        assert reader.look() == first


@each_page
def test_pins_and_addresses(explorers, name):
    page = explorers[0].page
    server = page.url.startswith("http")
    if server:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for reader in explorers:
        own = reader.data["name"]
        alone = reader.press(0, "End")
        reader.pin.press("Enter")
        pinned = reader.look()["pinned"]
        assert reader.title(alone["places"]).lower() in pinned.lower()
        assert alone["said"] in pinned
        both = reader.press(0, "Home")
        assert both["pinned"] == pinned
        # In a new tab the address shows the same; of files, one a page is enough.
        if server or reader is explorers[0]:
            tab = page.context.new_page()
            tab.goto(page.url)
            assert Reader(tab, name, own).look() == both
            tab.close()
        reader.pin.press("Enter")
        single = reader.look()
        assert not single["pinned"] and "!" not in page.url
        if any(curve_is_pinned(panel) for panel in reader.data["panels"]):
            assert single["drawn"] != both["drawn"]
        reader.link.press("Enter")
        page.wait_for_function(
            "e => !e.textContent.startsWith('Copy')", arg=reader.link.element_handle()
        )
        assert f"#explorer-{own}:" in page.url
        if server:
            assert reader.link.text_content() == "Link copied"
            assert page.evaluate("navigator.clipboard.readText()") == page.url


def curve_is_pinned(panel) -> bool:
    """Whether a panel draws anything of a pinned run."""
    return any(layer["data"]["name"][0] == "p" for layer in panel["spec"]["layer"])


@on_server
@pytest.mark.parametrize("name, own", kinds(), scope="module")
def test_every_control_by_mouse(explorers, own):
    reader = next(r for r in explorers if r.data["name"] == own)
    for i in range(len(reader.controls)):
        reader.enable(i)
        reader.moved(i, reader.by_mouse)
        reader.put(i, reader.start(i))
    alone = reader.look()
    reader.pin.click()
    assert reader.look()["pinned"]
    reader.pin.click()
    assert reader.look() == alone


@on_server
@pytest.mark.parametrize("name, own, i", playing(), scope="module")
def test_play_and_pause(explorers, own, i):
    reader = next(r for r in explorers if r.data["name"] == own)
    page, last = reader.page, len(reader.controls[i]["texts"]) - 1
    button = reader.root.locator(".explorer-play")

    def stands_at(place):
        script = f"e => Number(e.value) >= {place}"
        field = reader.fields[i].element_handle()
        page.wait_for_function(script, arg=field, timeout=5000)

    first = reader.put(i, 0)
    button.press("Enter")
    assert button.text_content() == "Pause"
    stands_at(1)
    button.press("Enter")
    assert button.text_content() == "Play"
    paused = reader.look()
    assert paused["drawn"] != first["drawn"]
    page.wait_for_timeout(600)
    assert reader.look() == paused
    reader.put(i, last - 1)
    button.press("Enter")
    stands_at(last)
    page.wait_for_function("e => e.textContent === 'Play'", arg=button.element_handle())
    button.press("Enter")  # from the end it starts anew
    assert reader.look()["places"][i] < last
    button.press("Enter")


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


@pytest.mark.parametrize("name", list(book())[:1])
def test_an_address_cut_in_the_middle_of_a_letter(visit, name):
    own = next(iter(book()[name]))
    page, problems = visit(f"{name}#explorer-{own}:%E0%A4%A=1;nothing=%;!!")
    reader = Reader(page, name, own)
    places = [control["start"] for control in reader.controls]
    assert reader.look()["places"] == places
    assert not problems


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
