"""Fixtures that several test modules share: the built book and a browser."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ROOT = Path(__file__).parent.parent
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def built_book():
    """Folder with the pages of the book, which `make book` writes."""
    folder = ROOT / "_build/html"
    if not (folder / "intro.html").exists():
        pytest.fail("the book is not built: run `make book` first")
    return folder


@pytest.fixture(scope="session")
def browser():
    """A Chromium: the one that playwright downloaded, else the system's."""
    with sync_playwright() as session:
        own = session.chromium.executable_path
        found = next(filter(None, map(shutil.which, (own, *NAMES))), None)
        if found is None:
            pytest.fail(
                "no browser found: run `playwright install chromium`, or install "
                "Chromium or Chrome from the system's packages"
            )
        chromium = session.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()
