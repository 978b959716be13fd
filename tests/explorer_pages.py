"""Explorers in the pages of the built book, and what their readers do with them."""

import json
import re
from functools import cache

import pytest
from serve import ROOT, pages

HTML = ROOT / "_build/html"
DATA = re.compile(
    r'class="explorer" id="explorer-([\w-]+)">.*?'
    r'<script type="application/json">(.*?)</script>',
    re.S,
)
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
# Two frames drawn, or a second gone in a tab that the browser does not draw.
FRAMES = """() => new Promise(done => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
  setTimeout(done, 1000);
})"""


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


def ways() -> list:
    """(address, page): every page from a server, the first of each part from files.

    All pages load the same script; files differ in the address and the clipboard.
    """
    first = {page.split("/")[1]: page for page in reversed(book())}
    return [("http", page) for page in book()] + [("file", p) for p in first.values()]


each_page = pytest.mark.parametrize("name", book(), scope="module")
each_way = pytest.mark.parametrize(
    "address, name", ways(), indirect=["address"], scope="module"
)
on_server = pytest.mark.parametrize("address", ["http"], indirect=True, scope="module")


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
        """The setting in words, by the data of the page, without idle controls."""
        return ", ".join(
            f"{control['label']} {control['texts'][place]}"
            for control, place in zip(self.controls, places, strict=True)
            if all(places[int(i)] in some for i, some in control["only"].items())
        )

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
