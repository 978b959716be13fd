"""Every explorer of the built book, moved by its readers' means.

By keyboard and by mouse, pinned, played and passed on by its address, from a server
and from files, with the network cut.
"""

from urllib.parse import unquote

import pytest
from explorer_pages import Reader, book, each_way, kinds, on_server, playing


def test_book_has_explorers(built_book):
    assert sum(map(len, book().values())) >= 5
    assert len(kinds()) >= 3 and playing()


@each_way
def test_every_control_by_keyboard(explorers):
    for reader in explorers:
        first = reader.look()
        for i in range(len(reader.controls)):
            reader.enable(i)
            reader.moved(i, reader.by_keyboard)
            reader.put(i, reader.start(i))
            reader.disable(i)
        assert reader.look() == first


@each_way
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
            page.bring_to_front()
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
        for control in filter(lambda control: control["unit"], reader.controls):
            assert control["unit"] not in unquote(page.url)
        if server:
            assert reader.link.text_content() == "Link copied"
            assert page.evaluate("navigator.clipboard.readText()") == page.url


def curve_is_pinned(panel) -> bool:
    """Whether a panel draws anything of a pinned run."""
    return any(mark["pins"] for mark in panel["marks"])


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


@pytest.mark.parametrize("name", list(book())[:1])
def test_an_address_cut_in_the_middle_of_a_letter(visit, name):
    own = next(iter(book()[name]))
    page, problems = visit(f"{name}#explorer-{own}:%E0%A4%A=1;nothing=%;!!")
    reader = Reader(page, name, own)
    places = [control["start"] for control in reader.controls]
    assert reader.look()["places"] == places
    assert not problems
