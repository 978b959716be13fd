"""Fixtures that several test modules share: the built book, a browser, JupyterLab."""

import shutil

import pytest
from playwright.sync_api import sync_playwright
from serve import DESKTOP, ROOT, jupyterlab, launch, open_lab, served, watch


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
        chromium = launch(session)
        if chromium is None:
            pytest.fail(
                "no browser found: run `playwright install chromium`, or install "
                "Chromium or Chrome from the system's packages"
            )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=["file", "http"])
def address(request, built_book):
    """Address of the book's folder, as files or on a server of this machine."""
    if request.param == "file":
        yield built_book.as_uri()
        return
    with served(built_book) as found:
        yield found


@pytest.fixture
def visit(browser, address):
    """Open a page of the book with the network cut; collect what goes wrong."""
    context = browser.new_context(viewport=DESKTOP)
    page, problems = context.new_page(), watch(context, address)

    def open_page(name):
        problems.clear()
        page.set_viewport_size(DESKTOP)
        page.goto(f"{address}/{name}", wait_until="load")
        return page, problems

    yield open_page
    context.close()


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
    from explorer_pages import Reader, book

    page, problems = open_page
    page.set_viewport_size(DESKTOP)
    found = [Reader(page, name, own) for own in book()[name]]
    for reader in found:
        reader.reset()
    yield found
    wrong = problems.copy()
    problems.clear()
    assert not wrong


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab on copies of the chapters."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "chapters", folder / "book/chapters")
    with jupyterlab(folder) as running:
        yield running


@pytest.fixture(scope="module")
def lab_page(browser, lab):
    """JupyterLab in the browser, with nothing open yet."""
    page = open_lab(browser, lab)
    yield page
    page.close()
