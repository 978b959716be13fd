"""From a key press to the changed picture, in every explorer of the built book.

A headless browser opens the pages as files and moves each control from end to end.
The clock runs, in the page, from the time stamp of the key's event to the end of the
last frame in which drawn data changed. Run with ``make bench``, after ``make book``.
"""

import argparse
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright
from record import keep

sys.path.insert(0, "tests")
from serve import DESKTOP, launch, pages  # noqa: E402

HTML = Path("_build/html")
LIMIT = 50  # milliseconds, the promised median
REST = 150  # milliseconds between two keys, so that each has its frames for itself

# Collects milliseconds in window.taken; null for a key that changed nothing.
CLOCK = """root => {
  const taken = window.taken = [], ended = new MessageChannel();
  let pressed = 0;
  ended.port1.onmessage = () => {
    if (taken.length) taken[taken.length - 1] = performance.now() - pressed;
  };
  root.addEventListener('keydown', event => {
    pressed = event.timeStamp;
    taken.push(null);
  }, true);
  new MutationObserver(changes => {
    if (changes.some(({target}) => target.closest('.role-mark')))
      requestAnimationFrame(() => ended.port2.postMessage(null));
  }).observe(root.querySelector('.explorer-picture'),
    {subtree: true, childList: true, attributes: true});
}"""
FIELDS = ".explorer-controls :is(input, select)"


def measure(page, root, rounds) -> list:
    """Milliseconds of every key that changed the picture of an explorer."""
    root.scroll_into_view_if_needed()
    root.and_(page.locator(".explorer-ready")).wait_for()
    root.evaluate(CLOCK)
    for field in root.locator(FIELDS).all():
        if field.is_disabled():  # it has no effect here
            continue
        field.focus()
        for key in ("End", "Home") * rounds:
            page.keyboard.press(key)
            page.wait_for_timeout(REST)
    return [taken for taken in page.evaluate("window.taken") if taken is not None]


def row(entry, taken) -> dict:
    """The row of one entry; the 95th percentile, too."""
    late = statistics.quantiles(taken, n=20)[-1]
    return {
        "bench": "explorer-key",
        "entry": entry,
        "seconds": statistics.median(taken) / 1000,
        "late_seconds": late / 1000,
        "keys": len(taken),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found = [
        name for name in pages(HTML) if 'class="explorer"' in (HTML / name).read_text()
    ]
    taken = {}
    with sync_playwright() as session:
        browser = launch(session)
        if browser is None:
            raise SystemExit("no browser found: run `playwright install chromium`")
        page = browser.new_page(viewport=DESKTOP)
        for name in found:
            page.goto((HTML / name).resolve().as_uri())
            for root in page.locator(".explorer").all():
                own = f"{Path(name).stem}#{root.get_attribute('id')}"
                taken[own] = measure(page, root, options.rounds)
        browser.close()
    if not taken:
        raise SystemExit("the built book has no explorer: run `make book` first")
    rows = [row(entry, times) for entry, times in taken.items()]
    rows.append(row("all explorers", sum(taken.values(), [])))
    print(f"{'ms from key to picture':56}{'keys':>5}{'median':>8}{'95 %':>7}")
    for each in rows:
        median, late = 1000 * each["seconds"], 1000 * each["late_seconds"]
        print(f"{each['entry']:56}{each['keys']:5}{median:8.0f}{late:7.0f}")
    print(f"\nto reach: a median of at most {LIMIT} ms")
    keep(rows)


if __name__ == "__main__":
    main()
